"""An evaluation as one page of HTML that needs nothing besides: no script, no font, no network.

Everything that comes from documents or questions is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise

from ragcli.evaluate import (
    Contrast,
    ModeReport,
    Row,
    compare,
    interval,
    of_spans,
    paired,
    recall,
    span_recall,
)
from ragcli.render.evaluation import Evaluation, wanted_and_found
from ragcli.render.terminal import one_line

_COLOURS = ("#3b6ea8", "#c26a2c", "#4a8f5c", "#8a5aa5", "#a8483b")
_DEPTHS = (1, 2, 3, 5, 10, 20, 50, 100)
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8883 }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: .5rem 0 1.5rem } th, td { padding: .2rem .7rem; text-align: left }
th { border-bottom: 1px solid var(--line) } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
svg { width: 100%; height: auto; margin: .3rem 0 1rem }
svg text { font: 12px system-ui, sans-serif; fill: currentColor }
.grid { stroke: var(--soft) } .axis { stroke: var(--line) } .bad { color: #b3261e } .good { color: #2e7d32 }
details { margin: .3rem 0 } .where { opacity: .75 }
"""


def report_page(found: Evaluation, *, title: str, facts: Sequence[tuple[str, str]], worst: int = 20) -> str:
    """The whole page. ``facts`` are name and value of what the run stands on."""
    reports = found.reports
    metric = next(iter(next(iter(reports.values())).metrics))
    parts = [
        f"<h1>{_text(title)}</h1>",
        _table(["", ""], facts, 0),
        "<h2>Modes</h2>",
        _table(
            ["mode", *_metrics(reports), "p50 ms", "p95 ms"],
            [
                [
                    mode,
                    *(
                        f"{report.metrics[name]:.4f}" if name in report.metrics else ""
                        for name in _metrics(reports)
                    ),
                    f"{report.p50:.0f}",
                    f"{report.p95:.0f}",
                ]
                for mode, report in reports.items()
            ],
            1,
        ),
        f"<h2>{_text(metric)} with its 95 % interval</h2>",
        _bars(reports, metric),
    ]
    if found.writers is None:
        parts.append(f"<h2>Recall of {'characters' if of_spans(metric) else 'documents'} against depth</h2>")
        parts.append(_curves({mode: _recalls(report, metric) for mode, report in reports.items()}))
    if found.verdicts:
        parts.append("<h2>Gates</h2><ul>")
        for verdict in found.verdicts:
            mark, told = ("good", "passed") if verdict.passed else ("bad", "missed")
            parts.append(f'<li><b class="{mark}">{told}</b>: {_text(str(verdict))}</li>')
        parts.append("</ul>")
    if found.contrasts:
        parts += ["<h2>Differences</h2>", _contrasts(found.contrasts)]
    names = list(reports)
    for first, second in pairwise(names):
        now, then = paired(reports[second], reports[first], metric)
        if now:
            parts.append(
                f"<h2>{_text(second)} less {_text(first)}, question by question ({_text(metric)})</h2>"
            )
            parts.append(_differences(now, then))
    parts += [f"<h2>Time of {'a search' if found.writers is None else 'an answer'}</h2>", _times(reports)]
    last = names[-1]
    parts.append(f"<h2>Questions that did worst in {_text(last)}</h2>")
    parts += [_question(row, metric) for row in reports[last].worst(metric, worst)]
    if found.failed:
        failed = "".join(f"<li>{_text(line)}</li>" for line in found.failed)
        parts.append(f"<h2>Questions that failed</h2><ul>{failed}</ul>")
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{_text(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body>{body}</body></html>\n"
    )


def _metrics(reports: Mapping[str, ModeReport]) -> list[str]:
    """The metrics that any mode has."""
    return list(dict.fromkeys(metric for report in reports.values() for metric in report.metrics))


def _text(value: str) -> str:
    return escape(one_line(value))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers_from: int) -> str:
    """``numbers_from``: the first column of figures; 0 for a table without."""

    def cells(row: Sequence[str], tag: str) -> str:
        marks = [' class="n"' if numbers_from and place >= numbers_from else "" for place in range(len(row))]
        return "".join(f"<{tag}{mark}>{_text(cell)}</{tag}>" for cell, mark in zip(row, marks, strict=True))

    lines = [f"<tr>{cells(header, 'th')}</tr>"] if any(header) else []
    lines += [f"<tr>{cells(row, 'td')}</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"


def _contrasts(contrasts: Sequence[Contrast]) -> str:
    header = ["mode", "against", "metric", "difference", "95 % interval", "p", "better", "worse"]
    rows = [
        [
            contrast.mode,
            contrast.against,
            contrast.metric,
            f"{contrast.difference.mean:+.4f}",
            "{:+.4f} … {:+.4f}".format(*contrast.difference.interval),
            f"{contrast.difference.p:.4f}",
            str(contrast.difference.wins),
            str(contrast.difference.losses),
        ]
        for contrast in contrasts
    ]
    return _table(header, rows, 3)


def _bars(reports: Mapping[str, ModeReport], metric: str) -> str:
    """A bar a mode, from 0 to 1, with a whisker."""
    lines = [
        _line(120 + 560 * tick / 10, 0, 120 + 560 * tick / 10, 34 * len(reports), "grid")
        for tick in range(11)
    ]
    for place, (mode, report) in enumerate(reports.items()):
        top, value = 34 * place + 6, report.metrics[metric]
        low, high = interval(report.values(metric))
        lines.append(_label(112, top + 16, mode, "end"))
        lines.append(
            f'<rect x="120" y="{top}" width="{560 * value:.1f}" height="22" fill="{_colour(place)}" rx="2"/>'
        )
        lines.append(_line(120 + 560 * low, top + 11, 120 + 560 * high, top + 11, "axis", 2))
        lines.append(_label(130 + 560 * max(high, value), top + 16, f"{value:.4f}", "start"))
    return _picture(760, 34 * len(reports) + 4, lines)


def _recalls(report: ModeReport, metric: str) -> list[tuple[int, float]]:
    """Recall at several depths, of what the metric looks at."""
    rows = [row for row in report.rows if metric in row.metrics]
    recalls = []
    for depth in _DEPTHS:
        if of_spans(metric):
            values = [span_recall(row.passages, row.references, depth) for row in rows]
        else:
            values = [recall(row.found, row.grades, depth) for row in rows]
        recalls.append((depth, sum(values) / len(values)))
    return recalls


def _curves(curves: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    """Values from 0 to 1 against depths, which lie evenly by their logarithm."""

    def x(depth: int) -> float:
        return 50 + 560 * math.log(depth) / math.log(_DEPTHS[-1])

    lines = []
    for tick in range(0, 11, 2):
        lines.append(_line(50, 230 - 22 * tick, 610, 230 - 22 * tick, "grid"))
        lines.append(_label(42, 234 - 22 * tick, f"{tick / 10:.1f}", "end"))
    lines += [_label(x(depth), 248, str(depth), "middle") for depth in _DEPTHS]
    for place, (mode, points) in enumerate(curves.items()):
        path = " ".join(f"{x(depth):.1f},{230 - 220 * value:.1f}" for depth, value in points)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{_colour(place)}" stroke-width="2"/>')
        lines += _key(place, mode)
    return _picture(760, 256, lines)


def _differences(now: Sequence[float], then: Sequence[float]) -> str:
    """Every question's difference, the greatest gain first, as one bar each."""
    values = sorted((a - b for a, b in zip(now, then, strict=True)), reverse=True)
    width = 700 / len(values)
    lines = [_line(40, 110, 740, 110, "axis")]
    for place, value in enumerate(values):
        if value:
            top = 110 - 100 * max(0.0, value)
            colour = _COLOURS[2] if value > 0 else _COLOURS[4]
            lines.append(
                f'<rect x="{40 + width * place:.2f}" y="{top:.1f}" width="{max(width, 0.5):.2f}" '
                f'height="{100 * abs(value):.1f}" fill="{colour}"/>'
            )
    lines += [_label(32, 114 - 100 * tick, f"{tick:+d}", "end") for tick in (-1, 0, 1)]
    told = compare(now, then)
    summary = (
        f"<p>mean {told.mean:+.4f}, 95 % interval {told.interval[0]:+.4f} … {told.interval[1]:+.4f}, p {told.p:.4f}; "
        f"{told.wins} better, {told.losses} worse, {len(values) - told.wins - told.losses} alike</p>"
    )
    return summary + _picture(760, 220, lines)


def _times(reports: Mapping[str, ModeReport]) -> str:
    """Shares of searches that were done within a time, by mode."""
    slowest = (
        max((row.milliseconds for report in reports.values() for row in report.rows), default=0.0) or 1.0
    )
    lines = []
    for tick in range(5):
        lines.append(_line(50 + 140 * tick, 10, 50 + 140 * tick, 230, "grid"))
        lines.append(_label(50 + 140 * tick, 248, f"{slowest * tick / 4:.0f} ms", "middle"))
    lines += [_label(42, 234 - 2.2 * tick, f"{tick} %", "end") for tick in (0, 50, 100)]
    for place, (mode, report) in enumerate(reports.items()):
        times = sorted(row.milliseconds for row in report.rows)
        step = max(1, len(times) // 200)
        points = [(time, (rank + 1) / len(times)) for rank, time in enumerate(times)][::step]
        path = " ".join(f"{50 + 560 * time / slowest:.1f},{230 - 220 * share:.1f}" for time, share in points)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{_colour(place)}" stroke-width="2"/>')
        lines += _key(place, mode)
    return _picture(760, 256, lines)


def _question(row: Row, metric: str) -> str:
    """What was asked, what was wanted, and what was found instead."""
    names, hits = wanted_and_found(row, metric)
    wanted = [
        f"<li>wanted {_text(name)}: {f'found at {place}' if place else 'not found'}</li>"
        for name, place in names
    ]
    found = [f'<li class="{"good" if good else "where"}">{_text(name)}</li>' for name, good in hits[:5]]
    return (
        f"<details><summary>{row.metrics[metric]:.3f} {_text(row.query.text)} "
        f'<span class="where">{_text(row.query.id)}</span></summary>'
        f"<ul>{''.join(wanted)}</ul><ol>{''.join(found)}</ol></details>"
    )


def _picture(width: int, height: int, lines: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img">{"".join(lines)}</svg>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str, width: int = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}" stroke-width="{width}"/>'


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_text(text)}</text>'


def _key(place: int, mode: str) -> list[str]:
    """One line of a picture's key."""
    square = f'<rect x="625" y="{20 + 20 * place}" width="12" height="12" fill="{_colour(place)}"/>'
    return [square, _label(643, 31 + 20 * place, mode, "start")]


def _colour(place: int) -> str:
    return _COLOURS[place % len(_COLOURS)]
