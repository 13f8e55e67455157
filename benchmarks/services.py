"""A build through an embedding service that limits, refuses and dies, and whose build is stopped.

    python -m benchmarks.services [--texts 20000] [--tpm 60000] [--json FILE]

Runs ``rag index`` over short synthetic texts against the loopback server of the tests, which
allows so many tokens a minute, refuses 30 % of all requests with 429, is killed (SIGKILL) and
started again twice, while the build is stopped (SIGTERM) and run again twice. The server notes each
text when it answers for it: that is what a service would have billed. The throughput is of the
stretches between these events, from the first text billed to the last. In a second row the build
itself is killed (SIGKILL): what was under way then is billed again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.report import write_report

_WORDS = ("amber", "basil", "cedar", "dune", "ember", "fjord", "grove", "heron", "inlet", "juniper", "kelp", "larch",
          "moor", "nettle", "oak", "pine", "quartz", "reed", "sedge", "thyme", "umber", "vale", "willow")  # fmt: skip
_REFUSED = 0.3
_LATENCY = 0.3  # seconds that the server takes for a request
_CONCURRENCY = 8


class Billing:
    """The server, as a process that can be killed, and what it has noted."""

    def __init__(self, home: Path, tpm: float) -> None:
        self.log = home / "billed"
        self.log.touch()
        self.tpm = tpm
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.starts = 0
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self.starts += 1
        options = {
            "port": self.port,
            "log": self.log,
            "tpm": self.tpm,
            "refuse": _REFUSED,
            "latency": _LATENCY,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        command = [sys.executable, "-m", "tests.embed.server", *words, "--seed", str(self.starts)]
        self.process = subprocess.Popen(command)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def billed(self) -> list[tuple[str, float, int]]:
        """Hash, moment and tokens of each text billed."""
        lines = self.log.read_text("utf-8").splitlines()
        return [(name, float(at), int(tokens)) for name, at, tokens in (line.split() for line in lines)]


def write(folder: Path, texts: int) -> set[str]:
    """A collection of short texts, a thousand a file; the hashes of what is embedded of them."""
    folder.mkdir()
    rng = random.Random(1)
    lines = [f"Record {n} tells of {' '.join(rng.choices(_WORDS, k=8))}." for n in range(texts)]
    for first in range(0, texts, 1000):
        records = [
            json.dumps({"_id": str(first + n), "text": line})
            for n, line in enumerate(lines[first : first + 1000])
        ]
        (folder / f"part{first // 1000:03}.jsonl").write_text("\n".join(records) + "\n", "utf-8")
    return {hashlib.sha256(line.encode()).hexdigest() for line in lines}


def build(home: Path, billing: Billing) -> subprocess.Popen[bytes]:
    """Start ``rag index``."""
    environment = {
        **os.environ,
        "RAG_EMBED_TPM": str(billing.tpm), "RAG_EMBED_CONCURRENCY": str(_CONCURRENCY), "RAG_EMBED_PATIENCE": "120",
    }  # fmt: skip
    spec = f"http://127.0.0.1:{billing.port}/v1#words"
    command = [sys.executable, "-m", "ragcli", "--index", str(home / ".rag"), "index", str(home / "texts")]
    return subprocess.Popen(
        [*command, "--model", spec, "--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment,
    )  # fmt: skip


def until(billing: Billing, count: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until so many texts are billed."""
    while process.poll() is None and billing.log.stat().st_size < count * 60:
        time.sleep(0.05)
    # Not at the moment of a bill: then an answer that was noted would always be cut off.
    time.sleep(random.uniform(0.2, 1.2))


def run(home: Path, texts: int, tpm: float, events: list[tuple[float, str]]) -> dict[str, Any]:
    """One build with events at shares of the texts; what was billed and how fast."""
    wanted = write(home / "texts", texts)
    billing = Billing(home, tpm)
    process = build(home, billing)
    begun = time.time()
    moments = [begun]
    try:
        for share, event in events:
            until(billing, int(share * texts), process)
            moments.append(time.time())
            if event == "server":
                billing.kill()
                time.sleep(3)
                billing.start()
            else:
                process.send_signal(signal.SIGTERM if event == "stop" else signal.SIGKILL)
                process.communicate()
                process = build(home, billing)
            moments.append(time.time())
        out, _ = process.communicate()
    finally:
        billing.kill()
    report = json.loads(out)
    if process.returncode or report["chunks"]["total"] != texts:
        raise SystemExit(f"the build failed with exit code {process.returncode}: {out.decode()}")
    billed = billing.billed()
    times = Counter(name for name, _, _ in billed if name in wanted)
    return {
        "texts": texts,
        "events": [event for _, event in events],
        "billed once": sum(count == 1 for count in times.values()),
        "billed more than once": sum(count > 1 for count in times.values()),
        "never billed": len(wanted - times.keys()),
        "share of the limit": round(
            share_of_limit(billed, moments, tpm, [True, *(event == "server" for _, event in events)]), 4
        ),
        "seconds": round(time.time() - begun, 1),
    }


def share_of_limit(
    billed: list[tuple[str, float, int]], moments: list[float], tpm: float, restarts: list[bool]
) -> float:
    """Tokens billed between the events over what the limit allows in those stretches.

    A limit of the server's kind saves up to ten seconds while nothing comes, and begins with one:
    what was saved before a stretch is part of what it allows.
    """
    edges = [moments[0], *moments[1:], float("inf")]
    tokens = seconds = 0.0
    last = edges[0]
    for number, (start, end) in enumerate(zip(edges[::2], edges[1::2], strict=True)):
        inside = [(at, count) for _, at, count in billed if start < at <= end]
        if not inside:
            continue
        idle = inside[0][0] - (start if restarts[number] else last)
        saved = min(10.0, (1.0 if restarts[number] else 0.0) + idle)
        tokens += sum(count for _, count in inside)
        seconds += inside[-1][0] - inside[0][0] + saved
        last = inside[-1][0]
    return tokens / (tpm / 60 * seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--tpm", type=float, default=90_000)
    parser.add_argument("--json", type=Path)
    words = parser.parse_args()
    rows = []
    plans = [
        (words.texts, [(0.15, "server"), (0.4, "stop"), (0.55, "server"), (0.75, "stop")]),
        (words.texts // 5, [(0.5, "kill")]),
    ]
    for texts, events in plans:
        with tempfile.TemporaryDirectory() as scratch:
            rows.append(run(Path(scratch), texts, words.tpm, events))
            print(rows[-1], file=sys.stderr)
    told = {"server": "server killed", "stop": "build stopped", "kill": "build killed"}
    lines = [
        "| texts | what happened | billed once | more than once | never | share of the limit | seconds |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        happened = ", ".join(told[event] for event in row["events"])
        lines.append(
            f"| {row['texts']} | {happened} | {row['billed once']} | {row['billed more than once']} | "
            f"{row['never billed']} | {row['share of the limit']:.1%} | {row['seconds']:.0f} |"
        )
    table = "\n".join(lines)
    print(table)
    if words.json:
        command = f"python -m benchmarks.services --texts {words.texts} --tpm {words.tpm:g}"
        write_report(words.json, command, table, rows)


if __name__ == "__main__":
    main()
