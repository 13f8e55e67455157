"""Hits and prompts to test with."""

from __future__ import annotations

from ragcli.budget import Estimate
from ragcli.prompt import build_prompt
from ragcli.types import Hit, Prompt

TOWER = """\
The Eiffel Tower was completed in 1889.
It is 330 metres tall and
stands in **Paris**.

It costs 15 euros."""
CLIMATE = "# Climate\n\nIt rains on 111 days a year.\nThe mean is -2.5 degrees."
CHINESE = "埃菲尔铁塔建成于1889年。\n它高330米，位于巴黎。\n游客不允许携带宠物。"


def make_hit(
    text: str,
    *,
    rank: int = 1,
    path: str = "docs/a.md",
    title: str = "A",
    heading: tuple[str, ...] = (),
    page: int | None = None,
    lines: tuple[int, int] | None = (1, 1),
) -> Hit:
    return Hit(
        rank=rank,
        id=f"h{rank}",
        document=path,
        record=None,
        path=path,
        title=title,
        heading=heading,
        page=page,
        lines=lines,
        span=(0, len(text)),
        text=text,
        score=1.0 / rank,
    )


def make_prompt(*texts: str, question: str = "How tall is it?") -> Prompt:
    """A prompt over passages that each begin on line 10 of their file."""
    hits = [
        make_hit(text, rank=n, path=f"docs/{n}.md", lines=(10, 10 + text.count("\n")))
        for n, text in enumerate(texts or (TOWER, CLIMATE, CHINESE), 1)
    ]
    return build_prompt(question, hits, budget=100_000, count=Estimate())
