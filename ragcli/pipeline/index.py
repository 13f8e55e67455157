"""An index on disk: where it lies, what it was made with, and the way into its parts."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from ragcli.analyze import ENGLISH, Analyzer
from ragcli.catalog import Catalog
from ragcli.disk import is_writable
from ragcli.embed import Embedder
from ragcli.errors import IndexBusy, IndexMismatch, IndexMissing, UsageError
from ragcli.locks import changing, reading
from ragcli.pipeline.editions import CATALOG, CHROMA, LEXICAL, has_remains, no_catalog, read_editions
from ragcli.pipeline.model import counter_of, open_model
from ragcli.settings import Settings
from ragcli.store import (
    DenseStore,
    LexicalStore,
    Projection,
    ScanStore,
    bring_up_to_date,
    discard,
    is_current,
)
from ragcli.tokens import TokenCounter

_Made = tuple[str, Analyzer]  # the model's signature and the analyser


def prepare_folder(folder: Path) -> None:
    """Make the folder that an index, and first of all its locks, will lie in."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # An index is no part of the repository that it may lie in. Empty, the file was cut short.
        if all(path.name == ".gitignore" and not path.stat().st_size for path in folder.iterdir()):
            (folder / ".gitignore").write_text("*\n", "utf-8")
    except OSError as error:
        raise UsageError(f"cannot make an index at {folder}: {error.strerror or error}") from error


# In a catalogue "1" from its import until one of the files that it tells of is seen.
IMPORTED = "imported"
# Embedded when an index is made and again whenever its model is opened for writing.
_PROBE = "Measure twice, cut once: 测量两次，裁剪一次 (ISO 8601, v2.13.0)."
_SAME = 0.999  # least cosine of two vectors of the probe, between machines and library versions


@dataclass(frozen=True, slots=True)
class ModelNote:
    """The model of an index as its catalogue remembers it; ``dims`` where fewer were asked for."""

    spec: str
    signature: str
    dimensions: int
    max_tokens: int
    dims: int | None = None


class Index:
    """An open index. A context manager; not to be shared between threads.

    ``folder`` is the index folder, where its locks lie; ``place`` the edition of it that is open.
    Unless it was opened for one edition, it follows the index to the edition that answers.
    """

    def __init__(
        self,
        folder: Path,
        catalog: Catalog,
        settings: Settings,
        *,
        place: Path | None = None,
        pinned: bool = False,
    ) -> None:
        self.folder = folder
        self.place = place or folder
        self.home = folder.parent
        self.catalog = catalog
        self.settings = settings
        self._pinned = pinned
        self._identity = _identity(catalog.path)
        self._stores: tuple[_Made, LexicalStore, DenseStore | ScanStore] | None = None
        self._copies: TemporaryDirectory[str] | None = None

    @classmethod
    def open(cls, folder: Path, settings: Settings) -> Index:
        """Open the index in ``folder``.

        Raises ``IndexMissing`` where there is none, ``IndexDamaged`` where its catalogue was lost.
        """
        for _ in range(3):  # the edition may be switched between the two looks
            name = read_editions(folder).current
            error = no_catalog(folder, name)  # found out first: another process may be making the catalogue
            place = folder / name
            if (place / CATALOG).is_file():
                return cls(folder, Catalog.open(place / CATALOG), settings, place=place)
        raise error

    @classmethod
    def create(cls, folder: Path, settings: Settings, *, edition: str | None = None) -> Index:
        """Open the index in ``folder``, or one edition of it, making it where there is none.

        The caller is its one writer. Raises ``IndexDamaged`` where the catalogue was lost: made anew it
        would hide what can still be mended.
        """
        name = edition or read_editions(folder).current
        place = folder / name
        if edition is None and not (place / CATALOG).exists() and has_remains(folder):
            raise no_catalog(folder, name)
        place.mkdir(parents=True, exist_ok=True)
        catalog = Catalog.create(place / CATALOG)
        return cls(folder, catalog, settings, place=place, pinned=edition is not None)

    @classmethod
    def open_edition(cls, folder: Path, settings: Settings, edition: str) -> Index:
        """Open one edition of an index; raises ``IndexDamaged`` where it was lost."""
        place = folder / edition
        if not (place / CATALOG).is_file():
            raise no_catalog(folder, edition)
        return cls(folder, Catalog.open(place / CATALOG), settings, place=place, pinned=True)

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every part."""
        self._let_go()
        self.catalog.close()

    def _let_go(self) -> None:
        if self._stores is not None:
            for store in self._stores[1:]:
                if not isinstance(store, ScanStore):
                    store.close()
            self._stores = None
        if self._copies is not None:
            self._copies.cleanup()
            self._copies = None

    def _follow(self) -> None:
        """Open the edition that answers now, where that is another one. Called under a lock."""
        if self._pinned:
            return
        name = read_editions(self.folder).current
        place = self.folder / name
        if not (place / CATALOG).is_file():
            raise no_catalog(self.folder, name)
        if place == self.place and _identity(place / CATALOG) == self._identity:
            return
        self.close()
        self.place, self.catalog = place, Catalog.open(place / CATALOG)
        self._identity = _identity(place / CATALOG)
        for name in ("embedder", "tokenizer"):
            self.__dict__.pop(name, None)

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

    def under(self, root: str) -> Callable[[str], str | None]:
        """Where names lie in the folder or file of a name: a path from there, "" for itself, None elsewhere.

        Either may be absolute: a folder outside, or one that holds the index itself.
        """
        home, place = self.home.as_posix(), self.file_of(root).as_posix()
        above = place == home or home.startswith(f"{place.rstrip('/')}/")
        inner = home[len(place) :].strip("/")  # from the root to the index, where it holds it
        prefix = f"{(place if above or os.path.isabs(root) else root).rstrip('/')}/"

        def within(name: str) -> str | None:
            if above and not os.path.isabs(name):
                return "/".join(part for part in (inner, name) if part not in ("", "."))
            if name == root:
                return ""
            return name[len(prefix) :] if name.startswith(prefix) else None

        return within

    # -- the model ---------------------------------------------------------------------------------

    def model(self) -> ModelNote | None:
        """The model the index was made with; None for an index that was never filled."""
        spec = self.catalog.get("model")
        if spec is None:
            return None
        note = self.catalog
        return ModelNote(
            spec, note.get("signature") or "", note.number("dimensions"), note.number("max_tokens"),
            note.number("dims") or None,
        )  # fmt: skip

    def note_model(self, embedder: Embedder, dims: int | None) -> None:
        """Remember the model. Called inside a transaction."""
        self.catalog.put("model", embedder.spec)
        self.catalog.put("signature", embedder.signature)
        self.catalog.put("dimensions", str(embedder.dimensions))
        self.catalog.put("max_tokens", str(embedder.max_tokens))
        if dims is not None:
            self.catalog.put("dims", str(dims))
        self.catalog.put("probe", " ".join(f"{x:.7g}" for x in embedder.embed_documents([_PROBE])[0]))

    def prove(self, embedder: Embedder) -> None:
        """Raise ``IndexMismatch`` unless the model makes of the probe what it made when the index was made.

        A signature names the weights; the probe tells whether they are still used in the same way.
        """
        told = self.catalog.get("probe")
        if told is None:
            return
        now = embedder.embed_documents([_PROBE])[0]
        try:
            then = [float(x) for x in told.split()]
        except ValueError:
            then = []  # as good as another model's
        alike = 0.0
        if len(then) == len(now):
            # Of vectors of one length this is their cosine; of others it is less.
            product = sum(a * float(b) for a, b in zip(then, now, strict=True))
            lengths = sum(a * a for a in then) + sum(float(b) * float(b) for b in now)
            alike = 2 * product / lengths if lengths else 1.0
        if not alike >= _SAME:  # what is no number is not the same either
            raise IndexMismatch(
                f"{embedder.spec} no longer makes the vectors that the index was made with (cosine {alike:.4f} "
                f"of {embedder.signature}); run `rag index --model {shlex.quote(embedder.spec)}` to make it anew "
                f"beside the old one"
            )

    @cached_property
    def embedder(self) -> Embedder:
        """The model the index was made with, loaded.

        Raises ``IndexMismatch`` when what its name stands for now makes other vectors.
        """
        note = self.model()
        if note is None:
            raise IndexMissing(f"the index at {self.folder} is empty; fill it with `rag index PATH`")
        embedder = open_model(note.spec, self.settings, note.dims, note.dimensions)
        if embedder.signature != note.signature:
            raise IndexMismatch(
                f"the index was made with {note.signature}, but {note.spec} is now {embedder.signature}; "
                f"run `rag index --model {shlex.quote(note.spec)}` to make it anew beside the old one"
            )
        return embedder

    @cached_property
    def tokenizer(self) -> TokenCounter:
        """The model's own tokenizer, without the model where that is possible."""
        note = self.model()
        found = counter_of(note.spec) if note else None
        return found or self.embedder.tokenizer

    @property
    def masks(self) -> bool:
        """Whether secrets are masked in what a model is given: as set, else as the index was made."""
        asked = self.settings.mask_secrets
        return self.catalog.get("mask_secrets") == "1" if asked is None else asked

    # -- the languages -----------------------------------------------------------------------------

    @property
    def analyzer(self) -> Analyzer:
        """What makes words of texts and questions, as the index notes it.

        Raises ``IndexMismatch`` where there is no stemmer for a language of it here.
        """
        names = self.catalog.get("languages")
        try:
            return Analyzer.of(names)
        except UsageError as error:
            raise IndexMismatch(
                f"the index was made for the languages {names}, of which the Snowball here lacks some; "
                f"upgrade pystemmer, or run `rag index --languages en`"
            ) from error

    def note_languages(self, analyzer: Analyzer) -> None:
        """Remember the languages: what was made of the catalogue for others is made anew.

        Nobody reads meanwhile, so that no question is read otherwise than the words that it meets.
        """
        if (self.catalog.get("languages") or str(ENGLISH)) != str(analyzer):
            with self.changing(), self.catalog.transaction():
                self.catalog.put("languages", str(analyzer))

    # -- what is derived ---------------------------------------------------------------------------

    def projections(self) -> list[Projection]:
        """Both projections as they lie in the index, for the model in use; for a writer."""
        lexical, dense = self.stores()
        if isinstance(dense, ScanStore):
            raise UsageError(f"cannot write {self.place}; are the folder and those in it writable?")
        return [lexical, dense]

    def stores(self) -> tuple[LexicalStore, DenseStore | ScanStore]:
        """What is searched, for the model and the languages in use.

        Both engines write where they read: in an index that cannot be written the lexical one
        reads a copy, and the catalogue's own vectors are scanned.
        """
        signature = self.catalog.get("signature") or ""
        made = signature, self.analyzer
        if self._stores is None or self._stores[0] != made:
            self._let_go()
            if self._can_be_written():
                lexical = LexicalStore(self.place / LEXICAL, self.analyzer)
                dense = DenseStore(self.place / CHROMA, signature)
                self._stores = (made, lexical, dense)
            else:
                self._copies = TemporaryDirectory(prefix="rag-", ignore_cleanup_errors=True)
                copy = Path(self._copies.name) / LEXICAL
                copy.mkdir()
                with suppress(OSError):  # what is missing or shut is made anew from the catalogue
                    for path in (self.place / LEXICAL).iterdir():
                        shutil.copyfile(path, copy / path.name)
                self._stores = (
                    made,
                    LexicalStore(copy, self.analyzer),
                    ScanStore(self.place / CHROMA, signature),
                )
        return self._stores[1], self._stores[2]

    def _can_be_written(self) -> bool:
        """Whether both engines can write where they lie."""
        parts = [self.place / LEXICAL, self.place / CHROMA]
        return is_writable(self.place) and all(is_writable(part) for part in parts if part.exists())

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep writers from changing what is read, of the edition that answers now."""
        with reading(self.folder, self.settings.wait):
            self._follow()
            yield

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep readers away while what they read changes; nobody reads an edition that is not in use."""
        if self._pinned:
            yield
            return
        with changing(self.folder, self.settings.wait):
            yield

    @contextmanager
    def change(self) -> Iterator[int]:
        """One change of the catalogue and of what is derived from it; the new generation."""
        with self.changing():
            with self.catalog.transaction():
                yield self.catalog.begin_generation()
            bring_up_to_date(self.projections(), self.catalog)

    @contextmanager
    def consistent(
        self, *, dense: bool, note: Callable[[str], None] = lambda _: None
    ) -> Iterator[tuple[LexicalStore, DenseStore | ScanStore]]:
        """The projections, up to date and kept so while they are read.

        One that is behind (a crash came between) or damaged is first brought up to date, without
        embedding. ``note`` is told where that will be done again for each run.
        """
        for _ in range(10):
            with reading(self.folder, self.settings.wait):
                needed = self._needed(dense=dense)
                if self._copies is not None and bring_up_to_date(needed, self.catalog):
                    note(
                        f"note: the lexical index in {self.place} is missing, behind or damaged and cannot be "
                        f"written; a temporary one was made from the catalogue"
                    )
                if all(is_current(store, self.catalog) for store in needed):
                    yield self.stores()
                    return
            with self.changing():
                bring_up_to_date(self._needed(dense=dense), self.catalog)
        raise IndexBusy("the index changes faster than it can be read; try again later")

    def _needed(self, *, dense: bool) -> list[Projection]:
        """What a search looks into, of the edition that answers now. Called under a lock."""
        self._follow()
        lexical, near = self.stores()
        return [lexical, near] if dense and not isinstance(near, ScanStore) else [lexical]

    def renew(self) -> bool:
        """Make both projections anew from the catalogue; False where they cannot be written."""
        if self._copies is not None:
            return False
        with self.changing():
            self._follow()
            discard(self.projections())
            bring_up_to_date(self.projections(), self.catalog)
        return True


def _identity(path: Path) -> tuple[int, int]:
    """What tells a file from another one that was put in its place."""
    try:
        told = path.stat()
    except OSError:
        return (0, 0)
    return told.st_dev, told.st_ino
