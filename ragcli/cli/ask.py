"""``rag search``, ``rag context`` and ``rag query``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragcli.analyze import Analyzer
from ragcli.cli.options import (
    QUERY_HELP,
    CandidatesOption,
    CountOption,
    FilterOption,
    Format,
    FormatOption,
    FusionOption,
    MinScoreOption,
    MmrOption,
    ModeOption,
    PassagesOption,
    PasswordOption,
    QueryArgument,
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
    from collections.abc import Iterator

    from ragcli.pipeline.ask import Asker
    from ragcli.types import Answer, Hit


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
        typer.Option("--batch", metavar="FILE", help="Questions from a queries.jsonl; prints jsonl or trec."),
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
    with _asker(context, flags, filters) as asker:
        found = asker.search(query)
        _show(context, query, found.hits, found.took, output, asker.mode, asker.home, asker.analyze, explain)
        if output is SearchFormat.text and not found.hits:
            context.terminal.note(_nothing(asker, query))
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


def _nothing(asker: Asker, query: str) -> str:
    """That nothing was found and, where the question or a setting demands what is not there, why."""
    unmet = asker.unmet(query)
    if unmet:
        return f"nothing found: no passage has {' or '.join(unmet)}"
    if floor := asker.floor(asker.mode):
        return f"nothing found: no passage has the evidence of {floor:.2f} that --min-score asks for"
    return "nothing found"


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
    with _asker(context, flags, filters) as asker:
        for query in queries:
            try:
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


@app.command("context", epilog='Example: rag context "how do I restore a backup" | llm "answer from this"')
def context_command(
    ctx: typer.Context,
    query: QueryArgument,
    k: CountOption = None,
    mode: ModeOption = None,
    filters: FilterOption = None,
    min_score: MinScoreOption = None,
    passages: PassagesOption = None,
    mmr: MmrOption = None,
    rerank: RerankOption = None,
    reranker: RerankerOption = None,
    rerank_candidates: CandidatesOption = None,
    rerank_weight: RerankWeightOption = None,
    rerank_budget_ms: RerankBudgetOption = None,
    budget: Annotated[
        int | None, typer.Option(metavar="TOKENS", min=50, help="Most tokens of the sources (default: 3000).")
    ] = None,
    wait: WaitOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Print numbered sources for an LLM. They are the passages, ready to be piped."""
    from ragcli.prompt import context_text
    from ragcli.render.records import dump, hit_record

    context: Context = ctx.obj
    question = read_query(query)
    again = rerank_flags(rerank, reranker, rerank_candidates, rerank_weight, rerank_budget_ms)
    shape = {"min_score": min_score, "passages": passages, "mmr": mmr, **again}
    flags = {"k": k, "mode": mode, "budget": budget, "wait": wait, **shape}
    with _asker(context, flags, filters, fold=True) as asker:
        hits = asker.search(question).hits
        if not hits:
            context.terminal.note(_nothing(asker, question))
            raise typer.Exit(NOTHING_FOUND)
        prompt = asker.prompt(question, hits)
    if output is Format.text:
        context.terminal.out(context_text(prompt))
    else:
        sources = [
            {"n": source.n, "tokens": source.tokens, **hit_record(source.hit)} for source in prompt.sources
        ]
        if output is Format.json:
            told = {"query": question, "context": context_text(prompt), "sources": sources}
            context.terminal.out(dump({**told, "tokens": prompt.tokens, "exact": prompt.exact}))
        else:
            for source in sources:
                context.terminal.out(dump(source))
    left_out = len(hits) - len(prompt.sources)
    kind = "tokens" if prompt.exact else "tokens (estimated)"
    context.terminal.detail(
        f"{sum(source.tokens for source in prompt.sources)} {kind} in {len(prompt.sources)} sources"
    )
    if left_out:
        context.terminal.detail(f"{left_out} passages did not fit into the budget")


@app.command("query", epilog='Example: rag query "how long are readings kept?"')
def query_command(
    ctx: typer.Context,
    query: QueryArgument,
    llm: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            help="openai:MODEL, ollama:MODEL, http(s)://HOST/v1#MODEL, cmd:COMMAND or none (default: none).",
        ),
    ] = None,
    k: CountOption = None,
    mode: ModeOption = None,
    filters: FilterOption = None,
    min_score: MinScoreOption = None,
    passages: PassagesOption = None,
    mmr: MmrOption = None,
    rerank: RerankOption = None,
    reranker: RerankerOption = None,
    rerank_candidates: CandidatesOption = None,
    rerank_weight: RerankWeightOption = None,
    rerank_budget_ms: RerankBudgetOption = None,
    budget: Annotated[
        int | None, typer.Option(metavar="TOKENS", min=50, help="Most tokens of the sources (default: 3000).")
    ] = None,
    wait: WaitOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Answer a question, with citations. Without an LLM the answer quotes the documents."""
    context: Context = ctx.obj
    question = read_query(query)
    again = rerank_flags(rerank, reranker, rerank_candidates, rerank_weight, rerank_budget_ms)
    shape = {"min_score": min_score, "passages": passages, "mmr": mmr, **again}
    flags = {"k": k, "mode": mode, "budget": budget, "llm": llm, "wait": wait, **shape}
    with _asker(context, flags, filters, fold=True) as asker:
        answer = _stream(context, asker, question, output)
        if output is Format.text:
            _finish_text(context, answer, asker.home)
    if not answer.answered:
        raise typer.Exit(NOTHING_FOUND)


def _stream(context: Context, asker: Asker, question: str, output: Format) -> Answer:
    """Print the answer as it comes, in the form that was asked for."""
    from ragcli.render.records import answer_record, dump, hit_record

    terminal = context.terminal

    def on_hits(hits: Sequence[Hit]) -> None:
        if output is Format.jsonl:
            terminal.out(
                dump({"event": "hits", "query": question, "hits": [hit_record(hit) for hit in hits]})
            )

    blank = ""  # white space that may turn out to be the last

    def on_token(text: str) -> None:
        nonlocal blank
        if output is Format.text:
            words = (blank + text).rstrip()
            blank = (blank + text)[len(words) :]
            terminal.piece(words)
        elif output is Format.jsonl:
            terminal.out(dump({"event": "token", "text": text}))
            sys.stdout.flush()

    answer = asker.answer(
        question, on_hits=on_hits, on_token=on_token, note=lambda line: terminal.note(f"note: {line}")
    )
    if output is Format.json:
        terminal.out(dump(answer_record(answer)))
    elif output is Format.jsonl:
        terminal.out(dump({"event": "done", **answer_record(answer)}))
    return answer


def _finish_text(context: Context, answer: Answer, home: Path) -> None:
    from ragcli.render.passages import print_answer

    terminal = context.terminal
    if answer.citations:
        print_answer(terminal, answer, home)
    elif answer.text:
        terminal.out()
    if answer.usage and answer.llm != "none":
        terminal.detail(", ".join(f"{name} {count}" for name, count in answer.usage.items()))
    if not answer.answered and not answer.text:
        terminal.note(
            "the documents do not answer this; `rag search` shows the nearest passages"
            if answer.hits
            else "nothing found: the documents do not answer this"
        )


@contextmanager
def _asker(
    context: Context, flags: dict[str, Any], filters: list[str] | None, *, fold: bool = False
) -> Iterator[Asker]:
    from ragcli.pipeline.ask import Asker
    from ragcli.pipeline.index import Index
    from ragcli.search import parse_filters

    wanted = parse_filters(filters or [])
    with Index.open(context.folder(), context.settings(**flags)) as index:
        yield Asker(index, context.terminal.note, wanted, context.terminal.detail, fold=fold)
