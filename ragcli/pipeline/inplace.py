"""A search over a handful of files without an index: nothing is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ragcli.analyze import Analyzer
from ragcli.chunk import settle
from ragcli.embed import find_model, open_embedder, open_tokenizer, read_token_limit
from ragcli.errors import UsageError
from ragcli.load import FoundFile, Job, LoaderPool, walk
from ragcli.pipeline.ask import Found
from ragcli.pipeline.means import means_of
from ragcli.pipeline.report import reason_to_leave_out
from ragcli.pipeline.rerank import Reranking
from ragcli.search import parse_question, rank_in_memory
from ragcli.settings import DEFAULT_MODEL, Settings
from ragcli.tokens import FastTokenizer
from ragcli.types import Chunk, Document, Failure, Hit, Score


def tokenizer_of(spec: str | None, *, offline: bool) -> tuple[FastTokenizer, int]:
    """A model's tokenizer and the most tokens of a text it reads, without loading it where possible."""
    files = find_model(spec or DEFAULT_MODEL)
    tokenizer, limit = open_tokenizer(files), read_token_limit(files)
    if tokenizer is None or limit is None:
        embedder = open_embedder(files.spec, offline=offline)
        return embedder.tokenizer, embedder.max_tokens
    return tokenizer, limit - tokenizer.special_tokens


def chunk_file(
    file: Path, settings: Settings, passwords: Sequence[str] = ()
) -> tuple[list[tuple[Document, list[Chunk]]], list[Failure]]:
    """The documents of one file with their chunks as ``rag index`` would make them, and what cannot be read."""
    tokenizer, limit = tokenizer_of(settings.model, offline=settings.offline)
    cutting = settle(limit, settings.chunk_size, settings.overlap, settings.chunker, settings.context)
    embed = None
    if cutting.embeds:
        embed = open_embedder(settings.model or DEFAULT_MODEL, offline=settings.offline).embed_documents
    found: list[tuple[Document, list[Chunk]]] = []
    failures: list[Failure] = []
    with LoaderPool(means_of(settings, passwords), workers=1, seconds=settings.file_seconds) as pool:
        for _, item in pool.load([Job(file, file.as_posix())]):
            if isinstance(item, Failure):
                if item.path == file.as_posix() or not reason_to_leave_out(item, file.as_posix()):
                    failures.append(item)
            elif item is not None:
                found.append((item, cutting.chunks(item, tokenizer, embed)))
    return found, failures


def search_files(
    query: str,
    paths: Sequence[Path],
    settings: Settings,
    note: Callable[[str], None],
    detail: Callable[[str], None],
    passwords: Sequence[str] = (),
) -> tuple[Found, list[Failure]]:
    """The best passages of the files by words, reranked where that is set, and what cannot be read.

    Raises ``UsageError`` for a missing path, an empty query, and a reranker that is not set.
    """
    start = time.perf_counter()
    reranking = Reranking(settings, note, detail) if settings.rerank else None
    depth = max(settings.k, reranking.candidates) if reranking else settings.k
    tokenizer, limit = tokenizer_of(settings.model, offline=settings.offline)
    # Nothing is embedded here, so that no chunker that would have to is asked.
    cutting = settle(limit, settings.chunk_size, 0, None, settings.context)
    documents: dict[str, Document] = {}
    chunks: dict[str, Chunk] = {}
    failures: list[Failure] = []
    means = means_of(settings, passwords)
    jobs: list[Job] = []
    for found in walk(paths, max_bytes=int(settings.max_file_mb * 1_000_000), also=means.loaders):
        if isinstance(found, FoundFile):
            jobs.append(Job(found.path, found.path.as_posix()))
        elif found.path in paths:
            failures.append(Failure(str(found.path), found.reason, f"left out: {found.reason}"))
    with LoaderPool(means, seconds=settings.file_seconds) as pool:
        for job, item in pool.load(jobs):
            if isinstance(item, Failure):
                if job.file in paths or not reason_to_leave_out(item, job.path):
                    failures.append(item)
            elif item is not None:
                documents[item.id] = item
                chunks.update((chunk.id, chunk) for chunk in cutting.chunks(item, tokenizer))
    ranked = rank_in_memory(query, list(chunks.values()), Analyzer.of(settings.languages))
    if not documents and not failures:
        raise UsageError("none of the paths holds a file that can be read")
    hits = []
    for rank, (name, score) in enumerate(ranked[:depth], 1):
        chunk = chunks[name]
        document = documents[chunk.document]
        hits.append(
            Hit(
                rank=rank,
                id=chunk.id,
                document=document.id,
                record=document.record,
                path=document.path,
                title=document.title,
                heading=chunk.heading,
                page=chunk.page,
                lines=chunk.lines,
                span=(chunk.start, chunk.end),
                text=chunk.text,
                score=score,
                lexical=Score(rank, score),
                fused=score,
                lead=chunk.lead,
                page_label=chunk.page_label,
            )
        )
    took: dict[str, float] = {}
    if reranking is not None:
        hits = reranking.order(parse_question(query).plain, hits, took)[: settings.k]
    took["total"] = (time.perf_counter() - start) * 1000
    return Found(hits, took), failures
