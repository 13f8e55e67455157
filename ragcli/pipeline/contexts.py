"""Contexts that an LLM writes of chunks: what is known is taken, what is missing asked for and kept.

Each is durable as soon as it came. The chunks that share a window of their document make a chain,
whose requests take turns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

from ragcli.answer.generate import Generator
from ragcli.answer.situate import (
    NOTE_TOKENS,
    PROMPT_VERSION,
    document_text,
    passage_text,
    situate_prompt,
    windows,
    write_note,
)
from ragcli.budget import TokenCounter, counter_for
from ragcli.catalog import Catalog
from ragcli.chunk import Cutting, reserve, situations, with_written
from ragcli.errors import ModelUnavailable, PartlyDone, RagError, UsageError
from ragcli.guard import Masking, find_secrets
from ragcli.pipeline.llm import open_llm
from ragcli.pipeline.turns import Reply, Request, Turns
from ragcli.service.prices import Price
from ragcli.settings import NONE, Settings
from ragcli.tokens import TokenCounter as ModelCounter
from ragcli.types import Chunk, Document

# Requests that fail one after another before it is the service that fails and not what it was sent.
_FAILURES = 3
# Stands in a plan for what is not written yet.
_PLANNED = "…"


@dataclass(slots=True)
class ContextReport:
    """What became of the contexts of a run's chunks; under ``--plan`` ``written`` are those to write.

    ``rejected`` came and cannot be used, ``missing`` did not come: their chunks are searched with
    their headings alone. Tokens are those the service counted, else an estimate; ``price`` is what
    a million of them cost, sent and received, as ``SENT/RECEIVED``.
    """

    written: int = 0
    known: int = 0
    rejected: int = 0
    missing: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    llm: str = ""
    failure: str = ""
    price: str | None = None

    @property
    def cost(self) -> float | None:
        """What the tokens cost; None without a price."""
        return self.cost_of(self.tokens_in, self.tokens_out)

    def cost_of(self, sent: int, received: int) -> float | None:
        """What so many tokens cost; None without a price."""
        price = Price.read(self.price)
        return None if price is None else price.of({"prompt_tokens": sent, "completion_tokens": received})

    @property
    def any(self) -> bool:
        """Whether there was any chunk to write of."""
        return bool(self.written or self.known or self.rejected or self.missing)


@dataclass(frozen=True, slots=True)
class Situated:
    """A document's chunks with what is written of them.

    ``failed`` says that the service refused some, which are as they were cut; ``whole`` is False
    where the work ended before all were asked for.
    """

    chunks: list[Chunk]
    failed: bool
    whole: bool


class _Told:
    """A document as an LLM is shown it: as it is, or with placeholders for its secrets."""

    def __init__(self, document: Document, *, mask: bool) -> None:
        self._text = document.text
        self._masking = Masking() if mask else None
        self._secrets = find_secrets(document.text) if mask else []
        if self._masking is not None:
            self._masking.learn(document.text, self._secrets)

    def part(self, start: int, end: int) -> str:
        """A span of the text."""
        if self._masking is None:
            return self._text[start:end]
        return self._masking.mask_part(self._text, start, end, self._secrets)

    def words(self, text: str) -> str:
        """Something that goes along, as a title."""
        return text if self._masking is None else self._masking.mask(text)


class ContextWriter:
    """Has an LLM write of chunks where they belong; one for each run.

    ``others`` says that what another LLM or prompt wrote is as good, ``mask`` that documents are
    shown without their secrets. Nothing is asked for that would send and bring more tokens than
    ``affords`` allows.
    """

    def __init__(
        self,
        catalog: Catalog,
        settings: Settings,
        cutting: Cutting,
        counter: ModelCounter,
        report: ContextReport,
        *,
        others: bool,
        mask: bool = False,
        affords: Callable[[int, int], bool] = lambda _sent, _received: True,
        plan: bool = False,
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        self._catalog = catalog
        self._settings = settings
        self._cutting = cutting
        self._counter = counter
        self._report = report
        # Where there is nobody to write anew, what there is will do.
        self._others = others or settings.llm == NONE
        self._mask = mask
        self._affords = affords
        self._plan = plan
        self._tell = tell
        self._writer = _name(settings.llm)
        self._least = 0  # tokens of the request that was last asked for
        self._row = 0  # requests that failed since one did not
        report.llm = settings.llm
        report.price = settings.llm_price

    def situate(
        self, documents: Sequence[tuple[Document, list[Chunk]]]
    ) -> tuple[list[Situated], RagError | None]:
        """Each document's chunks with their contexts, and what ended the work before it was done."""
        keys = [situations(document.title, chunks) for document, chunks in documents]
        every = [key for own in keys for key in own]
        # What this very run wrote is by this writer.
        known = self._catalog.contexts.known(every, self._writer, others=self._others)
        self._report.known += sum(key in known for key in every)
        missing = {key for key in every if key not in known}
        failed: set[str] = set()
        stopped: RagError | None = None
        if missing and self._plan:
            self._reckon(documents, keys, missing)
            known |= dict.fromkeys(missing, _PLANNED)
        elif missing:
            stopped = self._ask(documents, keys, missing, known, failed)
        found = []
        for (_, chunks), own in zip(documents, keys, strict=True):
            told = _placed(chunks, own, known, self._counter, self._cutting.size)
            if self._plan:
                told = [self._reserved(chunk) for chunk in told]
            left = set(own) - known.keys()
            found.append(Situated(told, bool(left & failed), left <= failed))
        return found, stopped

    def _reserved(self, chunk: Chunk) -> Chunk:
        """A chunk with the tokens it may have once its context is written."""
        if chunk.written != _PLANNED:
            return chunk
        size = self._cutting.size
        return replace(chunk, tokens=min(size, chunk.tokens + reserve(size)))

    # -- asking ----------------------------------------------------------------------------------------

    def _ask(
        self,
        documents: Sequence[tuple[Document, list[Chunk]]],
        keys: Sequence[Sequence[str]],
        missing: set[str],
        known: dict[str, str],
        failed: set[str],
    ) -> RagError | None:
        """Have what is missing written, into ``known``; what was refused goes into ``failed``."""
        if not self._affords(0, 0):
            return self._exhausted()
        counter = self._prompt_counter()
        try:
            generator = self._generator()
        except RagError as error:
            return error
        sent = [0, 0]  # tokens of the requests that were answered: as reckoned, as counted
        failure: Exception | None = None
        work = Turns(
            list(self._chains(documents, keys, missing, counter)),
            lambda: _worker(copy(generator), counter),
            self._settings.context_concurrency,
            lambda requests: self._pays_for(requests, sent),
        )
        for request, reply in work:
            if reply.error is not None and not isinstance(reply.error, ModelUnavailable):
                raise reply.error
            self._report.tokens_in += reply.tokens_in
            self._report.tokens_out += reply.tokens_out
            if reply.error is None:
                sent[0] += request.tokens
                sent[1] += reply.tokens_in
                self._row = 0
                self._keep(request.situation, reply.note, known)
                self._tell()
            else:
                self._row += 1
                failed.add(request.situation)
                self._report.failure = str(reply.error)
                if self._row >= _FAILURES or not self._report.written + self._report.rejected:
                    failure = failure or reply.error
                    work.stop()
        if failure is not None:
            failed.clear()  # it was not what they were sent
        self._report.missing += len(failed)
        if not missing - known.keys() - failed:
            return None
        return self._exhausted() if failure is None else self._unavailable(failure)

    def _pays_for(self, requests: Sequence[Request], sent: Sequence[int]) -> bool:
        """Whether the budget suffices for requests, reckoned as those before turned out to be."""
        reckoned, counted = sent
        share = counted / reckoned if reckoned else 1.0
        tokens = math.ceil(share * sum(request.tokens for request in requests))
        self._least = tokens + NOTE_TOKENS
        return self._affords(tokens, NOTE_TOKENS * len(requests))

    def _keep(self, situation: str, note: str | None, known: dict[str, str]) -> None:
        self._catalog.contexts.put(situation, self._writer, note or "")
        known[situation] = note or ""
        if note:
            self._report.written += 1
        else:
            self._report.rejected += 1

    def _exhausted(self) -> PartlyDone:
        if self._report.written + self._report.rejected == 0 and self._least:
            return PartlyDone(
                f"the budget does not suffice for one context, which takes about {self._least} tokens; "
                f"raise --max-tokens or --max-cost"
            )
        return PartlyDone(f"the budget is spent: {self._kept()}; the same command carries on")

    def _unavailable(self, error: Exception) -> ModelUnavailable:
        return ModelUnavailable(f"{error}; {self._kept()}, and the same command carries on")

    def _kept(self) -> str:
        count = self._report.written + self._report.rejected
        return (
            f"{count} contexts were written and are kept"
            if count != 1
            else "1 context was written and is kept"
        )

    def _generator(self) -> Generator:
        found = open_llm(self._settings)
        if found is None:
            raise UsageError(
                "chunks lack a context that an LLM is to write, and none is set; name one with --llm, or say "
                "`rag index --context headings`"
            )
        return found

    def _prompt_counter(self) -> TokenCounter:
        ranks = self._settings.tiktoken_ranks
        llm = None if self._settings.llm == NONE else self._settings.llm
        return counter_for(llm, ranks=Path(ranks) if ranks else None)

    def _chains(
        self,
        documents: Sequence[tuple[Document, list[Chunk]]],
        keys: Sequence[Sequence[str]],
        missing: set[str],
        counter: TokenCounter,
    ) -> Iterator[list[Request]]:
        """What is to be asked for, those of one window together; each situation once."""
        asked: set[str] = set()
        for (document, chunks), own in zip(documents, keys, strict=True):
            if not missing.intersection(own):
                continue
            told = _Told(document, mask=self._mask)
            # In characters, as many as the tokens of this very text allow.
            share = len(document.text) / max(1, counter.count(document.text))
            most = max(1, int(self._settings.context_window * share))
            shown = windows(len(document.text), [(chunk.start, chunk.end) for chunk in chunks], most)
            chain: list[Request] = []
            before = None
            for chunk, key, window in zip(chunks, own, shown, strict=True):
                if key not in missing or key in asked:
                    continue
                asked.add(key)
                if window != before:
                    if chain:
                        yield chain
                    chain, before = [], window
                    system = document_text(
                        told.words(document.title), told.part, len(document.text), window, most
                    )
                    system_tokens = counter.count(system)
                heading = [told.words(part) for part in chunk.heading]
                passage = passage_text(heading, told.part(chunk.start, chunk.end))
                chain.append(Request(key, system, passage, system_tokens + counter.count(passage)))
            if chain:
                yield chain

    def _reckon(
        self,
        documents: Sequence[tuple[Document, list[Chunk]]],
        keys: Sequence[Sequence[str]],
        missing: set[str],
    ) -> None:
        """What it would take to write what is missing."""
        for chain in self._chains(documents, keys, missing, self._prompt_counter()):
            self._report.written += len(chain)
            self._report.tokens_in += sum(request.tokens for request in chain)
            self._report.tokens_out += NOTE_TOKENS * len(chain)


def take_known(
    catalog: Catalog,
    llm: str,
    cutting: Cutting,
    counter: ModelCounter,
    document: Document,
    chunks: list[Chunk],
) -> list[Chunk]:
    """The chunks of a document with what the catalogue holds of them; nobody is asked."""
    keys = situations(document.title, chunks)
    known = catalog.contexts.known(keys, _name(llm), others=True)
    return _placed(chunks, keys, known, counter, cutting.size)


def _placed(
    chunks: Sequence[Chunk], keys: Sequence[str], known: Mapping[str, str], counter: ModelCounter, size: int
) -> list[Chunk]:
    return [
        with_written(replace(chunk, situation=key), known.get(key, ""), counter, size)
        for chunk, key in zip(chunks, keys, strict=True)
    ]


def _name(llm: str) -> str:
    """Who writes: the prompt and the LLM."""
    return f"{PROMPT_VERSION}:{llm}"


def _worker(generator: Generator, counter: TokenCounter) -> Callable[[Request], Reply]:
    """What one thread asks with: a generator of its own, as that knows only of its last stream."""

    def ask(request: Request) -> Reply:
        prompt = situate_prompt(request.document, request.passage, counter)
        try:
            note = write_note(generator, prompt)
        except ModelUnavailable as error:
            return Reply(error=error)
        usage = generator.usage
        out = usage.get("completion_tokens", counter.count(note or ""))
        return Reply(note, int(usage.get("prompt_tokens", prompt.tokens)), int(out))

    return ask
