"""What was measured, as Markdown and as a page of HTML that needs nothing besides."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """
:root { color-scheme: light dark; --own: #2a6fb0; --peer: #9aa3ad }
@media (prefers-color-scheme: dark) { :root { --own: #6db3f2; --peer: #66707a } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .2rem } h2 small { font-weight: normal; opacity: .75 }
svg { width: 100%; height: auto } svg text { font: 13px system-ui, sans-serif; fill: currentColor }
table { border-collapse: collapse } th, td { padding: .2rem .8rem .2rem 0; text-align: left }
.own { fill: var(--own) } .peer { fill: var(--peer) } .spread { stroke: currentColor; opacity: .6 }
"""


@dataclass(frozen=True, slots=True)
class Measure:
    """Something measured: its column, how a figure is shown, and the most that it may be of the best peer's."""

    column: str
    form: str
    scale: float = 1.0
    bar: float | None = None
    higher_is_better: bool = False

    def show(self, value: float) -> str:
        """A figure in the column's unit."""
        return format(value * self.scale, self.form)


MEASURES = {
    "index": Measure("index, s", ".1f", bar=1 / 4),
    "cold": Measure("cold search, s", ".2f", bar=1 / 8),
    "warm": Measure("warm search, ms", ".1f", scale=1000),
    "index_memory": Measure("memory to index, MB", ".0f"),
    "search_memory": Measure("memory to search, MB", ".0f"),
    "disk": Measure("disk, MB", ".1f"),
    "ndcg": Measure("nDCG@10", ".3f", higher_is_better=True),
}


@dataclass(frozen=True, slots=True)
class Result:
    """A peer's figures, by measure and round."""

    label: str
    version: str
    how: str
    rounds: dict[str, list[float]]

    def add(self, found: Mapping[str, float]) -> None:
        """Keep the figures of one more round."""
        for name, value in found.items():
            self.rounds.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        """The median of the rounds."""
        return statistics.median(self.rounds[name])


def best_of(peers: Sequence[Result], name: str) -> Result:
    """The peer that does best by a measure."""
    return (max if MEASURES[name].higher_is_better else min)(peers, key=lambda peer: peer.median(name))


def table(results: Sequence[Result]) -> str:
    """A line a peer."""
    lines = [
        f"| | {' | '.join(measure.column for measure in MEASURES.values())} |",
        f"|---|{'---:|' * len(MEASURES)}",
    ]
    for result in results:
        cells = (measure.show(result.median(name)) for name, measure in MEASURES.items())
        lines.append(f"| {result.label} {result.version} | {' | '.join(cells)} |")
    return "\n".join(lines)


def ratios(results: Sequence[Result]) -> str:
    """A line a measure: the first result against the best of the others, taken within each round."""
    own, *peers = results
    lines = [
        f"| {own.label} to the best peer | peer | ratio | least to most | at most | |",
        "|---|---|---:|---:|---:|---|",
    ]
    for name, measure in MEASURES.items():
        best = best_of(peers, name)
        found = [ours / theirs for ours, theirs in zip(own.rounds[name], best.rounds[name], strict=True)]
        ratio = statistics.median(found)
        bar, kept = "", ""
        if measure.bar is not None:
            bar, kept = f"{measure.bar:.3f}", "kept" if ratio <= measure.bar else "missed"
        spread = f"{min(found):.3f} to {max(found):.3f}"
        lines.append(f"| {measure.column} | {best.label} | {ratio:.3f} | {spread} | {bar} | {kept} |")
    return "\n".join(lines)


def notes(results: Sequence[Result], settings: str, rounds: int) -> str:
    """What was measured, and what was chosen for each peer, in one paragraph."""
    chosen = "; ".join(f"{result.label}: {result.how}" for result in results)
    return (
        f"{settings}; rounds: {rounds}, in each of which every peer had its turn, and of which the medians are told. "
        "All embed with the weights of all-MiniLM-L6-v2, on the processor. Index and cold search are fresh processes, "
        "warm search is the median question of one process that has the index open. Memory is the most of a process "
        f"and its children. Each peer runs as its documentation has it, and finds ten passages. {chosen}."
    )


def page(results: Sequence[Result], measured: str, command: str) -> str:
    """Plots of every measure; ``measured`` tells what, when and on which machine."""
    body = [
        "<h1>ragcli beside its peers</h1>",
        f"<p>{escape(measured)}. Lines span the rounds.</p><p><code>{escape(command)}</code></p>",
    ]
    for name, measure in MEASURES.items():
        better = "higher" if measure.higher_is_better else "lower"
        body += [f"<h2>{measure.column} <small>{better} is better</small></h2>", _bars(results, name)]
    rows = "".join(
        f"<tr><td>{escape(r.label)}</td><td>{escape(r.version)}</td><td>{escape(r.how)}</td></tr>"
        for r in results
    )
    body += ["<h2>How each was run</h2>", f"<table>{rows}</table>"]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>ragcli beside its peers</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body>{chr(10).join(body)}</body></html>\n"
    )


def _bars(results: Sequence[Result], name: str) -> str:
    """A bar a peer from zero to its median, a line from its least to its greatest figure."""
    measure = MEASURES[name]
    across = 480 / max(max(result.rounds[name]) for result in results)
    lines = []
    for place, result in enumerate(results):
        top, value, kind = 30 * place, result.median(name), "peer" if place else "own"
        low, high = (110 + across * bound(result.rounds[name]) for bound in (min, max))
        lines.append(
            f'<text x="102" y="{top + 17}" text-anchor="end">{escape(result.label)}</text>'
            f'<rect class="{kind}" x="110" y="{top + 2}" width="{across * value:.1f}" height="20"/>'
            f'<line class="spread" x1="{low:.1f}" x2="{high:.1f}" y1="{top + 12}" y2="{top + 12}"/>'
            f'<text x="{high + 8:.1f}" y="{top + 17}">{measure.show(value)}</text>'
        )
    return f'<svg viewBox="0 0 660 {30 * len(results)}" role="img">{"".join(lines)}</svg>'
