"""A search over a handful of files without an index: nothing is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ragcli.analyze import Analyzer
from ragcli.chunk import settle
from ragcli.embed import TokenGuess, find_model, is_service, open_tokenizer, read_token_limit
from ragcli.errors import IndexMissing, UsageError
from ragcli.guard import scan
from ragcli.load import FoundFile, Job, LoaderPool, walk
from ragcli.pipeline.ask import Found
from ragcli.pipeline.contexts import take_known
from ragcli.pipeline.index import Index
from ragcli.pipeline.means import means_of
from ragcli.pipeline.model import open_model, reads
from ragcli.pipeline.report import reason_to_leave_out
from ragcli.pipeline.rerank import Reranking
from ragcli.pipeline.survey import lies_under
from ragcli.search import parse_question, rank_in_memory
from ragcli.settings import DEFAULT_MODEL, Settings
from ragcli.tokens import TokenCounter
from ragcli.types import Chunk, Document, Failure, Hit, Score


def tokenizer_of(settings: Settings) -> tuple[TokenCounter, int]:
    """The model's tokenizer and the most tokens of a text it reads, without loading it where possible."""
    spec = settings.model or DEFAULT_MODEL
    if is_service(spec):
        return TokenGuess(spec), reads(spec, settings)
    files = find_model(spec)
    tokenizer, limit = open_tokenizer(files), read_token_limit(files)
    if tokenizer is None or limit is None:
        embedder = open_model(files.spec, settings)
        return embedder.tokenizer, embedder.max_tokens
    return tokenizer, limit - tokenizer.special_tokens


def chunk_file(
    file: Path, settings: Settings, passwords: Sequence[str] = (), *, folder: Path | None = None
) -> tuple[list[tuple[Document, list[Chunk]]], list[Failure]]:
    """The documents of one file with their chunks as ``rag index`` would make them, and what cannot be read.

    ``file`` may lead on into an archive or a letter, as paths of documents do (``papers.zip/2024/a.pdf``).
    No LLM is asked: where one writes contexts, those are shown that the index in ``folder`` holds.
    Raises ``UsageError`` where there is no such file, or nothing of that name in it.
    """
    outer = next((path for path in (file, *file.parents) if path.exists()), None)
    if outer is None or not outer.is_file():
        raise UsageError(f"no such file: {file}")
    wanted = file.as_posix()
    tokenizer, limit = tokenizer_of(settings)
    cutting = settle(limit, settings.chunk_size, settings.overlap, settings.chunker, settings.context)
    embed = None
    if cutting.embeds:
        embed = open_model(settings.model or DEFAULT_MODEL, settings).embed_documents
    found: list[tuple[Document, list[Chunk]]] = []
    failures: list[Failure] = []
    with LoaderPool(means_of(settings, passwords), workers=1, seconds=settings.file_seconds) as pool:
        for _, item in pool.load([Job(outer, outer.as_posix())]):
            if item is None:
                continue
            within = lies_under(item.path, wanted)
            if isinstance(item, Document):
                if within:
                    found.append((item, cutting.chunks(item, tokenizer, embed)))
            elif item.path == wanted or (
                (within or item.path == outer.as_posix()) and not reason_to_leave_out(item, outer.as_posix())
            ):
                failures.append(item)
    if outer != file and not found and not failures:
        raise UsageError(f"there is no {file.relative_to(outer)} in {outer} that holds text")
    if cutting.awaits and folder is not None:
        with suppress(IndexMissing), Index.open(folder, settings) as index:
            found = [
                (document, take_known(index.catalog, settings.llm, cutting, tokenizer, document, chunks))
                for document, chunks in found
            ]
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
    tokenizer, limit = tokenizer_of(settings)
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
                flags=tuple(sorted({flag.kind for flag in scan(f"{chunk.lead}\n\n{chunk.text}")})),
            )
        )
    took: dict[str, float] = {}
    if reranking is not None:
        hits = reranking.order(parse_question(query).plain, hits, took)[: settings.k]
    took["total"] = (time.perf_counter() - start) * 1000
    return Found(hits, took), failures
