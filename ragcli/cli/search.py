"""``rag search``: the passages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragcli.analyze import Analyzer
from ragcli.cli.asking import open_asker, tell_stale, unfinished_note, why_nothing
from ragcli.cli.options import (
    QUERY_HELP,
    CandidatesOption,
    CountOption,
    FilterOption,
    FusionOption,
    MinScoreOption,
    MmrOption,
    ModeOption,
    PassagesOption,
    PasswordOption,
    RerankBudgetOption,
    RerankerOption,
    RerankOption,
    RerankWeightOption,
    SearchFormat,
    WaitOption,
    WeightOption,
    read_query,
    rerank_flags,
)
from ragcli.cli.program import Context, app
from ragcli.errors import NOTHING_FOUND, PartlyDone, UsageError

if TYPE_CHECKING:
    from ragcli.types import Hit

_AHEAD = 256  # questions of a batch that are read together


@app.command("search", epilog='Example: rag search "sensor offline" -k 3')
def search_command(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(metavar="QUERY", help=QUERY_HELP)] = "",
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH", help="Further files, after --in.")
    ] = None,
    k: CountOption = None,
    mode: ModeOption = None,
    filters: FilterOption = None,
    min_score: MinScoreOption = None,
    passages: PassagesOption = None,
    mmr: MmrOption = None,
    fusion: FusionOption = None,
    dense_weight: WeightOption = None,
    rerank: RerankOption = None,
    reranker: RerankerOption = None,
    rerank_candidates: CandidatesOption = None,
    rerank_weight: RerankWeightOption = None,
    rerank_budget_ms: RerankBudgetOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show each list's rank and score.")] = False,
    inside: Annotated[
        list[Path] | None,
        typer.Option("--in", metavar="PATH…", help="Search these files by words, without an index."),
    ] = None,
    batch: Annotated[
        Path | None,
        typer.Option(
            "--batch",
            metavar="FILE",
            help="Questions from a queries.jsonl (- for stdin); prints jsonl or trec.",
        ),
    ] = None,
    password: PasswordOption = None,
    wait: WaitOption = None,
    output: Annotated[
        SearchFormat,
        typer.Option("--format", help="How to print the hits; paths names each file of theirs once."),
    ] = SearchFormat.text,
) -> None:
    """Find the passages that answer a question."""
    context: Context = ctx.obj
    again = rerank_flags(rerank, reranker, rerank_candidates, rerank_weight, rerank_budget_ms)
    shape = {"min_score": min_score, "passages": passages, "mmr": mmr, **again}
    flags = {"k": k, "mode": mode, "fusion": fusion, "dense_weight": dense_weight, "wait": wait, **shape}
    if batch is not None:
        if query or inside:
            raise UsageError("--batch takes its questions from the file; leave out QUERY and --in")
        _batch(context, batch, output, flags, filters)
    elif inside and (passages or mmr is not None or min_score is not None):
        raise UsageError(
            "--passages, --mmr and --min-score need an index; leave them out, or make one with `rag index`"
        )
    elif inside and filters:
        raise UsageError("--filter asks the catalogue of an index; with --in name the files themselves")
    elif inside:  # a shell makes several words of `--in *.md`
        files = [*inside, *(more or [])]
        _inside(context, read_query(query), files, output, flags, explain, password or ())
    elif more:
        if more[0].exists():
            raise UsageError(f"to search files, say --in: rag search QUERY --in {more[0]}")
        if more[0].name.startswith("-"):
            raise UsageError(f"{more[0]} stands behind the question; options go before -- and the question")
        raise UsageError(f'the question is more than one word; put it in quotes: rag search "{query} …"')
    else:
        _search(context, read_query(query), output, flags, filters, explain)


def _search(
    context: Context,
    query: str,
    output: SearchFormat,
    flags: dict[str, Any],
    filters: list[str] | None,
    explain: bool,
) -> None:
    with open_asker(context, flags, filters) as asker:
        found = asker.search(query)
        _show(context, query, found.hits, found.took, output, asker.mode, asker.home, asker.analyze, explain)
        tell_stale(context, asker, found.hits)
        if not found.hits:
            told = why_nothing(asker, query) if output is SearchFormat.text else unfinished_note(asker)
            if told:
                context.terminal.note(told)
    context.terminal.detail(", ".join(f"{stage} {ms:.0f} ms" for stage, ms in found.took.items()))
    if not found.hits:
        raise typer.Exit(NOTHING_FOUND)


def _inside(
    context: Context,
    query: str,
    paths: list[Path],
    output: SearchFormat,
    flags: dict[str, Any],
    explain: bool,
    passwords: Sequence[str],
) -> None:
    from ragcli.pipeline.inplace import search_files

    if flags["mode"] not in (None, "lexical"):
        raise UsageError("--in searches by words alone; leave out --mode or say --mode lexical")
    settings = context.reading(**{name: value for name, value in flags.items() if name != "mode"})
    found, failures = search_files(
        query, paths, settings, context.terminal.note, context.terminal.detail, passwords
    )
    hits, analyze = found.hits, Analyzer.of(settings.languages)
    _show(context, query, hits, found.took, output, "lexical", Path.cwd(), analyze, explain)
    for failure in failures:
        context.terminal.error(f"{failure.path}: {failure.message}")
    if failures:
        raise PartlyDone(f"{len(failures)} of the inputs could not be read; the rest was searched")
    if not hits:
        if output is SearchFormat.text:
            context.terminal.note("nothing found")
        raise typer.Exit(NOTHING_FOUND)


def _batch(
    context: Context, file: Path, output: SearchFormat, flags: dict[str, Any], filters: list[str] | None
) -> None:
    """Many questions with one start; every hit names its question."""
    from ragcli.evaluate import read_queries
    from ragcli.render.records import dump, hit_record

    if output in (SearchFormat.text, SearchFormat.paths, SearchFormat.json):
        if output is not SearchFormat.text:
            raise UsageError("--batch prints jsonl or trec")
        output = SearchFormat.jsonl
    queries = read_queries(file)
    found_any = False
    failed = 0
    with open_asker(context, flags, filters) as asker:
        for number, query in enumerate(queries):
            try:
                if number % _AHEAD == 0:
                    asker.expect([each.text for each in queries[number : number + _AHEAD]])
                hits = asker.search(query.text).hits
            except UsageError as error:
                context.terminal.error(f"{file}: question {query.id}: {error}")
                failed += 1
                continue
            found_any = found_any or bool(hits)
            if output is SearchFormat.trec:
                _print_trec(context, query.id, hits)
            else:
                for hit in hits:
                    context.terminal.out(dump({"query_id": query.id, **hit_record(hit)}))
    if failed:
        raise PartlyDone(f"{failed} of {len(queries)} questions cannot be asked; the rest was answered")
    if not found_any:
        raise typer.Exit(NOTHING_FOUND)


def _show(
    context: Context,
    query: str,
    hits: Sequence[Hit],
    took: dict[str, float],
    output: SearchFormat,
    mode: str,
    home: Path,
    analyze: Analyzer,
    explain: bool,
) -> None:
    from ragcli.render.records import dump, hit_record

    terminal = context.terminal
    if output is SearchFormat.text:
        from ragcli.render.passages import print_hits

        print_hits(terminal, hits, query, home, analyze, explain=explain)
    elif output is SearchFormat.json:
        stages = ("embed", "lexical", "dense", "rerank", "total")
        times = {stage: round(took.get(stage, 0.0), 3) for stage in stages}
        terminal.out(
            dump({"query": query, "mode": mode, "hits": [hit_record(hit) for hit in hits], "took_ms": times})
        )
    elif output is SearchFormat.jsonl:
        for hit in hits:
            terminal.out(dump(hit_record(hit)))
    elif output is SearchFormat.paths:
        from ragcli.render.passages import display_path

        for path in dict.fromkeys(display_path(hit.path, home) for hit in hits):
            terminal.out(path.replace("\n", "?"))  # one a line, whatever the file is called
    else:
        _print_trec(context, "1", hits)


def _print_trec(context: Context, query_id: str, hits: Sequence[Hit]) -> None:
    """TREC's run format; a document counts once, white space in its name is escaped."""
    best: dict[str, float] = {}
    for hit in hits:
        best.setdefault(hit.record if hit.record is not None else hit.document, hit.score)
    for rank, (document, score) in enumerate(best.items(), 1):
        name = "%20".join(document.split())
        context.terminal.out(f"{'_'.join(query_id.split())} Q0 {name} {rank} {score:.6f} ragcli")
