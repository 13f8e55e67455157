"""Files into the index: what changed is read, cut, embedded and stored; what vanished leaves.

Work is done in portions: while one is embedded, the next is read and cut, and the one before
changes over. Where an LLM writes contexts, each is durable as soon as it came. The vectors of a
portion are durable as soon as a batch is embedded; its documents change over in one transaction
once all their vectors are there. Whatever stops the work, the index answers from the last portion,
and the same command carries on after it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ragcli.catalog import Catalog, FileState
from ragcli.chunk import CHUNKER_VERSION, Cutting, settle
from ragcli.embed import is_service
from ragcli.errors import RagError, UsageError
from ragcli.guard import MASK_VERSION, Masking, find_secrets
from ragcli.load import LOADER_VERSION, FoundFile, Job, SkippedFile
from ragcli.pipeline.choice import ModelChoice
from ragcli.pipeline.contexts import ContextReport, ContextWriter
from ragcli.pipeline.freshness import file_digest
from ragcli.pipeline.index import IMPORTED, Index
from ragcli.pipeline.model import terms_of
from ragcli.pipeline.report import BuildOptions, BuildReport, Progress, reason_to_leave_out
from ragcli.pipeline.survey import Root, is_nameable, lies_under, remember, survey, vanished
from ragcli.pipeline.vectorize import Cut, Portion, Vectorizing
from ragcli.pipeline.vetting import flag_all, flags_of, holding_secrets, masked
from ragcli.settings import NONE
from ragcli.store import bring_up_to_date, discard
from ragcli.types import Chunk, Document, Failure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Chunks whose documents change over together: enough to sort by length, few enough to lose.
_PORTION = 1024
# A file written this shortly before it was read may be written again within the same tick.
_RACY_NS = 2_000_000_000
# Empty space in the catalogue's file that is returned to the disk at the end of a run, in bytes.
_WORTH_GIVING_BACK = 4_000_000
# Written contexts beyond the number of chunks that are kept for texts that may come back.
_IDLE_CONTEXTS = 1000
# Failures that say as much of the machine as of the file.
_PASSING = frozenset({"timeout", "crashed", "loader-failed"})
# Failures for want of a means: the same content was read with it, or may be.
_MAY_PASS = _PASSING | {"encrypted", "no-text", "too-large"}
# Tokens after which the time of a run tells how fast the model is.
_MEASURED = 2000
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
    """One run of ``rag index`` over an index whose writer lock is held.

    Where ``hand_in`` is given, texts that have no vector are put there instead of being embedded.
    ``before`` is called once, where a first text is about to be embedded.
    """

    def __init__(
        self,
        index: Index,
        choice: ModelChoice,
        options: BuildOptions,
        progress: Progress,
        *,
        plan: bool = False,
        hand_in: dict[str, str] | None = None,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._index = index
        self._catalog: Catalog = index.catalog
        self._options = options
        self._progress = progress
        self._plan = plan
        self._generation = 0
        self._report = BuildReport(model=choice.spec, service=is_service(choice.spec))
        # A service waits for nothing while documents change over: that is done less often.
        self._portion = _PORTION * (4 if self._report.service else 1)
        self._total_bytes = 0  # of files to read
        self._finished_bytes = 0  # of files that are done
        self._begun_bytes = 0  # about, of the file that was begun before the portions under way
        self._told = 0  # the most of them that was told to be done
        self._waiting_bytes = 0  # about, of the documents that wait
        self._waiting: list[Cut] = []
        self._under_way: deque[Portion] = deque()
        self._unfinished: set[str] = set()  # files of which documents had to be left
        self._waiting_chunks = 0
        self._finished: list[tuple[FileState, set[str], int]] = []
        self._readings: dict[str, _Reading] = {}
        self._again: set[str] = set()  # files of which a chunk lacks what an LLM would not write now
        self._shut: set[str] = set()  # what is there, or may be, and could not be looked at
        self._named: set[str] = set()
        self._present: set[str] = set()
        self._known_files: dict[str, FileState] = {}
        self._origins: dict[str, tuple[str, str]] = {}
        self._spec = choice.spec
        self._signature = choice.signature
        self._dims = choice.dims
        self._counter = choice.counter
        self._vectors = Vectorizing(
            index,
            choice,
            self._report,
            options.cap,
            plan=plan,
            hand_in=hand_in,
            before=before,
            tell=self._tell,
        )
        note = index.model()
        # Only a plan is made over an edition of another model.
        self._anew = options.rebuild or (note is not None and note.signature != choice.signature)
        self._cutting = self._settle_cutting(choice.max_tokens)
        # When it differs from the one a file was read with, the file is read again.
        self._recipe = f"{LOADER_VERSION}.{CHUNKER_VERSION}:{self._cutting}:{self._spec}"
        known = self._catalog.get("mask_secrets") == "1"
        self._masks = known if options.mask_secrets is None else options.mask_secrets
        if self._masks:
            self._recipe += f":masked{MASK_VERSION}"
        self._report.masked = self._masks
        self._writer = self._context_writer() if self._cutting.awaits else None
        self._check_prices()

    def _context_writer(self) -> ContextWriter:
        self._report.contexts = ContextReport()
        return ContextWriter(
            self._catalog, self._index.settings, self._cutting, self._counter, self._report.contexts,
            others=not self._options.rebuild, mask=self._masks, affords=self._vectors.affords, plan=self._plan,
            tell=self._tell,
        )  # fmt: skip

    def _check_prices(self) -> None:
        """Raise ``UsageError`` where a cost is capped and what the run would pay for has no price."""
        settings, price = self._index.settings, self._options.cap.price
        if self._options.cap.cost is None:
            return
        if self._report.service and price is None:
            raise UsageError("--max-cost needs a price; set embed_price, what a million tokens cost")
        if self._writer is not None and settings.llm != NONE and settings.llm_price is None:
            raise UsageError("--max-cost needs the LLM's price; set llm_price, as in 0.15/0.60")

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
            flag_all(self._catalog)
            if self._index.model() is None:
                embedder = self._vectors.model()
                with self._catalog.transaction():
                    self._index.note_model(embedder, self._dims)
            if self._options.rebuild:
                discard(self._index.projections())
            if work:
                self._note_unfinished(self._named | set(self._catalog.unfinished()))
        try:
            self._read(work)
        except BaseException:
            with suppress(Exception):
                self._vectors.keep_made()
            raise
        finally:
            self._vectors.close()
        self._remove_vanished(roots, names)
        if not self._plan:
            self._settle()
            if not self._unfinished:
                done = [self._index.under(name) for name in self._named]
                left = self._catalog.unfinished()
                self._note_unfinished({root for root in left if all(lies(root) is None for lies in done)})
        self._estimate()
        self._report.chunks_total = self._catalog.chunk_count
        self._report.seconds = time.perf_counter() - start
        return self._report

    def _read(self, work: Sequence[tuple[str, FoundFile]]) -> None:
        """Bring what the files hold into the index, portion by portion."""
        with self._options.pool() as pool:
            for job, item in pool.load(self._jobs(work), meanwhile=self._vectors.keep_made):
                reading = self._readings[job.path]
                if item is None:
                    self._finish(reading)
                    del self._readings[job.path]
                else:
                    self._receive(reading, item)
                    self._vectors.keep_made()
        self._flush()
        while self._under_way:
            self._land()

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
        embed = self._embed_pieces if self._cutting.embeds else None
        return self._cutting.chunks(document, self._counter, embed)

    def _embed_pieces(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._vectors.embed([Masking().mask(text) for text in texts] if self._masks else texts)

    def _vetted(self, cut: Cut) -> Cut:
        """A document with its chunks as they are to be embedded, and what a reader of them must know."""
        document, chunks = cut.document, cut.chunks
        flags = flags_of(document.text, f"{document.title}\n{document.path}", chunks)
        self._report.flagged += len(flags)
        secrets = find_secrets(document.text)
        self._report.secrets += len(holding_secrets(chunks, secrets))
        if self._masks:
            chunks = [masked(chunk, document.text, secrets) for chunk in chunks]
        return replace(cut, chunks=chunks, flags=flags)

    def _look(self, roots: Sequence[Root]) -> tuple[list[tuple[str, FoundFile]], set[str]]:
        """Files to read, and the names of all files that are there."""
        work: list[tuple[str, FoundFile]] = []
        names: set[str] = set()
        named = {root.path for root in roots}
        self._named = {self._index.name_of(path) for path in named}
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
        if not self._options.prune:
            for root in roots:
                self._keep_if_missing(root, names)
        return work, names

    def _keep_if_missing(self, root: Root, names: set[str]) -> None:
        """A folder without anything to read, of which documents are known, may be a disk that is not mounted.

        And one that has other files than an index was imported with may be another folder.
        """
        name = self._index.name_of(root.path)
        within = self._index.under(name)
        known = None
        for known in filter(lambda each: within(each) is not None, self._known_files):
            if known in names or self._index.file_of(known).exists():
                return  # mostly the first
        if known is None or not root.path.is_dir():
            return
        elsewhere = any(within(each) is not None for each in names)
        if elsewhere and self._catalog.get(IMPORTED) != "1":
            return
        self._shut.add(name)
        told = (
            "has none of the files that this index was imported with" if elsewhere else "has nothing to read"
        )
        kept = "its documents are kept in case a disk is missing, and --prune takes them out"
        self._report.fail(Failure(name, "missing", f"{told}; {kept}"))

    def _skip(self, name: str, found: SkippedFile, *, named: bool) -> None:
        """Count what is left out; a file that was named itself has failed.

        A file that was read before and cannot be now is not gone.
        """
        if found.reason == "unreadable" or named:
            self._shut.add(name)
            told = _SKIPS.get(found.reason, found.reason)
            if found.path.is_symlink() and not found.path.exists():
                told = "is a link that leads nowhere"
            self._report.fail(Failure(name, found.reason, told))
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
            digest = file_digest(found.path)
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
            self._readings[name] = _Reading(name, found, file_digest(found.path), same_recipe=same)
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
        if file_digest(reading.found.path) != digest:
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
        if self._counter.coverage([document.text[:4000]])[0] < _READABLE:
            self._report.unread[document.language] += 1
        self._waiting.append(Cut(document, chunks, digest_before))
        self._waiting_chunks += len(chunks)
        self._waiting_bytes += len(document.text)
        # The first portion is small: until it is there, nothing is embedded.
        first = not self._under_way and not self._finished_bytes and not self._begun_bytes
        if self._waiting_chunks >= (self._portion // 4 if first else self._portion):
            self._flush()

    # -- embedding and changing over -----------------------------------------------------------------

    def _flush(self) -> None:
        """Have what waits embedded, and meanwhile change over what was begun before it.

        Where an LLM or a service fails in the middle of it, that is done with the documents that are
        whole, and the failure raised.
        """
        if not self._waiting and not self._finished:
            return
        portion = Portion(self._waiting, self._finished, self._waiting_bytes)
        self._waiting, self._waiting_chunks, self._waiting_bytes, self._finished = [], 0, 0, []
        self._under_way.append(portion)
        stopped = self._situate(self._writer, portion) if self._writer is not None else None
        portion.cuts = [self._vetted(cut) for cut in portion.cuts]
        self._unfinished |= self._vectors.begin(portion, self._under_way)
        last = 1 if portion.awaited and stopped is None else 0
        while len(self._under_way) > last:
            self._land()
        if self._vectors.failure is not None:
            raise self._vectors.failure
        if stopped is not None:
            raise stopped

    def _land(self) -> None:
        """Wait for the vectors of the first portion under way, and change its documents over."""
        portion = self._under_way[0]
        while portion.awaited:
            self._vectors.keep_made(wait=True)
        for cut in portion.cuts:
            self._count(cut)
        with self._one_change():
            if not self._plan:
                self._change_over(portion)
        if portion.finished:
            self._finished_bytes += sum(size for _, _, size in portion.finished)
            done = {state.path for state, _, _ in portion.finished}
            self._begun_bytes = sum(len(c.document.text) for c in portion.cuts if c.document.file not in done)
        else:
            self._begun_bytes += portion.bytes
        self._under_way.popleft()
        self._tell()

    def _situate(self, writer: ContextWriter, portion: Portion) -> RagError | None:
        """Have an LLM write of a portion's chunks; documents that are not whole then leave it."""
        found, stopped = writer.situate([(cut.document, cut.chunks) for cut in portion.cuts])
        pairs = list(zip(portion.cuts, found, strict=True))
        self._again |= {cut.document.file for cut, told in pairs if told.failed}
        self._unfinished |= {cut.document.file for cut, told in pairs if not told.whole}
        portion.cuts = [replace(cut, chunks=told.chunks) for cut, told in pairs if told.whole]
        return stopped

    def _count(self, cut: Cut) -> None:
        """Count a document as what it is to the index."""
        document = cut.document
        if not cut.known:
            self._report.added += 1
        elif cut.known == document.sha256 and self._catalog.chunk_ids(document.id) == {
            chunk.id for chunk in cut.chunks
        }:
            self._report.unchanged += 1
        else:
            self._report.changed += 1

    def _tell(self) -> None:
        """Tell how far the work is: files that are done, and of those under way the share of tokens embedded."""
        done = self._finished_bytes + self._begun_bytes
        done += sum(int(part.bytes * part.embedded / part.tokens) for part in self._under_way if part.tokens)
        # What lies packed in a file may be longer than the file: there is work left while some waits.
        left = self._under_way or self._waiting
        most = int(0.99 * self._total_bytes) if left else self._total_bytes
        written = self._report.contexts.written if self._report.contexts else 0
        # Texts may be longer than their file, too: what was told before is not taken back.
        self._told = max(self._told, min(done, most))
        self._progress.advance(self._told, self._report.embedded, written)

    def _change_over(self, portion: Portion) -> None:
        generation = self._generation
        now = datetime.now(UTC).isoformat(timespec="seconds")
        for cut in portion.cuts:
            added, removed = self._catalog.put_document(cut.document, cut.chunks, now, generation)
            self._catalog.put_flags(cut.document.id, cut.flags)
            self._report.chunks_added += added
            self._report.chunks_removed += removed
        begun = {cut.document.file for cut in portion.cuts} | self._unfinished
        for path in begun - ({state.path for state, _, _ in portion.finished} - self._unfinished):
            # Its end comes with a later portion. Should that never come, the next run reads it again, or
            # finds it gone.
            self._catalog.touch_file(FileState(path, 0, -1, "", ""))
        for state, seen, _ in portion.finished:
            if state.path in self._unfinished:
                continue
            for document_id in self._catalog.documents_of(state.path):
                if document_id not in seen:
                    self._report.chunks_removed += self._catalog.drop_document(document_id, generation)
                    self._report.removed += 1
            again = state.path in self._again
            self._catalog.touch_file(replace(state, recipe=f"{state.recipe}:again") if again else state)

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

    def _estimate(self) -> None:
        """Tell, or foretell, what the embedding costs and how long it takes."""
        report, cap, settings = self._report, self._options.cap, self._index.settings
        tokens = report.tokens if self._plan else report.spent
        report.cost = cap.cost_of(tokens) if report.service else 0.0
        if not self._plan:
            if report.tokens >= _MEASURED and self._vectors.seconds:
                rate = f"{report.tokens / self._vectors.seconds:.1f} {self._signature}"
                with self._catalog.transaction():
                    self._catalog.put("embed_rate", rate)
            if report.embedded:
                self._note_runtime()
            return
        terms = terms_of(settings)
        if report.service and (terms.rpm or terms.tpm):
            requests = max(report.embedded / terms.batch, report.tokens / terms.batch_tokens)
            waits = (requests / terms.rpm if terms.rpm else 0.0, tokens / terms.tpm if terms.tpm else 0.0)
            report.minutes = max(waits)
            return
        rate, _, signature = (self._catalog.get("embed_rate") or "").partition(" ")
        if signature == self._signature and rate:
            report.minutes = tokens / float(rate) / 60

    def _note_runtime(self) -> None:
        """Remember what ran the model, and tell why it is not the fastest way, once for each."""
        report, known = self._report, self._catalog.get("runtime")
        report.runtime, doubt = self._vectors.runtime
        if report.runtime != (known or ""):
            report.doubt = doubt
            with self._catalog.transaction():
                self._catalog.put("runtime", report.runtime)

    def _remember(self, roots: Sequence[Root]) -> None:
        """Keep what the next run takes over when it is not told otherwise."""
        remember(self._index, roots)
        if self._catalog.get(IMPORTED) == "1" and not self._present.isdisjoint(self._known_files):
            with self._catalog.transaction():
                self._catalog.put(IMPORTED, "0")
        if self._options.languages is not None:
            self._index.note_languages(self._options.languages)
        cutting = self._cutting
        for key, value in (
            ("chunk_size", str(cutting.size)),
            ("overlap", str(cutting.overlap)),
            ("chunker", cutting.chunker),
            ("context", ",".join(cutting.context) or NONE),
            ("mask_secrets", str(int(self._masks))),
        ):
            if self._catalog.get(key) != value:
                with self._catalog.transaction():
                    self._catalog.put(key, value)

    def _note_unfinished(self, roots: set[str]) -> None:
        """Remember roots of which not everything may have been read, should this run be stopped."""
        if sorted(roots) != self._catalog.unfinished():
            with self._catalog.transaction():
                self._catalog.put_unfinished(roots)

    def _settle(self) -> None:
        """Drop what nothing refers to any more, seal what is derived, and note when this was."""
        report = self._report
        changed = bool(report.added or report.changed or report.removed or self._options.rebuild)
        if changed:
            with self._catalog.transaction():
                self._catalog.put("updated", datetime.now(UTC).isoformat(timespec="seconds"))
                if not self._report.left.texts:
                    self._catalog.drop_idle_vectors()
                self._catalog.contexts.drop_idle(most=self._catalog.chunk_count + _IDLE_CONTEXTS)
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


def _state(
    name: str, found: FoundFile, digest: str, recipe: str, failures: tuple[tuple[str, ...], ...]
) -> FileState:
    racy = time.time_ns() - found.changed_ns < _RACY_NS
    # A time that no file has makes the next run compare contents.
    return FileState(name, found.size, -1 if racy else found.changed_ns, digest, recipe, failures)
