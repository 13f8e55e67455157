"""``rag query``: the answer, streamed, with citations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragcli.cli.asking import open_asker, tell_stale, unfinished_note, why_nothing
from ragcli.cli.options import (
    QUERY_HELP,
    CandidatesOption,
    CountOption,
    FilterOption,
    FlaggedOption,
    Format,
    FormatOption,
    LlmOption,
    MaskOption,
    MinScoreOption,
    MmrOption,
    ModeOption,
    PassagesOption,
    RerankBudgetOption,
    RerankerOption,
    RerankOption,
    RerankWeightOption,
    TrustOption,
    WaitOption,
    read_query,
    rerank_flags,
)
from ragcli.cli.program import Context, app
from ragcli.cli.talk import Talk, answer_batch, as_asked
from ragcli.errors import NOTHING_FOUND, UsageError

if TYPE_CHECKING:
    from ragcli.pipeline.ask import Asker
    from ragcli.types import Answer, Hit, Prompt, Sentence


@app.command("query", epilog='Example: rag query "how long are readings kept?"')
def query_command(
    ctx: typer.Context,
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help=QUERY_HELP)] = None,
    llm: LlmOption = None,
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
    trust: TrustOption = None,
    system: Annotated[
        str | None,
        typer.Option("--system", metavar="FILE", help="Instructions to the LLM instead of rag's own."),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            metavar="FILE",
            help="What the LLM is asked, with {context} and {question} where they belong.",
        ),
    ] = None,
    strict: Annotated[
        bool | None,
        typer.Option(
            "--strict/--no-strict",
            help="Leave out what the sources do not confirm; exit code 1 when nothing is left (default: no).",
            show_default=False,
        ),
    ] = None,
    show_prompt: Annotated[
        bool, typer.Option("--show-prompt", help="Print what an LLM would be sent, and ask none.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--continue", help="The question may lean on those asked before.")
    ] = False,
    decompose: Annotated[
        bool, typer.Option("--decompose", help="Have the LLM split a question that has several parts.")
    ] = False,
    batch: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Questions from a queries.jsonl (- for stdin); prints jsonl."),
    ] = None,
    flagged: FlaggedOption = None,
    mask_secrets: MaskOption = None,
    show_sent: Annotated[
        bool, typer.Option("--show-sent", help="Say afterwards what was sent, and where.")
    ] = False,
    wait: WaitOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Answer a question, with citations. Without an LLM the answer quotes the documents."""
    context: Context = ctx.obj
    again = rerank_flags(rerank, reranker, rerank_candidates, rerank_weight, rerank_budget_ms)
    shape = {
        "min_score": min_score,
        "passages": passages,
        "mmr": mmr,
        "flagged": flagged,
        "mask_secrets": mask_secrets,
        **again,
    }
    texts = {"system_file": system, "template_file": template, "strict": strict}
    flags = {
        "k": k,
        "mode": mode,
        "budget": budget,
        "llm": llm,
        "trust": trust,
        "wait": wait,
        **texts,
        **shape,
    }
    if show_prompt:
        if batch is not None or resume or decompose:
            raise UsageError(
                "--show-prompt takes one question; leave out --batch, --continue and --decompose"
            )
        with open_asker(context, flags, filters, fold=True, for_prompt=True) as asker:
            _show_prompt(context, asker, read_query(query or ""), output)
        return
    if batch is not None:
        if query is not None or resume:
            raise UsageError("--batch takes its questions from the file; leave out QUERY and --continue")
        answered = answer_batch(context, batch, output, flags, filters, decompose=decompose)
    elif query is None:
        raise UsageError(
            "the question is missing; say rag query QUERY or --batch FILE, or see rag query --help"
        )
    else:
        question = read_query(query)
        with open_asker(context, flags, filters, fold=True, for_prompt=True) as asker:
            talk = Talk.open(context, asker, resume=resume, leans=resume, decompose=decompose)
            answer = talk.ask(asker, question, output)
            if output is Format.text:
                finish_text(context, answer, asker.home)
            if not answer.hits and (told := unfinished_note(asker)):
                context.terminal.note(told)
            tell_stale(context, asker, [citation.hit for citation in answer.citations])
            if show_sent:
                from ragcli.render.passages import sent_note

                context.terminal.note(sent_note(answer, asker.question_to))
        answered = answer.answered
    if not answered:
        raise typer.Exit(NOTHING_FOUND)


def _show_prompt(context: Context, asker: Asker, question: str, output: Format) -> None:
    """Print the instructions and the user's text as an LLM would get them."""
    from ragcli.pipeline.answer import Answerer
    from ragcli.render.records import dump, prompt_record

    terminal = context.terminal
    answerer = Answerer(asker)
    hits = asker.search(question).hits
    if not hits:
        terminal.note(why_nothing(asker, question))
        raise typer.Exit(NOTHING_FOUND)
    prompt: Prompt = answerer.prompt(question, hits)
    if output is Format.text:
        terminal.out(f"{prompt.system}\n\n{prompt.user}")
    else:
        terminal.out(dump(prompt_record(prompt)))
    terminal.note(f"{prompt.tokens} tokens{'' if prompt.exact else ' (estimated)'}; no LLM was asked")


def stream_answer(context: Context, asker: Asker, question: str, output: Format, *, talk: Talk) -> Answer:
    """Print the answer as it comes, in the form that was asked for."""
    from ragcli.pipeline.answer import Answerer
    from ragcli.render.passages import print_doubt
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
            terminal.flush()

    def on_sentence(sentence: Sentence) -> None:
        if output is Format.text and sentence.reason not in ("", "refusal"):
            print_doubt(terminal)

    answer = Answerer(asker).answer(
        talk.standalone,
        on_hits=on_hits,
        on_token=on_token,
        on_sentence=on_sentence,
        note=lambda line: terminal.note(f"note: {line}"),
        find=talk.parted.find if talk.parted else None,
    )
    answer = as_asked(answer, question)
    if output is Format.json:
        terminal.out(dump({**answer_record(answer), **talk.fields()}))
    elif output is Format.jsonl:
        terminal.out(dump({"event": "done", **answer_record(answer), **talk.fields()}))
    return answer


def finish_text(context: Context, answer: Answer, home: Path) -> None:
    from ragcli.render.passages import print_answer
    from ragcli.render.usage import usage_line

    terminal = context.terminal
    if answer.citations:
        print_answer(terminal, answer, home)
    elif answer.text:
        terminal.out()
    if answer.usage and answer.llm != "none":
        terminal.detail(usage_line(answer.usage))
    # Where an LLM was asked, what became of its words was noted.
    if not answer.answered and not answer.text and answer.sent is None:
        terminal.note(
            "the documents do not answer this; `rag search` shows the nearest passages"
            if answer.hits
            else "nothing found: no passage answers this"
        )
