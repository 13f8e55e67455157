"""From a prompt to a checked answer, streamed."""

from __future__ import annotations

from collections import abc
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

from ragcli.answer.citations import check_citations, is_refusal
from ragcli.answer.marks import Citing
from ragcli.answer.screen import Plain, Thoughts
from ragcli.types import Answer, Hit, Prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


class Generator(Protocol):
    """Writes an answer to a prompt."""

    @property
    def name(self) -> str:
        """What wrote the answer, as in ``--llm``."""
        ...

    @property
    def usage(self) -> Mapping[str, int]:
        """Tokens spent on the last stream, once it has ended; empty when nobody counted."""
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
) -> Answer:
    """Ask ``generator`` and check what it says against the prompt's sources.

    ``on_token`` gets the answer as it comes, fit for a terminal: no control characters, every
    citation written ``[n]``, and none of a number that was not sent. Together, but for white
    space at the ends, the pieces are ``Answer.text``.

    ``answered`` is False for a refusal, an empty answer, and an answer that cites nothing that
    was sent: its text is kept, but nothing supports it. ``note`` gets a line on each thing a
    reader should know. Raises what the generator raises; what was streamed by then stays so.
    """
    citing = Citing({source.n for source in prompt.sources})
    raw: list[str] = []
    with closing(clean_pieces(generator, prompt)) as pieces:
        for clean in pieces:
            raw.append(clean)
            if printed := citing.feed(clean):
                on_token(printed)
    if printed := citing.close():
        on_token(printed)

    text, citations, invented = check_citations("".join(raw), prompt)
    refused = is_refusal(text)
    for line in _notes(text, bool(citations), refused, invented, generator.truncated):
        note(line)
    return Answer(
        question=prompt.question,
        answered=bool(citations) and not refused,
        text=text,
        citations=() if refused else citations,
        llm=generator.name,
        usage=dict(generator.usage),
        hits=tuple(hits),
    )


def _notes(text: str, cited: bool, refused: bool, invented: Sequence[int], truncated: bool) -> Iterator[str]:
    """What a reader should know of an answer besides its text."""
    if invented:
        more = " …" if len(invented) > 5 else ""
        yield f"left out citations of sources never sent: {', '.join(map(str, invented[:5]))}{more}"
    if truncated:
        yield "the answer ends at the model's limit of tokens"
    if not text:
        yield "the model sent an empty answer"
    elif not cited and not refused:
        yield "the answer cites none of the sources; nothing supports it"
