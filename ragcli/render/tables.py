"""Everything that is shown as a table or a list of names and values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ragcli.render.terminal import Terminal, one_line
from ragcli.settings import NONE
from ragcli.types import place

if TYPE_CHECKING:
    from ragcli.pipeline.contexts import ContextReport
    from ragcli.pipeline.examine import Examination
    from ragcli.pipeline.report import BuildReport

_SKIP_WORDS = {
    "binary": "binary",
    "empty": "empty",
    "picture": "pictures without a description",
    "copy": "the same as another in their archive",
    "too-large": "too large (max_file_mb)",
    "unsupported": "of a format not read yet",
    "outside": "linked from outside",
    "unreadable": "unreadable",
}


def counted(count: int, thing: str) -> str:
    """``1 document``, ``2 documents``."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def print_pairs(terminal: Terminal, pairs: Iterable[tuple[str, str]]) -> None:
    """Names and values, the values in one column."""
    rows = [(name, one_line(value)) for name, value in pairs]
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        terminal.out(f"{name:<{width}}  {value}".rstrip())


def service_pairs(services: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Services, from their records, as a spec names them: what each is for, and what it needs."""
    for service in services:
        uses = [
            word for word, holds in (("answers", service["answers"]), ("embeds", service["embeds"])) if holds
        ]
        told = [" and ".join(uses)]
        if service["local"]:
            told.append(f"here, at {service['url']} or {service['url_variable']}")
        else:
            if service["url"] is None:
                told.append(f"address in {service['url_variable']}")
            set_already = ", which is set" if service["key_set"] else ""
            told.append(f"key in {' or '.join(service['key_variables'])}{set_already}")
        yield f"{service['service']}:MODEL", "; ".join(told)
    yield "http(s)://HOST/v1#MODEL", "any server that speaks as OpenAI's does"


def print_table(
    terminal: Terminal, header: Sequence[str], rows: Sequence[Sequence[str]], numbers: set[int]
) -> None:
    """A table with aligned columns; those in ``numbers`` stand to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column, name in enumerate(header):
        table.add_column(name, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(one_line, row))
    terminal.print(table)


def build_summary(report: BuildReport, *, plan: bool) -> list[str]:
    """What an indexing run did, in a few lines."""
    kinds = [
        (report.added, "would be added" if plan else "added"),
        (report.changed, "would be changed" if plan else "changed"),
        (report.removed, "would be removed" if plan else "removed"),
        (report.unchanged, "unchanged"),
        (report.failed, "failed"),
    ]
    told = ", ".join(f"{count} {kind}" for count, kind in kinds if count)
    lines = [f"documents: {told or 'none'}"]
    if report.change is not None:
        now, before = report.change
        lines.append(f"{now} answers now; `rag index --rollback` returns to {before}")
    if plan:
        lines.append(
            f"texts to embed: {report.embedded} ({report.cached} known already), {report.tokens} tokens, "
            f"{_price(report)}"
        )
    else:
        lines.append(
            f"chunks: {report.chunks_total} ({report.chunks_added} added, {report.chunks_removed} removed; "
            f"{report.embedded} embedded, {report.cached} known already), {report.seconds:.1f} s"
        )
    if report.contexts is not None and report.contexts.any:
        lines.append(_contexts(report.contexts, plan=plan))
    if report.skipped:
        told = ", ".join(
            f"{n} {_SKIP_WORDS.get(reason, reason)}" for reason, n in sorted(report.skipped.items())
        )
        lines.append(f"files left out: {told}")
    if report.flagged:
        told = "looks like instructions" if report.flagged == 1 else "look like instructions"
        lines.append(f"{counted(report.flagged, 'passage')} {told} to a model (rag list --flagged)")
    if report.secrets:
        told = "holds" if report.secrets == 1 else "hold"
        rest = ", masked in what is embedded" if report.masked else " (--mask-secrets masks them)"
        lines.append(f"{counted(report.secrets, 'passage')} {told} what looks like secrets{rest}")
    return lines


def _price(report: BuildReport) -> str:
    """What a plan's embedding would cost in money and time."""
    if not report.service:
        cost = f"at no cost: {report.model} runs here"
    elif report.cost is None:
        cost = f"sent to {report.model}, at a price that embed_price can set"
    else:
        cost = f"sent to {report.model}, for {report.cost:.4f}"
    if report.minutes is None or not report.embedded:
        return cost
    return f"{cost}, in about {max(report.minutes, 0.1):.1f} minutes"


def _contexts(contexts: ContextReport, *, plan: bool) -> str:
    spent = f"{contexts.tokens_in} tokens in and {contexts.tokens_out} out"
    if contexts.cost is not None:
        spent += f", {contexts.cost:.2f} at {contexts.price} a million"
    if plan:
        told = f"contexts to write: {contexts.written} ({contexts.known} known already), about {spent}"
        return f"{told}, by {contexts.llm}" if contexts.written and contexts.llm != NONE else told
    lost = [
        f"{count} {kind}"
        for count, kind in (
            (contexts.rejected, "of no use: searched with headings alone"),
            (contexts.missing, "not to be had"),
        )
        if count
    ]
    told = ", ".join([f"{contexts.known} known already", *lost])
    return f"contexts: {contexts.written} written ({told}), {spent}"


def coverage_note(report: BuildReport) -> str:
    """What to say of documents whose words the model mostly does not know."""
    languages = ", ".join(sorted(report.unread))
    return (
        f"note: {counted(sum(report.unread.values()), 'document')} ({languages}) in words that {report.model} mostly "
        f"does not know: questions in them are searched by words alone; a multilingual model can be set with --model"
    )


def print_examination(terminal: Terminal, found: Examination) -> None:
    """What was mended, then one line a check."""
    for told in found.repaired:
        terminal.out(f"mended: {one_line(told)}")
    width = max(len(finding.check) for finding in found.findings)
    for finding in found.findings:
        mark = "bad " if not finding.ok else "note" if finding.mend else "ok  "
        told = one_line(f"{finding.message}{finding.advice}")
        terminal.out(f"{mark}  {finding.check:<{width}}  {told}")


def print_flagged(terminal: Terminal, rows: Sequence[Mapping[str, Any]]) -> None:
    """One flag a line: where the passage is, in what way it looks like instructions, and its words."""
    for row in rows:
        for flag in row["flags"]:
            where = place(row["path"], flag["page"], flag["lines"], flag["page_label"])
            if row["path"] != row["document"]:
                where += f" ({row['document']})"
            terminal.out("\t".join(map(one_line, (where, flag["kind"], flag["words"]))))


def print_documents(terminal: Terminal, rows: Sequence[Mapping[str, Any]]) -> None:
    """One document a row."""
    header = ["document", "title", "format", "language", "chunks", "tokens", "modified"]
    table = [[str(row[name]) for name in header] for row in rows]
    if not terminal.console.is_terminal:  # a line a document, for wc, cut and grep
        for cells in table:
            terminal.out("\t".join(map(one_line, cells)))
        return
    print_table(terminal, header, table, {4, 5})
