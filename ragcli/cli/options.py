"""Options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ragcli.errors import UsageError


class Format(StrEnum):
    """How a result is printed."""

    text = "text"
    json = "json"
    jsonl = "jsonl"


class SearchFormat(StrEnum):
    """How hits are printed."""

    text = "text"
    json = "json"
    jsonl = "jsonl"
    paths = "paths"
    trec = "trec"


class TableFormat(StrEnum):
    """How an evaluation is printed."""

    table = "table"
    json = "json"
    junit = "junit"
    github = "github"


class SearchMode(StrEnum):
    """Which lists are searched."""

    hybrid = "hybrid"
    dense = "dense"
    lexical = "lexical"


class Fusion(StrEnum):
    """How two lists become one."""

    convex = "convex"
    rrf = "rrf"


class Chunker(StrEnum):
    """How documents are cut."""

    structure = "structure"
    recursive = "recursive"
    sentence = "sentence"
    semantic = "semantic"
    page = "page"


class Flagged(StrEnum):
    """What becomes of passages that look like instructions to a model."""

    keep = "keep"
    drop = "drop"


ChunkerOption = Annotated[
    Chunker | None, typer.Option("--chunker", help="How to cut documents (default: structure).")
]
ContextOption = Annotated[
    str | None,
    typer.Option(
        "--context", metavar="LIST",
        help="What is searched with a chunk's text: llm, headings (default), none, or some of title,headings,lead,llm.",
    ),
]  # fmt: skip
LlmOption = Annotated[
    str | None,
    typer.Option(
        "--llm", metavar="SPEC",
        help="openai:MODEL, anthropic:MODEL, ollama:MODEL, http(s)://HOST/v1#MODEL, cmd:COMMAND or none (default).",
    ),
]  # fmt: skip
FormatOption = Annotated[Format, typer.Option("--format", help="How to print the result.")]
ModelOption = Annotated[
    str | None, typer.Option("--model", metavar="SPEC", help="Embedding model: a name or a folder.")
]
PasswordOption = Annotated[
    list[str] | None,
    typer.Option(
        "--password", metavar="WORD",
        help="Opens encrypted files; RAG_PASSWORD keeps it out of the history. May be repeated.",
    ),
]  # fmt: skip
OcrOption = Annotated[
    str | None,
    typer.Option(
        metavar="LANGUAGES", help="Read pictures of text with tesseract, as in eng+deu (default: no)."
    ),
]
TrustOption = Annotated[
    bool | None,
    typer.Option("--trust", help="Run the commands and ask the addresses that the project's rag.toml names."),
]
MaskOption = Annotated[
    bool | None,
    typer.Option(
        "--mask-secrets/--no-mask-secrets",
        help="Replace keys, tokens and passwords in what a model is given (default: as the index was made).",
        show_default=False,
    ),
]
FlaggedOption = Annotated[
    Flagged | None,
    typer.Option(
        "--flagged", help="Passages that look like instructions to a model (default: keep, marked)."
    ),
]
CountOption = Annotated[
    int | None, typer.Option("-k", metavar="N", min=1, help="Passages at most (default: 10).")
]
ModeOption = Annotated[SearchMode | None, typer.Option("--mode", help="Lists to search (default: hybrid).")]
FusionOption = Annotated[Fusion | None, typer.Option("--fusion", help="How to fuse them (default: convex).")]
WeightOption = Annotated[
    float | None,
    typer.Option(
        "--dense-weight", metavar="W", min=0.0, max=1.0, help="The dense list's share (default: 0.5)."
    ),
]
RerankOption = Annotated[
    bool | None,
    typer.Option("--rerank/--no-rerank", help="Let a cross-encoder order the best passages (default: no)."),
]
RerankerOption = Annotated[
    str | None,
    typer.Option(
        "--reranker", metavar="SPEC", help="The cross-encoder, a name or a folder; says --rerank as well."
    ),
]
CandidatesOption = Annotated[
    int | None,
    typer.Option("--rerank-candidates", metavar="N", min=1, help="Passages that it reads (default: 30)."),
]
RerankWeightOption = Annotated[
    float | None,
    typer.Option(
        "--rerank-weight", metavar="W", min=0.0, max=1.0, help="Its share in the score (default: 0.5)."
    ),
]
RerankBudgetOption = Annotated[
    float | None,
    typer.Option(
        "--rerank-budget-ms",
        metavar="MS",
        min=1.0,
        help="How long it may read; what it did not come to keeps its score (default: no limit).",
    ),
]
WaitOption = Annotated[
    float | None,
    typer.Option(
        "--wait", metavar="SECONDS", min=0.0, help="How long to wait for another process (default: 10)."
    ),
]
FilterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="KEY=VALUE",
        help="Only documents that meet this: path='notes/**', ext=md,txt, language=zh, date>=2026-05, or a "
        "field of their own. All of several hold.",
    ),
]
MinScoreOption = Annotated[
    str | None,
    typer.Option(
        "--min-score",
        metavar="E|auto",
        help="Only passages with so much evidence, between 0 and 1; auto: as the index itself tells.",
    ),
]
PassagesOption = Annotated[
    bool | None,
    typer.Option(
        "--passages/--no-passages",
        help="Merge hits that stand near each other in a document (default: no).",
        show_default=False,
    ),
]
MmrOption = Annotated[
    float | None,
    typer.Option(
        "--mmr",
        metavar="L",
        min=0.0,
        max=1.0,
        help="Choose hits that differ from each other: L is relevance's share, 1 all of it.",
    ),
]
QUERY_HELP = (
    'The question, in words; "a phrase", +demanded, -left-out, begin*. - reads it from standard input.'
)
QueryArgument = Annotated[str, typer.Argument(metavar="QUERY", help=QUERY_HELP)]


def rerank_flags(
    rerank: bool | None,
    reranker: str | None,
    candidates: int | None,
    weight: float | None,
    budget: float | None,
) -> dict[str, Any]:
    """The settings that the flags of reranking stand for; whoever names a reranker wants it used."""
    return {
        "rerank": True if rerank is None and reranker is not None else rerank,
        "reranker": reranker,
        "rerank_candidates": candidates,
        "rerank_weight": weight,
        "rerank_budget_ms": budget,
    }


def read_query(query: str) -> str:
    """The question itself; ``-`` stands for standard input."""
    if query != "-":
        return query
    try:
        return sys.stdin.buffer.read().decode("utf-8").strip()
    except UnicodeDecodeError:
        raise UsageError("the question on standard input is not UTF-8") from None


def existing(path: Path) -> Path:
    """``path``, or ``UsageError`` when there is nothing."""
    if not path.exists():
        raise UsageError(f"no such file or folder: {path}")
    return path


def check_free(file: Path | None, others: Sequence[Path | None], *, force: bool) -> None:
    """Refuse to write where something else is, or will be."""
    if file is None:
        return
    named = [other for other in others if other is not None]
    if any(file.resolve() == other.resolve() or _are_one(file, other) for other in named):
        raise UsageError(f"{file} is named twice; choose another name for what is written")
    if file.exists() and not file.is_file() and not file.is_dir():
        raise UsageError(f"{file} is no file; name one")
    if file.is_dir() or not file.absolute().parent.is_dir():
        raise UsageError(f"{file} cannot be written; name a file in a folder that exists")
    if file.exists() and not force:
        raise UsageError(f"{file} exists already; choose another name or add --force")


def _are_one(file: Path, other: Path) -> bool:
    """Whether two names are links to one file."""
    return file.exists() and other.exists() and file.samefile(other)
