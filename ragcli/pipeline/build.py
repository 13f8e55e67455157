"""Files into the index: what changed is read, cut, embedded and stored; what vanished leaves.

Work is done in portions. The vectors of a portion are durable as soon as a batch is embedded; its
documents change over in one transaction once all their vectors are there. Whatever stops the
work, the index answers from the last portion, and the same command carries on after it.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from ragcli.catalog import Catalog, FileState, content_hash
from ragcli.chunk import CHUNKER_VERSION, Cutting, settle
from ragcli.embed import Embedder
from ragcli.load import LOADER_VERSION, FoundFile, Job, SkippedFile
from ragcli.pipeline.choice import ModelChoice
from ragcli.pipeline.index import Index
from ragcli.pipeline.report import BuildOptions, BuildReport, Progress, reason_to_leave_out
from ragcli.pipeline.survey import Root, is_nameable, lies_under, remember, survey, vanished
from ragcli.settings import NONE
from ragcli.store import bring_up_to_date, discard
from ragcli.types import Chunk, Document, Failure

# Chunks whose documents change over together: enough to sort by length, few enough to lose.
_PORTION = 1024
# Texts embedded between two times the vectors are made durable.
_DURABLE = 128
# A file written this shortly before it was read may be written again within the same tick.
_RACY_NS = 2_000_000_000
# Empty space in the catalogue's file that is returned to the disk at the end of a run, in bytes.
_WORTH_GIVING_BACK = 4_000_000
_NO_WAITING: int = getattr(os, "O_NONBLOCK", 0)
# Failures that say as much of the machine as of the file.
_PASSING = frozenset({"timeout", "crashed", "loader-failed"})
# Failures for want of a means: the same content was read with it, or may be.
_MAY_PASS = _PASSING | {"encrypted", "no-text", "too-large"}
# Below this share of known words a document counts as one the model cannot read.
_READABLE = 0.7


@dataclass(slots=True)
class _Reading:
    """A file that is being read: its content's hash before, and what came of it so far."""

    name: str
    found: FoundFile
    digest: str | None
    same_recipe: bool
    failures: list[Failure] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


class Builder:
    """One run of ``rag index`` over an index whose writer lock is held."""

    def __init__(
        self,
        index: Index,
        choice: ModelChoice,
        options: BuildOptions,
        progress: Progress,
        *,
        plan: bool = False,
    ) -> None:
        self._index = index
        self._catalog: Catalog = index.catalog
        self._options = options
        self._progress = progress
        self._plan = plan
        self._generation = 0
        self._report = BuildReport(model=choice.spec)
        self._total_bytes = 0  # of files to read
        self._finished_bytes = 0  # of files that are done
        self._begun_bytes = 0  # about, of the file that was begun before this portion
        self._waiting_bytes = 0  # about, of the documents that wait
        self._waiting: list[tuple[Document, list[Chunk]]] = []
        self._waiting_chunks = 0
        self._finished: list[tuple[FileState, set[str], int]] = []
        self._readings: dict[str, _Reading] = {}
        self._shut: set[str] = set()  # what is there, or may be, and could not be looked at
        self._named: set[str] = set()
        self._present: set[str] = set()
        self._known_files: dict[str, FileState] = {}
        self._origins: dict[str, tuple[str, str]] = {}
        self._spec = choice.spec
        self._signature = choice.signature
        self._dims = choice.dims
        self._counter = choice.counter
        self._loaded = choice.embedder
        self._proved = False
        note = index.model()
        # Only a plan is made over an edition of another model.
        self._anew = options.rebuild or (note is not None and note.signature != choice.signature)
        self._cutting = self._settle_cutting(choice.max_tokens)
        # When it differs from the one a file was read with, the file is read again.
        self._recipe = f"{LOADER_VERSION}.{CHUNKER_VERSION}:{self._cutting}:{self._spec}"

    def _settle_cutting(self, limit: int) -> Cutting:
        """How to cut: as it is asked for, else as the index has it."""
        asked, known = self._options, self._catalog
        size = asked.chunk_size
        if size is None and known.get("chunk_size") is not None:
            size = min(known.number("chunk_size"), limit)
        return settle(
            limit,
            size,
            known.number("overlap") if asked.overlap is None else asked.overlap,
            asked.chunker or known.get("chunker"),
            asked.context or known.get("context"),
        )

    # -- the run -------------------------------------------------------------------------------------

    def run(self, roots: Sequence[Root]) -> BuildReport:
        """Index the roots; see the module's text for what is durable when."""
        start = time.perf_counter()
        self._known_files = self._catalog.files()
        self._origins = self._catalog.document_origins()
        work, names = self._look(roots)
        self._present = names
        self._total_bytes = sum(found.size for _, found in work)
        self._progress.begin(self._total_bytes)
        if not self._plan:
            self._remember(roots)
            if self._index.model() is None:
                embedder = self._model()
                with self._catalog.transaction():
                    self._index.note_model(embedder, self._dims)
            if self._options.rebuild:
                discard(self._index.projections())
        with self._options.pool() as pool:
            for job, item in pool.load(self._jobs(work)):
                reading = self._readings[job.path]
                if item is None:
                    self._finish(reading)
                    del self._readings[job.path]
                else:
                    self._receive(reading, item)
        self._flush()
        self._remove_vanished(roots, names)
        if not self._plan:
            self._settle()
        self._report.chunks_total = self._catalog.chunk_count
        self._report.seconds = time.perf_counter() - start
        return self._report

    @contextmanager
    def _one_change(self) -> Iterator[None]:
        """One change of the catalogue, followed by everything derived from it; readers wait.

        Inside another one it is part of that.
        """
        if self._plan or self._generation:
            yield
            return
        with self._index.changing():
            with self._catalog.transaction():
                self._generation = self._catalog.begin_generation()
                try:
                    yield
                finally:
                    self._generation = 0
            bring_up_to_date(self._index.projections(), self._catalog, seal=False)

    def _cut(self, document: Document) -> list[Chunk]:
        embed = self._model().embed_documents if self._cutting.embeds else None
        return self._cutting.chunks(document, self._counter, embed)

    def _look(self, roots: Sequence[Root]) -> tuple[list[tuple[str, FoundFile]], set[str]]:
        """Files to read, and the names of all files that are there."""
        work: list[tuple[str, FoundFile]] = []
        names: set[str] = set()
        named = {root.path for root in roots}
        self._named = {self._index.name_of(path) for path in named}
        for root in roots:
            self._keep_if_empty(root)
        most = int(self._options.max_file_mb * 1_000_000)
        for name, found in survey(self._index, roots, most, self._options.means.loaders):
            if not is_nameable(name):
                self._report.fail(Failure(name, "bad-name", "its name is not valid UTF-8; rename it"))
            elif isinstance(found, SkippedFile):
                self._skip(name, found, named=found.path in named)
            else:
                names.add(name)
                if not self._is_unchanged(name, found):
                    work.append((name, found))
        return work, names

    def _keep_if_empty(self, root: Root) -> None:
        """An empty folder of which documents are known may be the place of a disk that is not mounted."""
        name = self._index.name_of(root.path)
        if self._options.prune or not root.path.is_dir() or any(root.path.iterdir()):
            return
        if any(lies_under(known, name) for known in self._known_files):
            self._shut.add(name)
            told = "is empty; its documents are kept in case a disk is missing, and --prune takes them out"
            self._report.fail(Failure(name, "missing", told))

    def _skip(self, name: str, found: SkippedFile, *, named: bool) -> None:
        """Count what is left out; a file that was named itself has failed.

        A file that was read before and cannot be now is not gone.
        """
        if found.reason == "unreadable" or named:
            self._shut.add(name)
            self._report.fail(Failure(name, found.reason, _SKIPS.get(found.reason, found.reason)))
        else:
            self._report.left_out.append((name, found.reason))

    def _is_unchanged(self, name: str, found: FoundFile) -> bool:
        """Compare with what is known, by size and time, else by content; repeat known failures."""
        known = self._known_files.get(name)
        if known is None or self._anew or known.recipe != self._recipe_of(name):
            return False
        errors = {error for error, *_ in known.failures}
        if "same-name" in errors or errors & _PASSING or self._options.may_help(errors):
            return False  # the other file may be gone; a password may be at hand now
        if (known.size, known.changed_ns) != (found.size, found.changed_ns):
            digest = _digest(found.path)
            if digest != known.sha256:
                return False
            if not self._plan:
                with self._catalog.transaction():
                    self._catalog.touch_file(_state(name, found, digest, known.recipe, known.failures))
        for error, message, *within in known.failures:
            self._cannot(Failure(within[0] if within else name, error, message), name)
        self._report.unchanged += len(self._catalog.documents_of(name))
        return True

    def _cannot(self, failure: Failure, file: str) -> None:
        """Note what cannot be taken of a file; what was named itself is never just left out."""
        reason = None if failure.path in self._named else reason_to_leave_out(failure, file)
        if reason:
            self._report.left_out.append((failure.path, reason))
        else:
            self._report.fail(failure)

    def _jobs(self, work: Sequence[tuple[str, FoundFile]]) -> Iterator[Job]:
        """The files to read, noted as begun when they are asked for."""
        for name, found in work:
            known = self._known_files.get(name)
            same = known is not None and known.recipe == self._recipe_of(name) and not self._anew
            self._readings[name] = _Reading(name, found, _digest(found.path), same_recipe=same)
            yield Job(found.path, name)

    def _receive(self, reading: _Reading, item: Document | Failure) -> None:
        """Take one item of a file into the waiting portion."""
        name = reading.name
        if isinstance(item, Failure):
            reading.failures.append(item)
            self._cannot(item, name)
            return
        owner, digest_before = self._origins.get(item.id, (name, ""))
        if owner != name and owner in self._present:
            told = f"{item.id} is also the name of {owner}; rename one"
            reading.failures.append(Failure(name, "same-name", told))
            self._cannot(reading.failures[-1], name)
            return
        reading.seen.add(item.id)
        if reading.same_recipe and digest_before == item.sha256 and self._is_in_place(item):
            self._report.unchanged += 1
        else:
            self._take(item, digest_before)

    def _finish(self, reading: _Reading) -> None:
        """Note what became of a file."""
        name, digest = reading.name, reading.digest
        errors = {failure.error for failure in reading.failures}
        if "unreadable" in errors or digest is None:
            # Nothing is known of it now; what was known may still be true.
            return
        told = tuple((f.error, f.message, *((f.path,) if f.path != name else ())) for f in reading.failures)
        known = self._known_files.get(name)
        if known is not None and known.sha256 == digest:
            # The content is as it was: what could be read of it then and not now (a password is not at
            # hand, a reader died) is still true.
            for failure in reading.failures:
                reading.seen.update(self._documents_under(name, failure))
        if _digest(reading.found.path) != digest:
            digest = ""  # written to while it was read: the next run must not take it for known
        state = _state(name, reading.found, digest, self._recipe_of(name), told)
        self._finished.append((state, reading.seen, reading.found.size))

    def _documents_under(self, name: str, failure: Failure) -> list[str]:
        """Documents of a file that come of what a failure of now is about."""
        if failure.error not in _MAY_PASS:
            return []
        ids = self._catalog.documents_of(name)
        return ids if failure.path == name else [each for each in ids if lies_under(each, failure.path)]

    def _recipe_of(self, name: str) -> str:
        """How a file becomes chunks: when that changes, it is read again."""
        loader = self._options.means.loaders.get(PurePosixPath(name).suffix.lower())
        return f"{self._recipe}:{loader}" if loader else self._recipe

    def _is_in_place(self, document: Document) -> bool:
        """Whether a document begins on the line where it began before: parts of a file move with those above them."""
        first = document.lines.at(0) if document.lines else None
        whole = document.record is None and document.path == document.file
        return whole or self._catalog.first_line(document.id) == first

    def _take(self, document: Document, digest_before: str) -> None:
        chunks = self._cut(document)
        self._origins[document.id] = (document.file, document.sha256)
        if not digest_before:
            self._report.added += 1
        elif digest_before == document.sha256 and self._catalog.chunk_ids(document.id) == {
            c.id for c in chunks
        }:
            self._report.unchanged += 1
        else:
            self._report.changed += 1
        if self._counter.coverage([document.text[:4000]])[0] < _READABLE:
            self._report.unread[document.language] += 1
        self._waiting.append((document, chunks))
        self._waiting_chunks += len(chunks)
        self._waiting_bytes += len(document.text)
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
        if self._finished:
            self._finished_bytes += sum(size for _, _, size in self._finished)
            self._begun_bytes = 0
        else:
            self._begun_bytes += self._waiting_bytes
        self._waiting, self._waiting_chunks, self._waiting_bytes, self._finished = [], 0, 0, []
        self._tell(0.0)

    def _tell(self, share: float) -> None:
        """Tell how far the work is, ``share`` of what waits being embedded."""
        done = self._finished_bytes + self._begun_bytes + int(share * self._waiting_bytes)
        # What lies packed in a file may be longer than the file: there is work left while some waits.
        most = self._total_bytes if not self._waiting else int(0.99 * self._total_bytes)
        self._progress.advance(min(done, most), self._report.embedded)

    def _change_over(self) -> None:
        generation = self._generation
        now = datetime.now(UTC).isoformat(timespec="seconds")
        for document, chunks in self._waiting:
            added, removed = self._catalog.put_document(document, chunks, now, generation)
            self._report.chunks_added += added
            self._report.chunks_removed += removed
        begun = {document.file for document, _ in self._waiting}
        for path in begun - {state.path for state, _, _ in self._finished}:
            # Its end comes with a later portion. Should that never come, the next run reads it again, or
            # finds it gone.
            self._catalog.touch_file(FileState(path, 0, -1, "", ""))
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
        self._report.tokens += sum(texts[content].tokens for content in missing)
        if self._plan:
            self._report.embedded += len(missing)
            return
        order = sorted(missing, key=lambda content: (-texts[content].tokens, content))
        for first in range(0, len(order), _DURABLE):
            batch = order[first : first + _DURABLE]
            vectors = self._model().embed_documents([texts[content].embedded_text for content in batch])
            self._catalog.put_vectors(batch, self._signature, vectors)
            self._report.embedded += len(batch)
            self._tell((first + len(batch)) / len(order))

    def _model(self) -> Embedder:
        """The model, loaded, and proved to make the vectors that the index holds."""
        embedder = self._loaded or self._index.embedder
        if not self._proved:
            self._index.prove(embedder)
            self._loaded, self._proved = embedder, True
        return embedder

    # -- afterwards ------------------------------------------------------------------------------------

    def _remove_vanished(self, roots: Sequence[Root], names: set[str]) -> None:
        """Take out files under the roots that are no longer there or no longer wanted."""
        gone = vanished(self._index, roots, self._known_files, names, self._shut)
        if not gone:
            return
        with self._one_change():
            for name in gone:
                self._report.removed += len(self._catalog.documents_of(name))
                if not self._plan:
                    self._report.chunks_removed += drop_file(self._catalog, name, self._generation)

    def _remember(self, roots: Sequence[Root]) -> None:
        """Keep what the next run takes over when it is not told otherwise."""
        remember(self._index, roots)
        if self._options.languages is not None:
            self._index.note_languages(self._options.languages)
        cutting = self._cutting
        for key, value in (
            ("chunk_size", str(cutting.size)),
            ("overlap", str(cutting.overlap)),
            ("chunker", cutting.chunker),
            ("context", ",".join(cutting.context) or NONE),
        ):
            if self._catalog.get(key) != value:
                with self._catalog.transaction():
                    self._catalog.put(key, value)

    def _settle(self) -> None:
        """Drop what nothing refers to any more, seal what is derived, and note when this was."""
        report = self._report
        changed = bool(report.added or report.changed or report.removed or self._options.rebuild)
        if changed:
            with self._catalog.transaction():
                self._catalog.put("updated", datetime.now(UTC).isoformat(timespec="seconds"))
                self._catalog.drop_idle_vectors()
            self._catalog.give_back(least=_WORTH_GIVING_BACK)
        with self._index.changing():
            bring_up_to_date(self._index.projections(), self._catalog)
        if changed:
            with self._catalog.transaction():
                self._catalog.forget_gone(self._catalog.generation)


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


def _digest(path: Path) -> str | None:
    """sha256 of a file; None when it cannot be read, or has become something else than a file."""
    try:
        # What has become a pipe meanwhile must not be waited for.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _NO_WAITING)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _state(
    name: str, found: FoundFile, digest: str, recipe: str, failures: tuple[tuple[str, ...], ...]
) -> FileState:
    racy = time.time_ns() - found.changed_ns < _RACY_NS
    # A time that no file has makes the next run compare contents.
    return FileState(name, found.size, -1 if racy else found.changed_ns, digest, recipe, failures)
