"""Vectors for what is about to change over: by the model in a thread of its own, or by a service.

A vector is durable as soon as its batch is embedded, by content and model, whatever becomes of the
document it was made for. What a run may cost is watched here, where it is spent.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragcli.catalog import FileState, content_hash
from ragcli.embed import Embedder, ServiceEmbedder
from ragcli.errors import ModelUnavailable
from ragcli.guard import Flag
from ragcli.pipeline.choice import ModelChoice
from ragcli.pipeline.index import Index
from ragcli.pipeline.report import BuildReport, TokenCap
from ragcli.pipeline.stage import EmbeddingStage
from ragcli.types import Chunk, Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

# Texts embedded between two times the vectors are made durable.
_DURABLE = 128


@dataclass(frozen=True, slots=True)
class Cut:
    """A document that waits to be changed over, its chunks, the sha256 it was known with, and its chunks' flags."""

    document: Document
    chunks: list[Chunk]
    known: str
    flags: Mapping[str, tuple[Flag, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class Portion:
    """Documents that change over together, the files that end with them, and what is awaited for them.

    ``bytes`` is about what they take of their files. ``awaited`` are the contents being embedded.
    """

    cuts: list[Cut]
    finished: list[tuple[FileState, set[str], int]]
    bytes: int
    awaited: set[str] = field(default_factory=set)
    tokens: int = 0  # to embed
    embedded: int = 0  # of those tokens

    @property
    def chunks(self) -> list[Chunk]:
        return [chunk for cut in self.cuts for chunk in cut.chunks]


class Vectorizing:
    """Gives the chunks of portions their vectors, of one run whose ``report`` it fills.

    Where ``hand_in`` is given, texts that have no vector are put there instead of being embedded.
    ``before`` is called once, where a first text is about to be embedded; ``tell`` whenever some were.
    ``failure`` is what a service failed with, ``seconds`` is the time that embedding took.
    """

    def __init__(
        self,
        index: Index,
        choice: ModelChoice,
        report: BuildReport,
        cap: TokenCap,
        *,
        plan: bool,
        hand_in: dict[str, str] | None,
        before: Callable[[], None],
        tell: Callable[[], None],
    ) -> None:
        self._index = index
        self._catalog = index.catalog
        self._report = report
        self._cap = cap
        self._plan = plan
        self._hand_in = hand_in
        self._before = before
        self._tell = tell
        self._signature = choice.signature
        self._loaded = choice.embedder
        self._proved = False
        self._handed = 0  # tokens
        self._batches: deque[tuple[Portion, list[Chunk]]] = deque()  # given to the stage
        self._stage = EmbeddingStage(self._embed)
        self.failure: ModelUnavailable | None = None
        self.seconds = 0.0

    def close(self) -> None:
        """Embed nothing more."""
        self._stage.close()

    @property
    def runtime(self) -> tuple[str, str]:
        """What ran the model, and why that is not the fastest way, where it is not."""
        return getattr(self._loaded, "runtime", ""), getattr(self._loaded, "doubt", "")

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts that are needed at once and not kept."""
        self.model()
        return self._stage.embed(texts)

    def begin(self, portion: Portion, under_way: Iterable[Portion]) -> set[str]:
        """Make sure that every chunk gets its vector, in batches of like length, each durable at once.

        A service is asked here and now; documents whose texts have no vectors then, as the budget ran
        out or the service failed, leave the portion, and in the second case ``failure`` is set; the files
        of those are returned. ``under_way`` are the portions before it.
        """
        every = portion.chunks
        texts = {content_hash(chunk.sent_text): chunk for chunk in every}
        missing = self._catalog.missing_vectors(texts, self._signature)
        for other in under_way:
            missing -= other.awaited
        self._report.cached += len(every) - len(missing)  # equal texts are embedded once
        wanted = [content for content in texts if content in missing]
        if self._plan:
            self._report.tokens += sum(texts[content].tokens for content in wanted)
            self._report.embedded += len(missing)
            return set()
        wanted = self._affordable(wanted, texts)
        order = sorted(wanted, key=lambda content: (-texts[content].tokens, content))
        portion.tokens = sum(texts[content].tokens for content in order)
        if self._hand_in is not None:
            self._hand_in.update((content, texts[content].sent_text) for content in order)
            self._handed += portion.tokens
        elif order:
            chunks = [texts[content] for content in order]
            model = self.model()
            if isinstance(model, ServiceEmbedder):
                missing -= self._stream(model, portion, chunks)
            else:
                missing.clear()
                portion.awaited = set(order)
                for first in range(0, len(order), _DURABLE):
                    batch = chunks[first : first + _DURABLE]
                    self._batches.append((portion, batch))
                    self._stage.put([chunk.sent_text for chunk in batch])
        return self._leave(portion, missing)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, by the model that was proved; called by the stage's thread."""
        if self._loaded is None:
            raise RuntimeError("no model is loaded")
        return self._loaded.embed_documents(texts)

    def keep_made(self, *, wait: bool = False) -> None:
        """Make durable what the stage has embedded by now, and at least one batch where it is waited for."""
        while self._batches and (made := self._stage.take(wait=wait)) is not None:
            wait = False
            portion, batch = self._batches.popleft()
            self._keep(portion, batch, made.vectors)
            self._report.spent = self._report.tokens
            self.seconds += made.seconds

    def _keep(self, portion: Portion, chunks: Sequence[Chunk], vectors: Vectors) -> list[str]:
        """Make vectors of some of a portion's chunks durable; what they are vectors of."""
        contents = [content_hash(chunk.sent_text) for chunk in chunks]
        self._catalog.put_vectors(contents, self._signature, vectors)
        tokens = sum(chunk.tokens for chunk in chunks)
        portion.awaited.difference_update(contents)
        portion.embedded += tokens
        self._report.embedded += len(contents)
        self._report.tokens += tokens
        self._tell()
        return contents

    def _stream(self, model: ServiceEmbedder, portion: Portion, chunks: Sequence[Chunk]) -> set[str]:
        """Have a service embed the chunks; what has its vector now. Its failure is raised later."""
        done: set[str] = set()

        def keep(positions: Sequence[int], vectors: Vectors) -> None:
            done.update(self._keep(portion, [chunks[position] for position in positions], vectors))

        start = time.perf_counter()
        before = model.spent, model.in_parts
        try:
            model.stream([chunk.sent_text for chunk in chunks], [chunk.tokens for chunk in chunks], keep)
        except ModelUnavailable as error:
            self.failure = error
        finally:
            self._report.spent += model.spent - before[0]
            self._report.in_parts += model.in_parts - before[1]
            self.seconds += time.perf_counter() - start
        return done

    def _affordable(self, contents: list[str], texts: Mapping[str, Chunk]) -> list[str]:
        """The first of the texts for which the budget suffices; once it does not, none any more."""
        if not self._report.service:
            return contents
        if self._report.left.texts:
            return []
        left = self._cap.left(*self._spent())
        for number, content in enumerate(contents):
            left -= texts[content].tokens
            if left < 0:
                return contents[:number]
        return contents

    def _spent(self) -> tuple[int, float]:
        """Tokens that services were sent and sent, and what they cost as far as that is known."""
        report = self._report
        tokens = max(report.spent, report.tokens) + self._handed if report.service else 0
        cost = self._cap.cost_of(tokens) or 0.0
        if report.contexts is not None:
            tokens += report.contexts.tokens_in + report.contexts.tokens_out
            cost += report.contexts.cost or 0.0
        return tokens, cost

    def affords(self, sent: int, received: int) -> bool:
        """Whether an LLM may be sent and send so much; what has no vector has no use for a context."""
        if self._report.left.texts or self._report.contexts is None:
            return False
        tokens, cost = self._spent()
        more = self._report.contexts.cost_of(sent, received) or 0.0
        return self._cap.suffices(tokens + sent + received, cost + more)

    def _leave(self, portion: Portion, lacking: set[str]) -> set[str]:
        """Set documents aside whose texts have no vectors; their files, which the next run reads again."""
        files: set[str] = set()
        if not lacking:
            return files
        left, whole, handed = self._report.left, [], self._hand_in or {}
        tokens: dict[str, int] = {}
        for cut in portion.cuts:
            lacks = {content_hash(chunk.sent_text): chunk.tokens for chunk in cut.chunks}
            lacks = {content: count for content, count in lacks.items() if content in lacking}
            if not lacks:
                whole.append(cut)
                continue
            unpaid = {content: count for content, count in lacks.items() if content not in handed}
            tokens.update(unpaid)
            left.documents += bool(unpaid)
            files.add(cut.document.file)
        left.texts += len(tokens)
        left.tokens += sum(tokens.values())
        portion.cuts = whole
        return files

    def model(self) -> Embedder:
        """The model, loaded, and proved to make the vectors that the index holds."""
        embedder = self._loaded or self._index.embedder
        if not self._proved:
            self._before()
            self._index.prove(embedder)
            self._loaded, self._proved = embedder, True
        return embedder
