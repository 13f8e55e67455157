"""What is got out of a folder of files, beside markitdown on the same files: text, losses, time, memory.

    python -m benchmarks.loaders [FOLDER] [--copies N] [--no-markitdown] [--list] [--json FILE]

FOLDER holds files in sub-folders and a ``MANIFEST.tsv`` with their paths, passwords and the numbers
of characters that are not white space which a simple reader found; without it,
``../shared/files`` is taken. A file counts as *loaded* when a document or a part of one came of it,
as *refused* when a reason did, and as *short* when fewer than 95 % of the characters in the manifest
came. ``--copies`` reads each file so many times, under other names, to have a folder large enough
for a comparison of speed. Memory is the most that all processes held together, sampled.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.quality import ROOT
from benchmarks.report import write_report
from ragcli.load import Job, LoaderPool, Means
from ragcli.types import Failure

ENOUGH = 0.95


@dataclass(slots=True)
class Folder:
    """What became of the files of one folder."""

    files: int = 0
    loaded: int = 0
    refused: int = 0
    short: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    got: int = 0
    counted: int = 0
    peer_got: int = 0
    peer_failed: int = 0


class Memory(threading.Thread):
    """The most memory that this process and its children held together, in bytes; Linux only."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._over = threading.Event()

    def run(self) -> None:
        """Sample until stopped."""
        while not self._over.wait(0.05):
            self.peak = max(self.peak, sum(map(_resident, _family(os.getpid()))))

    def stop(self) -> int:
        """The peak."""
        self._over.set()
        self.join()
        return self.peak


def _family(pid: int) -> list[int]:
    found = [pid]
    for process in found:
        try:
            tasks = Path(f"/proc/{process}/task").iterdir()
            for task in tasks:
                found += [int(word) for word in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def manifest(folder: Path) -> dict[str, dict[str, str]]:
    """The rows of the manifest by path."""
    with (folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        return {row["path"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}


def visible(text: str) -> int:
    """Characters that are not white space."""
    return len("".join(text.split()))


def ours(
    files: list[Path], passwords: tuple[str, ...]
) -> tuple[dict[Path, tuple[int, list[str]]], float, int]:
    """Characters and reasons of each file, seconds, and the memory's peak."""
    found: dict[Path, tuple[int, list[str]]] = {}
    memory = Memory()
    memory.start()
    start = time.perf_counter()
    with LoaderPool(Means(passwords)) as pool:
        for job, item in pool.load(Job(file, file.as_posix()) for file in files):
            characters, reasons = found.get(job.file, (0, []))
            if isinstance(item, Failure):
                reasons.append(item.error)
            elif item is not None:
                # A title that stands apart from the text was got as well; a file's name was not.
                apart = item.title not in item.text and item.title != job.file.stem
                characters += visible(item.text) + (visible(item.title) if apart else 0)
            found[job.file] = (characters, reasons)
    return found, time.perf_counter() - start, memory.stop()


_PEER = """
import json, sys, time, warnings, logging
warnings.simplefilter("ignore"); logging.disable(logging.CRITICAL)
from markitdown import MarkItDown
reader = MarkItDown()
start = time.perf_counter()
for line in sys.stdin:
    path = line.rstrip("\\n")
    try:
        text = reader.convert(path).text_content or ""
        got = len("".join(text.split()))
    except BaseException as error:
        got = -1
    print(json.dumps([path, got, time.perf_counter() - start]), flush=True)
"""


def peer(files: list[Path], patience: float) -> tuple[dict[Path, int], float]:
    """Characters that markitdown got of each file, -1 where it failed, and its seconds.

    One process for all files, as its own command line has one for each; a file that takes longer than
    ``patience`` seconds, or kills it, is a failure, and a new process goes on after it.
    """
    found: dict[Path, int] = {}
    spent = 0.0
    left = list(files)
    while left:
        process = subprocess.Popen(
            [sys.executable, "-c", _PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert process.stdin
        assert process.stdout
        last = 0.0
        while left:
            file = left.pop(0)
            process.stdin.write(f"{file}\n")
            process.stdin.flush()
            watch = threading.Timer(patience, process.kill)
            watch.start()
            line = process.stdout.readline()
            watch.cancel()
            if not line:
                found[file] = -1
                last += patience
                break
            _, found[file], last = json.loads(line)
        spent += last
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    return found, spent


def expected(file: Path, row: dict[str, str]) -> int:
    """Characters that the file holds, 0 where nobody counted; where white space was counted, without it."""
    counted = int(row.get("nonblank_chars") or 0)
    if "markdown-tree" in row.get("tags", ""):
        return visible(file.read_text("utf-8"))
    return counted


def judge(
    folder: Path,
    rows: dict[str, dict[str, str]],
    read: dict[Path, tuple[int, list[str]]],
    peers: dict[Path, int],
) -> dict[str, Folder]:
    """What became of the files, folder by folder."""
    folders: dict[str, Folder] = {}
    for file, (characters, reasons) in read.items():
        name = file.relative_to(folder).as_posix()
        here = folders.setdefault(name.split("/")[0], Folder())
        here.files += 1
        here.loaded += characters > 0
        here.refused += characters == 0
        here.reasons.update(reasons)
        wanted = expected(file, rows.get(name, {}))
        here.counted += wanted
        here.got += min(characters, wanted)
        here.peer_got += min(max(0, peers.get(file, 0)), wanted)
        here.peer_failed += peers.get(file, 0) < 0
        if characters and characters < ENOUGH * wanted:
            here.short.append(f"{name} {characters}/{wanted}")
    return folders


def table(folders: dict[str, Folder], result: dict[str, Any]) -> str:
    """Markdown: a row a folder, then the sums."""
    compared = result["peer_seconds"] is not None
    lines = [
        "| folder | files | loaded | refused, with the reason | short | characters |"
        + (" markitdown: failed | characters |" if compared else ""),
        "|---|---:|---:|---|---:|---:|" + ("---:|---:|" if compared else ""),
    ]
    for name, here in sorted(folders.items()):
        reasons = ", ".join(f"{count} {reason}" for reason, count in here.reasons.most_common()) or "–"
        share = f"{100 * here.got / here.counted:.1f} %" if here.counted else "–"
        theirs = f"{100 * here.peer_got / here.counted:.1f} %" if here.counted else "–"
        lines.append(
            f"| {name} | {here.files} | {here.loaded} | {here.refused} ({reasons}) | {len(here.short)} | {share} |"
            + (f" {here.peer_failed} | {theirs} |" if compared else "")
        )
    lines += [
        "",
        f"{result['files']} files in {result['seconds']:.1f} s, at most {result['peak_mb']:.0f} MB.",
    ]
    if compared:
        ratio = result["peer_seconds"] / result["seconds"]
        lines.append(f"markitdown: {result['peer_seconds']:.1f} s, {ratio:.1f} times as long.")
    return "\n".join(lines)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT.parent / "shared/files")
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--no-markitdown", action="store_true")
    parser.add_argument("--list", action="store_true", help="name the files that were short or refused")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder = options.folder.resolve()
    if not (folder / "MANIFEST.tsv").is_file():
        parser.error(f"no MANIFEST.tsv in {folder}")
    rows = manifest(folder)
    told = (row["password"].replace("(four blanks)", "    ") for row in rows.values() if row["password"])
    passwords = tuple(dict.fromkeys(told))
    with tempfile.TemporaryDirectory() as work:
        files = [folder / name for name in rows if (folder / name).is_file()]
        for number in range(1, options.copies):
            shutil.copytree(folder, Path(work) / str(number))
            files += [Path(work) / str(number) / name for name in rows if (folder / name).is_file()]
        read, seconds, peak = ours(files, passwords)
        peers, peer_seconds = ({}, None) if options.no_markitdown else peer(files, 120.0)
    own = {file: found for file, found in read.items() if file.is_relative_to(folder)}
    folders = judge(folder, rows, own, peers)
    result = {
        "files": len(files), "seconds": seconds, "peak_mb": peak / 1e6, "peer_seconds": peer_seconds,
        "folders": {name: asdict(here) for name, here in folders.items()},
    }  # fmt: skip
    print(table(folders, result))
    if options.list:
        for file, (characters, reasons) in own.items():
            if reasons:
                print(f"{file.relative_to(folder)}: {characters} characters; {', '.join(reasons)}")
        for here in folders.values():
            for name in here.short:
                print(f"short: {name}")
    if options.json:
        write_report(options.json, "python -m benchmarks.loaders", table(folders, result), result)


if __name__ == "__main__":
    main()
