"""Records as JSON: the fields that scripts rely on."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ragcli.service.addresses import SERVICES

if TYPE_CHECKING:
    from ragcli.pipeline.examine import Examination
    from ragcli.pipeline.report import BuildReport
    from ragcli.types import Answer, Chunk, Hit, Prompt, Score, Sent

SCHEMA = 1
# C1 controls, line ends of Unicode, marks that reorder text, lone surrogates.
_UNESCAPED = re.compile(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def dump(value: Mapping[str, Any]) -> str:
    """One JSON object on one line, ``schema`` first; characters of every script as they are.

    What JSON does not escape by itself but could steer a terminal, break a line or not be written
    in UTF-8 is escaped too, so that a reader gets every text as it is.
    """
    text = json.dumps({"schema": SCHEMA, **value}, ensure_ascii=False)
    return _UNESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def hit_record(hit: Hit) -> dict[str, Any]:
    """A hit as ``rag search --format json`` gives it."""
    return {
        "rank": hit.rank,
        "id": hit.id,
        "document": hit.document,
        "record": hit.record,
        "path": hit.path,
        "title": hit.title,
        "heading": list(hit.heading),
        "lead": hit.lead,
        "page": hit.page,
        "page_label": hit.page_label,
        "lines": list(hit.lines) if hit.lines else None,
        "span": list(hit.span),
        "text": hit.text,
        "score": hit.score,
        "scores": {
            "lexical": _score(hit.lexical),
            "dense": _score(hit.dense),
            "fused": hit.fused,
            "rerank": hit.rerank,
            **({} if hit.evidence is None else {"evidence": hit.evidence}),
        },
        "flags": list(hit.flags),
        **({"chunks": list(hit.chunks)} if hit.chunks else {}),
        **({"duplicates": [_name(copy) for copy in hit.duplicates]} if hit.duplicates else {}),
    }


def _name(hit: Hit) -> dict[str, Any]:
    return {"id": hit.id, "document": hit.document, "span": list(hit.span)}


def _score(score: Score | None) -> dict[str, Any] | None:
    return {"rank": score.rank, "score": score.score} if score else None


def examination_record(found: Examination) -> dict[str, Any]:
    """What ``rag doctor`` found and did; ``mend`` is a line to type, or None."""
    checks = [
        {
            "check": finding.check,
            "ok": finding.ok,
            "message": finding.message,
            "mend": " && ".join(finding.mend) or None,
        }
        for finding in found.findings
    ]
    return {"ok": found.ok, "checks": checks, "repaired": found.repaired}


def chunk_record(chunk: Chunk) -> dict[str, Any]:
    """A chunk as ``rag chunk`` gives it."""
    return {
        "id": chunk.id,
        "heading": list(chunk.heading),
        "lead": chunk.lead,
        "page": chunk.page,
        "page_label": chunk.page_label,
        "lines": list(chunk.lines) if chunk.lines else None,
        "span": [chunk.start, chunk.end],
        "tokens": chunk.tokens,
        **({"written": chunk.written} if chunk.written else {}),
        "text": chunk.text,
    }


def answer_record(answer: Answer) -> dict[str, Any]:
    """An answer as ``rag query --format json`` gives it."""
    return {
        "query": answer.question,
        "answered": answer.answered,
        "answer": answer.text,
        "citations": [
            {
                "n": citation.n,
                "id": citation.hit.id,
                "document": citation.hit.document,
                "page": citation.hit.page,
                "lines": list(citation.lines) if citation.lines else None,
                "quote": citation.quote,
                "verified": citation.verified,
                "support": round(citation.support, 4),
                "reason": citation.reason,
            }
            for citation in answer.citations
        ],
        "sentences": [
            {
                "text": sentence.text,
                "citations": list(sentence.citations),
                "verified": sentence.verified,
                "reason": sentence.reason,
            }
            for sentence in answer.sentences
        ],
        "llm": answer.llm,
        "usage": dict(answer.usage),
        "sent": sent_record(answer.sent) if answer.sent else None,
        "hits": [hit_record(hit) for hit in answer.hits],
    }


def prompt_record(prompt: Prompt) -> dict[str, Any]:
    """What an LLM would be sent, as ``rag query --show-prompt --format json`` gives it."""
    return {
        "query": prompt.question,
        "system": prompt.system,
        "user": prompt.user,
        "sources": [
            {"n": source.n, "tokens": source.tokens, **hit_record(source.hit)} for source in prompt.sources
        ],
        "tokens": prompt.tokens,
        "exact": prompt.exact,
    }


def sent_record(sent: Sent) -> dict[str, Any]:
    """What was sent to write an answer."""
    return {
        "to": sent.to,
        "leaves": sent.leaves,
        "sources": sent.sources,
        "tokens": sent.tokens,
        "exact": sent.exact,
        "characters": sent.characters,
        "documents": list(sent.documents),
        "masked": dict(sent.masked),
        "secrets": dict(sent.secrets),
        "question_to": sent.question_to,
    }


def build_record(report: BuildReport) -> dict[str, Any]:
    """An indexing run as ``rag index --format json`` gives it."""
    return {
        "documents": {
            "added": report.added,
            "changed": report.changed,
            "removed": report.removed,
            "unchanged": report.unchanged,
            "failed": report.failed,
        },
        "chunks": {
            "added": report.chunks_added,
            "removed": report.chunks_removed,
            "total": report.chunks_total,
        },
        "embedded": report.embedded,
        "cached": report.cached,
        "failures": [
            {"path": failure.path, "error": failure.error, "message": failure.message}
            for failure in report.failures
        ],
        "skipped": dict(sorted(report.skipped.items())),
        "left_out": [{"path": path, "reason": reason} for path, reason in report.left_out],
        "tokens": report.tokens,
        "spent": report.spent,
        "cost": report.cost,
        "minutes": None if report.minutes is None else round(report.minutes, 3),
        "left": {
            "documents": report.left.documents,
            "texts": report.left.texts,
            "tokens": report.left.tokens,
        },
        "in_parts": report.in_parts,
        "flagged": report.flagged,
        "secrets": report.secrets,
        **({"contexts": asdict(report.contexts) | {"cost": report.contexts.cost}} if report.contexts else {}),
        "model": report.model,
        "runtime": report.runtime,
        "seconds": round(report.seconds, 3),
    }


def service_records() -> list[dict[str, Any]]:
    """The services that have a name; ``key_set`` is whether a variable of theirs holds a key."""
    return [
        {
            "service": service.name,
            "answers": service.chat,
            "embeds": service.embeds,
            "local": service.local,
            "url": service.url or None,
            "url_variable": service.variable,
            "key_variables": list(service.keys),
            "key_set": any(os.environ.get(name, "").strip() for name in service.keys),
        }
        for service in SERVICES.values()
    ]
