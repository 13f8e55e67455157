"""Index and search the same abstracts with ragcli and with its peers, in turn, and print tables.

    python -m benchmarks.peers [--set DIR] [--documents 1000] [--runs 5] [--peers llm,txtai] [--keep DIR]
                              [--json FILE]

DIR of ``--set`` has corpus.jsonl, queries.jsonl and qrels.tsv, ../shared/eval/cranfield without it.
Every peer is installed into an environment of its own below ``--keep``, which stays for the next run, and
embeds with the same weights, from a package. A round asks every peer once; medians of the rounds are
told. With ``--json`` a page with plots is written beside FILE.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.peers.environments import OURS, PEERS, Installed, install, variables
from benchmarks.peers.tables import Result, notes, page, ratios, table
from benchmarks.process import run
from benchmarks.quality import ROOT
from benchmarks.report import write_report
from ragcli.evaluate import Qrels, Query, measure, read_qrels, read_queries
from ragcli.places import cache_folder

_WARM_UP = 20  # documents and questions of the round that nothing is measured in


@dataclass(frozen=True, slots=True)
class Judged:
    """The first documents of a set, written anew, and the questions that they answer."""

    corpus: Path
    questions: Path
    queries: Sequence[Query]
    qrels: Qrels

    @classmethod
    def cut(cls, folder: Path, count: int, home: Path) -> Judged:
        """Take ``count`` documents, and judgements of no others."""
        found = _read(folder / "corpus.jsonl")[:count]
        records = [{name: record.get(name, "") for name in ("_id", "title", "text")} for record in found]
        known = {record["_id"] for record in records}
        qrels = {
            query: {name: grade for name, grade in grades.items() if name in known}
            for query, grades in read_qrels(folder / "qrels.tsv").items()
        }
        queries = [
            query
            for query in read_queries(folder / "queries.jsonl")
            if any(grade > 0 for grade in qrels.get(query.id, {}).values())
        ]
        asked = [{"_id": query.id, "text": query.text} for query in queries]
        return cls(
            _write(home / "corpus.jsonl", records), _write(home / "questions.jsonl", asked), queries, qrels
        )

    def few(self, home: Path) -> Judged:
        """As many documents and questions as warm up."""
        corpus, questions = (
            _write(home / f"few-{path.name}", _read(path)[:_WARM_UP])
            for path in (self.corpus, self.questions)
        )
        return replace(self, corpus=corpus, questions=questions)

    def ndcg(self, rows: Sequence[Mapping[str, Any]]) -> float:
        """nDCG@10, the mean over all questions."""
        return statistics.mean(measure("ndcg@10", row["ids"], self.qrels[row["query"]]) for row in rows)


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]


def _write(path: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in records), "utf-8")
    return path


def once(
    installed: Installed, judged: Judged, question: str, environment: Mapping[str, str], home: Path
) -> dict[str, float]:
    """One peer's part of a round."""
    peer, folder, out = installed.peer, home / "index", home / "out.jsonl"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    found: dict[str, float] = {}
    command = installed.command(peer.index, corpus=judged.corpus, folder=folder)
    found["index"], found["index_memory"], _ = run(command, home, environment)
    found["disk"] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    command = installed.command(peer.search, folder=folder, question=question)
    found["cold"], found["search_memory"], _ = run(command, home, environment)
    run(installed.command(peer.batch, folder=folder, questions=judged.questions, out=out), home, environment)
    rows = _read(out)
    found["warm"] = statistics.median(row["seconds"] for row in rows)
    found["ndcg"] = judged.ndcg(rows)
    return found


def main() -> None:
    """Install, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--set", type=Path, default=ROOT.parent / "shared" / "eval" / "cranfield")
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", help="some of them, with commas between")
    parser.add_argument("--keep", type=Path, default=cache_folder() / "peers")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    known = {peer.name: peer for peer in PEERS}
    names = options.peers.split(",") if options.peers else list(known)
    if unknown := set(names) - set(known):
        parser.error(f"no such peer: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if not (options.set / "corpus.jsonl").is_file():
        parser.error(f"no corpus.jsonl in {options.set}; name a judged set with --set")
    keep = options.keep.resolve()
    environment = variables(keep)
    installed = [install(peer, keep) for peer in (OURS, *(known[name] for name in names))]
    results = [Result(each.peer.label, each.version, each.peer.how, {}) for each in installed]
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        judged = Judged.cut(options.set, options.documents, home)
        for each in installed:  # compiles, and fills what each keeps in caches of its own
            once(each, judged.few(home), judged.queries[0].text, environment, home)
        rounds = 0
        with suppress(KeyboardInterrupt):  # ends it with the rounds that are whole
            for number in range(options.runs):
                question = judged.queries[number % len(judged.queries)].text
                turn = []
                for each in installed:
                    turn.append(once(each, judged, question, environment, home))
                    print(number + 1, each.peer.label, json.dumps(turn[-1]), file=sys.stderr, flush=True)
                for result, found in zip(results, turn, strict=True):
                    result.add(found)
                rounds += 1
    settings = f"{options.documents} documents and {len(judged.queries)} questions of {options.set.name}"
    told = f"{table(results)}\n\n{ratios(results)}\n\n{notes(results, settings, rounds)}"
    print(told)
    if options.json:
        command = f"python -m benchmarks.peers --documents {options.documents} --runs {rounds}"
        command += f" --peers {options.peers}" if options.peers else ""
        report = write_report(options.json, command, told, [asdict(result) for result in results])
        measured = f"{settings}, measured on {report['date']}: {report['machine']}"
        options.json.with_suffix(".html").write_text(page(results, measured, command), "utf-8")


if __name__ == "__main__":
    main()
