"""What the commands that ask an index share: opening it, and why nothing was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ragcli.cli.program import Context
from ragcli.render.terminal import one_line

if TYPE_CHECKING:
    from ragcli.pipeline.ask import Asker
    from ragcli.types import Hit


@contextmanager
def open_asker(
    context: Context,
    flags: dict[str, Any],
    filters: list[str] | None,
    *,
    fold: bool = False,
    for_prompt: bool = False,
) -> Iterator[Asker]:
    """The index that is meant, to be asked."""
    folder, settings = context.folder(), context.settings(**flags)
    from ragcli.pipeline.ask import Asker
    from ragcli.pipeline.index import Index
    from ragcli.search import parse_filters

    wanted = parse_filters(filters or [])
    with Index.open(folder, settings) as index:
        asker = Asker(
            index, context.terminal.note, wanted, context.terminal.detail, fold=fold, for_prompt=for_prompt
        )
        yield asker


def tell_stale(context: Context, asker: Asker, hits: Sequence[Hit]) -> None:
    """Note which of the files that are cited are not what they were when they were read."""
    if stale := asker.stale(hits):
        from ragcli.render.passages import display_path

        first = one_line(display_path(stale[0], asker.home))
        told = f"{first} has" if len(stale) == 1 else f"{first} and {len(stale) - 1} more of these files have"
        context.terminal.note(
            f"note: {told} changed or vanished since the index was made; `rag index` brings it up to date"
        )


def why_nothing(asker: Asker, query: str) -> str:
    """That nothing was found and, where the question or a setting demands what is not there, why."""
    unmet = asker.unmet(query)
    if unmet:
        return f"nothing found: no passage has {' or '.join(unmet)}"
    if len(demanded := asker.demanded(query)) > 1:
        return f"nothing found: no passage has all of {', '.join(demanded)}"
    if floor := asker.floor(asker.mode):
        return f"nothing found: no passage has the evidence of {floor:.2f} that --min-score asks for"
    return unfinished_note(asker) or "nothing found"


def unfinished_note(asker: Asker) -> str:
    """That nothing was found in an index that is not all there; empty where it is."""
    if unfinished := asker.index.catalog.unfinished():
        return f"nothing found; not all of {', '.join(unfinished)} is in the index yet: `rag index` goes on with it"
    return ""
