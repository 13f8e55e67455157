"""Files into the index: what changed is read, cut, embedded and stored; what vanished leaves.

Work is done in portions. The vectors of a portion are durable as soon as a batch is embedded; its
documents change over in one transaction once all their vectors are there. Whatever stops the
work, the index answers from the last portion, and the same command carries on after it.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ragcli.catalog import Catalog, FileState, content_hash
from ragcli.chunk import CHUNKER_VERSION, chunk_document
from ragcli.embed import Embedder, find_model, open_embedder, open_tokenizer
from ragcli.errors import IndexMismatch, UsageError
from ragcli.load import LOADER_VERSION, FoundFile, SkippedFile, load_file, walk
from ragcli.locks import changing, writing
from ragcli.pipeline.index import CATALOG, Index, prepare_folder
from ragcli.settings import DEFAULT_MODEL, Settings
from ragcli.store import bring_up_to_date, discard
from ragcli.tokens import TokenCounter
from ragcli.types import Chunk, Document, Failure

# Chunks whose documents change over together: enough to sort by length, few enough to lose.
_PORTION = 1024
# Texts embedded between two times the vectors are made durable.
_DURABLE = 128
# A file written this shortly before it was read may be written again within the same tick.
_RACY_NS = 2_000_000_000
# Below this share of known words a document counts as one the model cannot read.
_READABLE = 0.7


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What ``rag index`` was asked for; None means: as the index has it."""

    model: str | None = None
    chunk_size: int | None = None
    overlap: int | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    ignore: bool = True
    rebuild: bool = False
    max_file_mb: float = 50.0


@dataclass(slots=True)
class BuildReport:
    """What an indexing run did, or would do under ``--plan``."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    failed: int = 0
    chunks_added: int = 0
    chunks_removed: int = 0
    chunks_total: int = 0
    embedded: int = 0
    cached: int = 0
    tokens: int = 0
    files: int = 0
    failures: list[Failure] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    model: str = ""
    seconds: float = 0.0


class Progress:
    """What happens while indexing; the methods do nothing and are there to be overridden."""

    def begin(self, total: int) -> None:
        """``total`` bytes of files will be read."""

    def advance(self, done: int, embedded: int) -> None:
        """``done`` bytes of them are finished, ``embedded`` texts have been embedded."""


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How a file becomes chunks: when it differs from the one a file was read with, it is read again."""

    size: int
    overlap: int
    tokenizer: str

    def __str__(self) -> str:
        return f"{LOADER_VERSION}.{CHUNKER_VERSION}:{self.size}:{self.overlap}:{self.tokenizer}"


class Builder:
    """One run of ``rag index`` over an index whose writer lock is held."""

    def __init__(
        self, index: Index, options: BuildOptions, progress: Progress, *, plan: bool = False
    ) -> None:
        self._index = index
        self._catalog: Catalog = index.catalog
        self._options = options
        self._progress = progress
        self._plan = plan
        self._generation = 0
        self._report = BuildReport()
        self._done_bytes = 0
        self._waiting: list[tuple[Document, list[Chunk]]] = []
        self._waiting_chunks = 0
        self._finished: list[tuple[FileState, set[str], int]] = []
        self._known_files: dict[str, FileState] = {}
        self._known_hashes: dict[str, str] = {}
        self._embedder: Embedder | None = None
        self._prepare_model()

    # -- the model and the recipe ----------------------------------------------------------------

    def _prepare_model(self) -> None:
        """Settle model, tokenizer and chunk size; load the model only where it cannot be helped."""
        options, note = self._options, self._index.model()
        spec = options.model or (note.spec if note else self._index.settings.model or DEFAULT_MODEL)
        files = find_model(spec)
        self._switch = note is None or (options.rebuild and files.spec != note.spec)
        if note is not None and files.spec != note.spec and not options.rebuild:
            raise IndexMismatch(
                f"the index was made with {note.spec}, not with {files.spec}; "
                f"run `rag index --rebuild --model {files.spec}` to make it anew with that"
            )
        if note is None or options.rebuild:
            self._embedder = open_embedder(spec, offline=self._index.settings.offline)
            self._signature = self._embedder.signature
            self._switch = self._switch or note is None or note.signature != self._signature
            limit, counter = self._embedder.max_tokens, self._embedder.tokenizer
        else:
            self._signature = note.signature
            limit = note.max_tokens
            counter = open_tokenizer(files) or self._index.embedder.tokenizer
        self._counter: TokenCounter = counter
        self._spec = files.spec
        self._report.model = files.spec
        self._recipe = self._settle_recipe(limit)

    def _settle_recipe(self, limit: int) -> _Recipe:
        stored_size, stored_overlap = self._catalog.get("chunk_size"), self._catalog.get("overlap")
        asked = self._options.chunk_size
        if asked is not None and asked > limit:
            raise UsageError(f"--chunk-size {asked} is more than the {limit} tokens {self._spec} reads")
        size = asked or min(int(stored_size or _DEFAULT_CHUNK), limit)
        overlap = self._options.overlap if self._options.overlap is not None else int(stored_overlap or 0)
        if overlap >= size:
            raise UsageError(f"--overlap {overlap} is not less than the chunk size {size}")
        return _Recipe(size, overlap, self._spec)

    # -- the run -------------------------------------------------------------------------------------

    def run(self, paths: Sequence[Path]) -> BuildReport:
        """Index the paths; see the module's text for what is durable when."""
        start = time.perf_counter()
        self._known_files = self._catalog.files()
        self._known_hashes = {row["document"]: row["sha256"] for row in self._catalog.document_rows()}
        work, names = self._look(paths)
        self._progress.begin(sum(found.size for _, found in work))
        if self._plan:
            self._work_through(work, paths, names)
        elif self._switch and self._index.model() is not None:
            self._embed_ahead(work)
            with self._one_change():
                self._work_through(work, paths, names)
                self._note_model()
        else:
            with self._catalog.transaction():
                self._remember(paths)
                if self._switch:
                    self._note_model()
            if self._options.rebuild:
                discard(self._index.stores())
            self._work_through(work, paths, names)
        if not self._plan:
            self._settle(paths)
        self._report.chunks_total = self._catalog.counts()["chunks"]
        self._report.seconds = time.perf_counter() - start
        return self._report

    def _work_through(
        self, work: Sequence[tuple[str, FoundFile]], paths: Sequence[Path], names: set[str]
    ) -> None:
        for name, found in work:
            self._read(name, found)
        self._flush()
        self._remove_vanished(paths, names)

    @contextmanager
    def _one_change(self) -> Iterator[None]:
        """One change of the catalogue, followed by everything derived from it; readers wait.

        Inside another one it is part of that.
        """
        if self._plan or self._generation:
            yield
            return
        with changing(self._index.folder, self._index.settings.wait):
            with self._catalog.transaction():
                self._generation = self._catalog.begin_generation()
                try:
                    yield
                finally:
                    self._generation = 0
            bring_up_to_date(self._index.stores(), self._catalog)

    def _note_model(self) -> None:
        assert self._embedder is not None  # noqa: S101  # a model is only noted when it was opened
        self._index.note_model(self._embedder)

    def _embed_ahead(self, work: Sequence[tuple[str, FoundFile]]) -> None:
        """Make all vectors of another model before anything changes: until then the old one answers."""
        for name, found in work:
            for item in load_file(found.path, path=name):
                if isinstance(item, Document):
                    self._embed(self._cut(item))

    def _cut(self, document: Document) -> list[Chunk]:
        return chunk_document(document, self._counter, size=self._recipe.size, overlap=self._recipe.overlap)

    def _look(self, paths: Sequence[Path]) -> tuple[list[tuple[str, FoundFile]], set[str]]:
        """Files to read, and the names of all files that are there."""
        options = self._options
        work: list[tuple[str, FoundFile]] = []
        names: set[str] = set()
        for found in walk(
            paths, include=options.include, exclude=options.exclude, ignore=options.ignore,
            leave_out=[self._index.folder], max_bytes=int(options.max_file_mb * 1_000_000),
        ):  # fmt: skip
            name = self._index.name_of(found.path)
            if isinstance(found, SkippedFile):
                self._skip(name, found, names)
                continue
            names.add(name)
            self._report.files += 1
            if not self._is_unchanged(name, found):
                work.append((name, found))
        return work, names

    def _skip(self, name: str, found: SkippedFile, names: set[str]) -> None:
        """Count what is left out. A file that was read before and cannot be now is not gone."""
        explicit = found.path == found.root
        if found.reason == "unreadable" or explicit:
            names.add(name)
            self._fail(Failure(name, found.reason, _SKIPS.get(found.reason, found.reason)))
        else:
            self._report.skipped[found.reason] += 1

    def _is_unchanged(self, name: str, found: FoundFile) -> bool:
        """Compare with what is known, by size and time, else by content; repeat known failures."""
        known = self._known_files.get(name)
        if known is None or self._options.rebuild or known.recipe != str(self._recipe):
            return False
        if (known.size, known.mtime_ns) != (found.size, found.mtime_ns):
            digest = _digest(found.path)
            if digest != known.sha256:
                return False
            if not self._plan:
                with self._catalog.transaction():
                    self._catalog.touch_file(_state(name, found, digest, known.recipe, known.failures))
        for error, message in known.failures:
            self._fail(Failure(name, error, message))
        self._report.unchanged += len(self._catalog.documents_of(name))
        return True

    def _fail(self, failure: Failure) -> None:
        self._report.failures.append(failure)
        self._report.failed += 1

    def _read(self, name: str, found: FoundFile) -> None:
        """Read one file's documents into the waiting portion."""
        digest = _digest(found.path)
        failures: list[Failure] = []
        seen: set[str] = set()
        known = self._known_files.get(name)
        same_recipe = known is not None and known.recipe == str(self._recipe) and not self._options.rebuild
        for item in load_file(found.path, path=name):
            if isinstance(item, Failure):
                failures.append(item)
                self._fail(item)
                continue
            seen.add(item.id)
            if same_recipe and self._known_hashes.get(item.id) == item.sha256:
                self._report.unchanged += 1
                continue
            self._take(item)
        if any(failure.error == "unreadable" for failure in failures) or digest is None:
            # Nothing is known of it now; what was known may still be true.
            return
        told = tuple((failure.error, failure.message) for failure in failures)
        self._finished.append((_state(name, found, digest, str(self._recipe), told), seen, found.size))

    def _take(self, document: Document) -> None:
        chunks = self._cut(document)
        if document.id in self._known_hashes:
            self._report.changed += 1
        else:
            self._report.added += 1
        if self._counter.coverage([document.text[:4000]])[0] < _READABLE:
            self._report.unread[document.language] += 1
        self._report.tokens += sum(chunk.tokens for chunk in chunks)
        self._waiting.append((document, chunks))
        self._waiting_chunks += len(chunks)
        if self._waiting_chunks >= _PORTION:
            self._flush()

    # -- embedding and changing over -----------------------------------------------------------------

    def _flush(self) -> None:
        """Embed what waits and change its documents over, all in one generation."""
        if not self._waiting and not self._finished:
            return
        self._embed([chunk for _, chunks in self._waiting for chunk in chunks])
        with self._one_change():
            if not self._plan:
                self._change_over()
        self._done_bytes += sum(size for _, _, size in self._finished)
        self._progress.advance(self._done_bytes, self._report.embedded)
        self._waiting, self._waiting_chunks, self._finished = [], 0, []

    def _change_over(self) -> None:
        generation = self._generation
        now = datetime.now(UTC).isoformat(timespec="seconds")
        for document, chunks in self._waiting:
            added, removed = self._catalog.put_document(document, chunks, now, generation)
            self._report.chunks_added += added
            self._report.chunks_removed += removed
        for state, seen, _ in self._finished:
            for document_id in self._catalog.documents_of(state.path):
                if document_id not in seen:
                    self._report.chunks_removed += self._catalog.drop_document(document_id, generation)
                    self._report.removed += 1
            self._catalog.touch_file(state)

    def _embed(self, chunks: Sequence[Chunk]) -> None:
        """Make sure that every chunk has its vector, in batches of like length, each durable at once."""
        texts = {content_hash(chunk.embedded_text): chunk for chunk in chunks}
        missing = self._catalog.missing_vectors(texts, self._signature)
        self._report.cached += len(texts) - len(missing)
        if self._plan:
            self._report.embedded += len(missing)
            return
        order = sorted(missing, key=lambda content: (-texts[content].tokens, content))
        for first in range(0, len(order), _DURABLE):
            batch = order[first : first + _DURABLE]
            vectors = self._model().embed_documents([texts[content].embedded_text for content in batch])
            self._catalog.put_vectors(batch, self._signature, vectors)
            self._report.embedded += len(batch)
            self._progress.advance(self._done_bytes, self._report.embedded)

    def _model(self) -> Embedder:
        if self._embedder is None:
            self._embedder = self._index.embedder
        return self._embedder

    # -- afterwards ------------------------------------------------------------------------------------

    def _remove_vanished(self, paths: Sequence[Path], names: set[str]) -> None:
        """Take out files under the given paths that are no longer there or no longer wanted.

        ``--include`` narrows what is looked at: files it does not name are left as they are.
        """
        roots = [self._index.name_of(path) for path in paths]
        gone = sorted(
            name for name in self._known_files
            if name not in names and any(_lies_under(name, root) for root in roots)
            and self._is_included(name, roots)
        )  # fmt: skip
        if not gone:
            return
        with self._one_change():
            for name in gone:
                self._report.removed += len(self._catalog.documents_of(name))
                if not self._plan:
                    self._report.chunks_removed += drop_file(self._catalog, name, self._generation)

    def _is_included(self, name: str, roots: Sequence[str]) -> bool:
        if not self._options.include:
            return True
        from pathspec import GitIgnoreSpec

        spec = GitIgnoreSpec.from_lines(self._options.include)
        inside = [name.removeprefix(root).lstrip("/") for root in roots if _lies_under(name, root)]
        return any(spec.match_file(relative or name) for relative in inside)

    def _remember(self, paths: Sequence[Path]) -> None:
        """Keep the paths and the way they are read, for a later `rag index` that names none."""
        options = {
            "include": self._options.include,
            "exclude": self._options.exclude,
            "ignore": self._options.ignore,
        }
        for path in paths:
            self._catalog.add_root(self._index.name_of(path), options)
        self._catalog.put("chunk_size", str(self._recipe.size))
        self._catalog.put("overlap", str(self._recipe.overlap))

    def _settle(self, paths: Sequence[Path]) -> None:
        """Drop what nothing refers to any more, and note when this was."""
        with changing(self._index.folder, self._index.settings.wait):
            bring_up_to_date(self._index.stores(), self._catalog)
        report = self._report
        if report.added or report.changed or report.removed or self._options.rebuild:
            with self._catalog.transaction():
                self._remember(paths)
                self._catalog.put("updated", datetime.now(UTC).isoformat(timespec="seconds"))
                self._catalog.forget_gone(self._catalog.generation)
                self._catalog.drop_idle_vectors()


_DEFAULT_CHUNK = 254
_SKIPS = {
    "binary": "is no text",
    "too-large": "is larger than max_file_mb allows",
    "unsupported": "is of a format that cannot be read yet",
    "unreadable": "cannot be read; are its permissions right?",
    "outside": "leads out of the folder",
}


def drop_file(catalog: Catalog, name: str, generation: int) -> int:
    """Take a file and its documents out, inside a transaction; the number of chunks that went."""
    chunks = sum(catalog.drop_document(document, generation) for document in catalog.documents_of(name))
    catalog.drop_file(name)
    return chunks


def _lies_under(name: str, root: str) -> bool:
    return root == "." or name == root or name.startswith(root.rstrip("/") + "/")


def _digest(path: Path) -> str | None:
    """sha256 of a file; None when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _state(
    name: str, found: FoundFile, digest: str, recipe: str, failures: tuple[tuple[str, str], ...]
) -> FileState:
    racy = time.time_ns() - found.mtime_ns < _RACY_NS
    # A time that no file has makes the next run compare contents.
    return FileState(name, found.size, -1 if racy else found.mtime_ns, digest, recipe, failures)


def build(
    folder: Path,
    settings: Settings,
    paths: Sequence[Path],
    options: BuildOptions,
    progress: Progress,
    *,
    command: str,
    plan: bool = False,
) -> tuple[BuildReport, bool]:
    """Run ``rag index``; with ``plan`` only say what it would do.

    Without paths, those the index remembers are taken. The second value says that documents were
    met which the model cannot read, and that this was not told before. Raises ``UsageError`` for
    a missing path, ``IndexBusy`` when another process writes, ``IndexMismatch`` for another model.
    """
    for path in paths:
        if not path.exists():
            raise UsageError(f"no such file or folder: {path}")
    if plan:
        with _planned(folder, settings) as index:
            return Builder(index, options, progress, plan=True).run(_with_roots(index, paths, options)), False
    prepare_folder(folder)
    with writing(folder, command, settings.wait), Index.create(folder, settings) as index:
        report = Builder(index, options, progress).run(_with_roots(index, paths, options))
        news = bool(report.unread) and index.catalog.get("unread_told") != report.model
        if news:
            with index.catalog.transaction():
                index.catalog.put("unread_told", report.model)
        return report, news


def _planned(folder: Path, settings: Settings) -> Index:
    """The index for a plan: the one that is there, or an empty one that is nowhere."""
    if (folder / CATALOG).is_file():
        return Index.open(folder, settings)
    return Index(folder, Catalog.in_memory(), settings)


def _with_roots(index: Index, paths: Sequence[Path], options: BuildOptions) -> list[Path]:
    """The given paths; all that the index remembers where none is given or all is made anew."""
    remembered = [index.file_of(root) for root in index.catalog.roots()]
    chosen = list(paths)
    if not paths or options.rebuild:
        chosen += [root for root in remembered if root.exists() and root not in chosen]
    if not chosen:
        raise UsageError("nothing to index; name a file or a folder: rag index PATH")
    return list(dict.fromkeys(Path(os.path.abspath(path)) for path in chosen))


def remove(folder: Path, settings: Settings, paths: Sequence[str]) -> tuple[int, int]:
    """Take documents out, named by id, file or folder; numbers of documents and chunks.

    Raises ``UsageError`` for a name that is not in the index.
    """
    documents = chunks = 0
    with Index.open(folder, settings) as index, writing(folder, "rag remove", settings.wait):
        known = [(row["document"], row["path"]) for row in index.catalog.document_rows()]
        chosen: dict[str, str] = {}
        for path in paths:
            name = index.name_of(Path(path))
            found = {
                d: f
                for d, f in known
                if d == path or _lies_under(f, name) or _lies_under(f, path.rstrip("/"))
            }
            if not found:
                raise UsageError(f"not in the index: {path}; `rag list` shows what is")
            chosen |= found
        with changing(folder, settings.wait):
            with index.catalog.transaction():
                generation = index.catalog.begin_generation()
                for document in sorted(chosen):
                    chunks += index.catalog.drop_document(document, generation)
                    documents += 1
                for file in set(chosen.values()):
                    if not index.catalog.documents_of(file):
                        index.catalog.drop_file(file)
                    else:  # a record of a collection: the next run must read the file again
                        index.catalog.forget_state(file)
            bring_up_to_date(index.stores(), index.catalog)
    return documents, chunks
