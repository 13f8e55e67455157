"""``rag context``: numbered sources, ready to be piped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ragcli.cli.asking import open_asker, tell_stale, why_nothing
from ragcli.cli.options import (
    CandidatesOption,
    CountOption,
    FilterOption,
    FlaggedOption,
    Format,
    FormatOption,
    MaskOption,
    MinScoreOption,
    MmrOption,
    ModeOption,
    PassagesOption,
    QueryArgument,
    RerankBudgetOption,
    RerankerOption,
    RerankOption,
    RerankWeightOption,
    WaitOption,
    read_query,
    rerank_flags,
)
from ragcli.cli.program import Context, app
from ragcli.errors import NOTHING_FOUND

if TYPE_CHECKING:
    pass


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
    flagged: FlaggedOption = None,
    mask_secrets: MaskOption = None,
    wait: WaitOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Print numbered sources for an LLM. They are the passages, ready to be piped."""
    from ragcli.pipeline.answer import Answerer
    from ragcli.prompt import context_text
    from ragcli.render.records import dump, hit_record

    context: Context = ctx.obj
    question = read_query(query)
    again = rerank_flags(rerank, reranker, rerank_candidates, rerank_weight, rerank_budget_ms)
    shape = {
        "min_score": min_score,
        "passages": passages,
        "mmr": mmr,
        "flagged": flagged,
        "mask_secrets": mask_secrets,
        **again,
    }
    flags = {"k": k, "mode": mode, "budget": budget, "wait": wait, **shape}
    with open_asker(context, flags, filters, fold=True, for_prompt=True) as asker:
        hits = asker.search(question).hits
        if not hits:
            context.terminal.note(why_nothing(asker, question))
            raise typer.Exit(NOTHING_FOUND)
        prompt = Answerer(asker).prompt(question, hits)
        tell_stale(context, asker, [source.hit for source in prompt.sources])
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
