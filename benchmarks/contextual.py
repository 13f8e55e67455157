"""Pass@5/10/20 with no context, with headings, and with contexts that an LLM wrote, in every mode.

    python -m benchmarks.contextual [SET] [--llm SPEC] [--keep DIR] [--reranker SPEC] [--json FILE]

SET is a folder in the BEIR layout, ../shared/eval/anthropic-docs without it. Pass@k is, as in the
published notebook, the mean over the questions of the share of its judged documents that are among
the first k. Contexts by an LLM are measured only where one is named: ``--llm loopback`` stands for a
server of this very process on 127.0.0.1 that writes the first words of the document it is shown,
which shows that the command runs and tells nothing of what an LLM's contexts are worth.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.quality import ROOT, rag
from benchmarks.report import write_report
from ragcli.evaluate import read_qrels, read_queries
from ragcli.pipeline.judge import RERANKED, judge
from ragcli.settings import Settings

SET = ROOT.parent / "shared" / "eval" / "anthropic-docs"
DEPTHS = (5, 10, 20)
METRICS = tuple(f"recall@{depth}" for depth in DEPTHS)
MODES = ("lexical", "dense", "hybrid")
LOOPBACK = "loopback"
# Anthropic's cookbook, contextual embeddings: what it measured, and Pass@5, @10 and @20 in per cent.
PUBLISHED = (
    ("embeddings alone", (80.9, 87.2, 90.1)),
    ("embeddings with LLM contexts", (86.4, 92.8, 93.8)),
    ("and BM25", (86.4, 93.2, 95.0)),
    ("and a reranker", (91.2, 94.8, 96.3)),
)
PUBLISHED_ON = "published: 248 questions over 9 code bases, Voyage embeddings; another set than this one"


class _Writer(BaseHTTPRequestHandler):
    """Answers a chat request with the first words of the document in its system message, streamed."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        told = {message["role"]: message["content"] for message in body["messages"]}
        document = told["system"].rpartition("<document>\n")[2].rpartition("\n</document>")[0]
        words = re.findall(r"[^\s<>]+", document)[:40]
        note = f"From a document that begins: {' '.join(words)}."
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        event = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        for delta, finish in (({"content": note}, None), ({}, "stop")):
            choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
            self.wfile.write(f"data: {json.dumps({**event, 'choices': choices})}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def loopback() -> Iterator[str]:
    """The spec of an LLM that runs in a thread of this process."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Writer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1#first-words"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def measure(folder: Path, index: Path, context: str, llm: str | None, reranker: str | None) -> dict[str, Any]:
    """Build an index of one kind of context and judge every mode on it."""
    words = ["index", str(folder / "corpus.jsonl"), "--context", context]
    built = rag(index, *words, *(("--llm", llm) if llm else ()), online=llm is not None)
    modes = (*MODES, f"hybrid{RERANKED}") if reranker else MODES
    found = judge(
        index,
        Settings(offline=True, reranker=reranker),
        read_queries(folder / "queries.jsonl"),
        read_qrels(folder / "qrels.tsv"),
        modes,
        lambda _: None,
        METRICS,
    )
    passed = {
        mode: {name: report.metrics[name] for name in METRICS} for mode, report in found.reports.items()
    }
    return {
        "context": context,
        "chunks": built["chunks"]["total"],
        "queries": found.queries,
        "contexts": built.get("contexts"),
        "modes": passed,
    }


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: Pass@k of each context and mode in per cent, and below them the published figures."""
    lines = [
        f"| context | mode | chunks | {' | '.join(f'Pass@{depth}' for depth in DEPTHS)} |",
        f"|---|---|---:|{'---:|' * len(DEPTHS)}",
    ]
    for result in results:
        for mode, found in result["modes"].items():
            cells = " | ".join(f"{100 * found[name]:.1f}" for name in METRICS)
            lines.append(f"| {result['context']} | {mode} | {result['chunks']} | {cells} |")
    for name, values in PUBLISHED:
        lines.append(f"| {PUBLISHED_ON} | {name} | | {' | '.join(map(str, values))} |")
    return "\n".join(lines)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", nargs="?", type=Path, default=SET)
    parser.add_argument("--llm")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--reranker")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = []
    with (
        nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as work,
        loopback() if options.llm == LOOPBACK else nullcontext(options.llm) as llm,
    ):
        for context in ("none", "headings", *(["llm"] if llm else [])):
            index = Path(work).resolve() / context / ".rag"
            writer = llm if context == "llm" else None
            results.append(measure(options.set, index, context, writer, options.reranker))
            if writer:
                results[-1]["context"] = f"llm ({options.llm})"
            print(table(results[-1:]), file=sys.stderr, flush=True)
    print(table(results))
    if options.json:
        command = "python -m benchmarks.contextual"
        command += f" --llm {options.llm}" if options.llm else ""
        write_report(options.json, command, table(results), results)


if __name__ == "__main__":
    main()
