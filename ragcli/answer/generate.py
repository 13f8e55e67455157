"""From a prompt to a checked answer, streamed."""

from __future__ import annotations

from collections import abc
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ragcli.answer.citations import Checking, Settled, is_refusal
from ragcli.answer.screen import Plain, Thoughts
from ragcli.types import Answer, Hit, Prompt, Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence


class Generator(Protocol):
    """Writes an answer to a prompt."""

    @property
    def name(self) -> str:
        """What wrote the answer, as in ``--llm``."""
        ...

    @property
    def usage(self) -> Mapping[str, float]:
        """Tokens spent on the last stream, once it has ended, and their ``cost`` where a price is set.

        Empty when nobody counted.
        """
        ...

    @property
    def truncated(self) -> bool:
        """Whether the last stream ended at the model's limit and not at the answer's end."""
        ...

    def stream(self, prompt: Prompt) -> Iterator[str]:
        """The answer in pieces as they come, raw.

        Closing the iterator early ends the work behind it. Raises ModelUnavailable, with one
        line that holds no key, also after pieces were given.
        """
        ...


def quiet(_: str) -> None:
    """Take a note and say nothing."""


def pass_over(_: Sentence) -> None:
    """Take a sentence and do nothing."""


def clean_pieces(generator: Generator, prompt: Prompt) -> abc.Generator[str, None, None]:
    """What ``generator`` writes, piece by piece, without control characters and without its thoughts.

    To be closed by whoever may stop early: the connection or the process behind it ends then.
    """
    plain, thoughts = Plain(), Thoughts()
    pieces = generator.stream(prompt)
    try:
        for piece in pieces:
            yield thoughts.feed(plain.feed(piece))
    finally:
        # Not left to the garbage collector.
        if isinstance(pieces, abc.Generator):
            pieces.close()
    yield thoughts.feed(plain.close()) + thoughts.close()


def answer_with(
    generator: Generator,
    prompt: Prompt,
    hits: Sequence[Hit],
    on_token: Callable[[str], None],
    *,
    note: Callable[[str], None] = quiet,
    on_sentence: Callable[[Sentence], None] = pass_over,
    strict: bool = False,
) -> Answer:
    """Ask ``generator`` and check what it says against the prompt's sources.

    ``on_token`` gets the answer as it comes, fit for a terminal: no control characters, every
    citation written ``[n]``, and none of a number that was not sent. Together, but for white
    space at the ends, the pieces are ``Answer.text``. ``on_sentence`` is told of each
    sentence that claims something, behind its last piece and before the next one's first.

    With ``strict`` a sentence comes when it has ended and was verified, without the citations of
    it that were not, and is left out otherwise; headings come with what stands under them.

    ``answered`` is False for a refusal, an empty answer, and an answer that cites nothing that
    was sent: its text is kept, but nothing supports it. ``note`` gets a line on each thing a
    reader should know. Raises what the generator raises; what was streamed by then stays so.
    """
    checking = Checking(prompt)
    kept = Kept()
    printed: list[str] = []

    def tell(parts: Iterable[str | Settled]) -> None:
        for part in parts:
            told = part
            if strict:
                told = kept.take(part) if isinstance(part, Settled) else ""
            if isinstance(told, str) and told:
                printed.append(told)
                on_token(told)
            if isinstance(part, Settled) and part.sentence and (not strict or part.sentence.verified):
                on_sentence(part.sentence)

    raw: list[str] = []
    with closing(clean_pieces(generator, prompt)) as pieces:
        for clean in pieces:
            raw.append(clean)
            tell(checking.feed(clean))
    tell(checking.close())
    refused = is_refusal("".join(raw))
    if strict and refused and not printed:
        printed.append("".join(settled.printed for settled in checking.settled))
        on_token(printed[0])
    text = "".join(printed).strip()
    settled = [each for each in checking.settled if not strict or not each.sentence or each.sentence.verified]
    citations = tuple(
        citation for each in settled for citation in each.citations if citation.verified or not strict
    )
    left_out = len(checking.settled) - len(settled) if not refused else 0
    for line in _notes(text, bool(citations), refused, checking.invented, generator.truncated, left_out):
        note(line)
    return Answer(
        question=prompt.question,
        answered=bool(citations) and not refused,
        text=text,
        citations=() if refused else citations,
        llm=generator.name,
        usage=dict(generator.usage),
        hits=tuple(hits),
        sentences=tuple(each.sentence for each in settled if each.sentence),
    )


@dataclass(slots=True)
class Kept:
    """What is left of an answer under ``strict``, sentence by sentence."""

    _waiting: str = ""  # a heading, until something under it is kept
    _gap: str = ""
    _any: bool = False

    def take(self, settled: Settled) -> str:
        """What is to be printed once this sentence has ended."""
        words = settled.strict.lstrip()
        gap = settled.strict[: len(settled.strict) - len(words)]
        # Of several gaps the one that divides most, so that no line joins another's end.
        self._gap = max(self._gap, gap, key=lambda blank: blank.count("\n"))
        if settled.sentence is None:
            self._waiting, self._gap = f"{self._gap}{words}", ""
            return ""
        if not settled.sentence.verified:
            return ""
        told = f"{self._waiting}{self._gap or gap}{words}"
        self._waiting, self._gap = "", ""
        told = told if self._any else told.lstrip()
        self._any = True
        return told


def _notes(
    text: str, cited: bool, refused: bool, invented: Sequence[int], truncated: bool, left_out: int
) -> Iterator[str]:
    """What a reader should know of an answer besides its text."""
    if left_out:
        several = "s were" if left_out > 1 else " was"
        yield f"{left_out} sentence{several} left out: the sources do not confirm {'them' if left_out > 1 else 'it'}"
    if invented:
        more = " …" if len(invented) > 5 else ""
        yield f"left out citations of sources never sent: {', '.join(map(str, invented[:5]))}{more}"
    if truncated:
        yield "the answer ends at the model's limit of tokens"
    if left_out and not text:
        yield "nothing of the answer is left; without --strict all of it is shown"
    elif not text:
        yield "the model sent an empty answer"
    elif not cited and not refused:
        yield "the answer cites none of the sources; nothing supports it"
