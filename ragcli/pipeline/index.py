"""An index on disk: where it lies, what it was made with, and the way into its parts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ragcli.catalog import Catalog
from ragcli.embed import Embedder, find_model, open_embedder, open_tokenizer
from ragcli.errors import IndexMismatch, IndexMissing, UsageError
from ragcli.locks import changing, reading
from ragcli.settings import Settings
from ragcli.store import DenseStore, LexicalStore, Projection, bring_up_to_date, is_current
from ragcli.tokens import FastTokenizer

CATALOG = "catalog.sqlite3"


def prepare_folder(folder: Path) -> None:
    """Make the folder that an index, and first of all its locks, will lie in."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # An index is no part of the repository that it may lie in. Empty, the file was cut short.
        if all(path.name == ".gitignore" and not path.stat().st_size for path in folder.iterdir()):
            (folder / ".gitignore").write_text("*\n", "utf-8")
    except OSError as error:
        raise UsageError(f"cannot make an index at {folder}: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class ModelNote:
    """The model of an index as its catalogue remembers it."""

    spec: str
    signature: str
    dimensions: int
    max_tokens: int


class Index:
    """An open index. A context manager; not to be shared between threads."""

    def __init__(self, folder: Path, catalog: Catalog, settings: Settings) -> None:
        self.folder = folder
        self.home = folder.parent
        self.catalog = catalog
        self.settings = settings
        self._stores: tuple[str, LexicalStore, DenseStore] | None = None

    @classmethod
    def open(cls, folder: Path, settings: Settings) -> Index:
        """Open the index in ``folder``; raises ``IndexMissing`` where there is none."""
        path = folder / CATALOG
        if not path.is_file():
            raise IndexMissing(f"no index at {folder}; make one with `rag index PATH`")
        return cls(folder, Catalog.open(path), settings)

    @classmethod
    def create(cls, folder: Path, settings: Settings) -> Index:
        """Open the index in ``folder``, making it where there is none. The caller is its one writer."""
        return cls(folder, Catalog.create(folder / CATALOG), settings)

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every part."""
        if self._stores is not None:
            for store in self._stores[1:]:
                store.close()
        self.catalog.close()

    # -- names -----------------------------------------------------------------------------------

    def name_of(self, path: Path) -> str:
        """A file's name in this index: relative to the folder that holds the index, else absolute."""
        absolute = Path(os.path.abspath(path))
        for candidate in (absolute, absolute.parent.resolve() / absolute.name):
            if candidate.is_relative_to(self.home):
                return candidate.relative_to(self.home).as_posix()
        return absolute.as_posix()

    def file_of(self, name: str) -> Path:
        """The file that a name of this index stands for."""
        return self.home / name

    # -- the model ---------------------------------------------------------------------------------

    def model(self) -> ModelNote | None:
        """The model the index was made with; None for an index that was never filled."""
        spec = self.catalog.get("model")
        if spec is None:
            return None
        get = self.catalog.get
        return ModelNote(
            spec, get("signature") or "", int(get("dimensions") or 0), int(get("max_tokens") or 0)
        )

    def note_model(self, embedder: Embedder) -> None:
        """Remember the model. Called inside a transaction."""
        self.catalog.put("model", embedder.spec)
        self.catalog.put("signature", embedder.signature)
        self.catalog.put("dimensions", str(embedder.dimensions))
        self.catalog.put("max_tokens", str(embedder.max_tokens))

    @cached_property
    def embedder(self) -> Embedder:
        """The model the index was made with, loaded.

        Raises ``IndexMismatch`` when what its name stands for now makes other vectors.
        """
        note = self.model()
        if note is None:
            raise IndexMissing(f"the index at {self.folder} is empty; fill it with `rag index PATH`")
        embedder = open_embedder(note.spec, offline=self.settings.offline)
        if embedder.signature != note.signature:
            raise IndexMismatch(
                f"the index was made with {note.signature}, but {note.spec} is now {embedder.signature}; "
                f"run `rag index --rebuild`"
            )
        return embedder

    @cached_property
    def tokenizer(self) -> FastTokenizer:
        """The model's own tokenizer, without the model where that is possible."""
        note = self.model()
        found = open_tokenizer(find_model(note.spec)) if note else None
        return found or self.embedder.tokenizer

    # -- what is derived ---------------------------------------------------------------------------

    def stores(self) -> tuple[LexicalStore, DenseStore]:
        """Both projections for the model in use."""
        signature = self.catalog.get("signature") or ""
        if self._stores is None or self._stores[0] != signature:
            lexical = LexicalStore(self.folder / "lexical")
            self._stores = (signature, lexical, DenseStore(self.folder / "chroma", signature))
        return self._stores[1], self._stores[2]

    @contextmanager
    def consistent(self, *, dense: bool) -> Iterator[tuple[LexicalStore, DenseStore]]:
        """The projections, up to date and kept so while they are read.

        One that is behind (a crash came between) is first brought up to date, without embedding.
        """
        lexical, near = self.stores()
        needed: list[Projection] = [lexical, near] if dense else [lexical]
        for attempt in range(10):
            with reading(self.folder, self.settings.wait):
                if all(is_current(store, self.catalog) for store in needed) or attempt == 9:
                    yield lexical, near
                    return
            with changing(self.folder, self.settings.wait):
                bring_up_to_date(needed, self.catalog)
