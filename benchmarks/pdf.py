"""How much of a PDF's text each engine gets, and whether it is in order.

    python -m benchmarks.pdf [FOLDER ...] [--json FILE]

Without a FOLDER, ``../shared/files/pdf`` is read. Nobody has typed these files out, so engines judge
each other: pdftotext (plain and -layout), pypdfium2, pypdf and, where it is installed, pdfminer.six.
Engines that stand on one parser are one family, and have one vote together: the two pdftotexts, and
pypdfium2 with us, who have none of our own. No engine is judged by its own family.

- recall: of the words that at least two families found, as often as two of them did, the share that
  the engine has. ``body`` leaves out running heads and feet (lines at a page's edge, digits made one,
  that pdftotext -layout has on more than half of three pages and more): leaving those out is what a
  reader wants of us, and is what ``recall`` charges us with.
- pairs: of the neighbouring word pairs of the body that at least two families have, the share that
  stands together in the engine's, too. What is ambiguous on a page of several columns is thereby no
  evidence: a pair across columns counts only where two engines read so.
- order: of the words that occur once, the share in the longest run that stands in the same order
  (longest increasing subsequence), by the voter that agrees best: columns and boxes may be read in
  more orders than one, and it is enough to read them as one other engine does. pypdf and pypdfium2
  both keep the order of the file, and so confirm each other in full whatever it is.

Words are folded, and hyphens within or after them taken out, so that joining what a line end split is
neither praised nor punished. Seconds are those of the whole folder, in one process each.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import shutil
import subprocess
import sys
import time
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.quality import ROOT
from benchmarks.report import write_report
from ragcli.load import load_file
from ragcli.types import Document

OURS = "rag"
FAMILIES = (("pypdfium2", OURS), ("pdftotext", "pdftotext -layout"), ("pypdf",), ("pdfminer.six",))
HYPHEN = re.compile("(?<=\\w)[-\u2010\xad\ufffe\x02]\\s*(?=\\w)")
WORD = re.compile(r"\w+")


def rag(file: Path) -> str:
    """Our own text."""
    read = load_file(file, path=file.name)
    return "\n".join(item.text for item in read if isinstance(item, Document) and item.path == file.name)


def pdftotext(file: Path, *options: str) -> str:
    """Poppler's."""
    command = ["pdftotext", *options, str(file), "-"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=300)
    return done.stdout.decode("utf-8", "replace")


def pdfium(file: Path) -> str:
    """pdfium's, as pypdfium2 gives it."""
    import pypdfium2

    document = pypdfium2.PdfDocument(file)
    return "\f".join(page.get_textpage().get_text_bounded() for page in document)


def pypdf(file: Path) -> str:
    """pypdf's."""
    from pypdf import PdfReader

    return "\f".join(page.extract_text() for page in PdfReader(file).pages)


def pdfminer(file: Path) -> str:
    """That of pdfminer.six."""
    from pdfminer.high_level import extract_text

    return str(extract_text(file))


def engines() -> dict[str, Callable[[Path], str]]:
    """Those that can run here."""
    found: dict[str, Callable[[Path], str]] = {OURS: rag, "pypdfium2": pdfium, "pypdf": pypdf}
    if shutil.which("pdftotext"):
        found["pdftotext"] = pdftotext
        found["pdftotext -layout"] = lambda file: pdftotext(file, "-layout")
    if find_spec("pdfminer"):
        found["pdfminer.six"] = pdfminer
    return found


def words(text: str) -> list[str]:
    """Folded words, without hyphens."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return WORD.findall(HYPHEN.sub("", folded))


def twice(counts: Sequence[Counter[Any]]) -> Counter[Any]:
    """What at least two have, as often as two of them do."""
    keys = set().union(*counts)
    return Counter({key: second for key in keys if (second := sorted(c[key] for c in counts)[-2])})


def lines_of(text: str) -> list[list[str]]:
    """The lines of each page that are not blank."""
    return [[line for line in page.split("\n") if line.strip()] for page in text.rstrip("\f").split("\f")]


def key(line: str) -> str:
    """A line as heads and feet are compared."""
    return re.sub(r"\d+", "#", " ".join(line.split()))


def recurring(layout: str) -> set[str]:
    """The keys of lines that stand at the edges of most pages; none in documents of one or two."""
    pages = lines_of(layout)
    often = Counter(head for page in pages for head in {key(line) for line in [*page[:2], *page[-2:]]})
    return {head for head, n in often.items() if 2 * n > len(pages)} if len(pages) > 2 else set()


def body(text: str, heads: set[str]) -> list[str]:
    """The words without running heads and feet."""
    kept: list[str] = []
    for page in lines_of(text):
        edge = {0, 1, len(page) - 2, len(page) - 1}
        kept += [line for at, line in enumerate(page) if at not in edge or key(line) not in heads]
    return words("\n".join(kept))


def in_order(mine: Sequence[str], other: Sequence[str]) -> tuple[int, int]:
    """Length of the longest common run of the words that both have once, and their number."""
    once_there = {word for word, n in Counter(other).items() if n == 1}
    once_here = {word for word, n in Counter(mine).items() if n == 1}
    place = {word: at for at, word in enumerate(other) if word in once_there}
    tails: list[int] = []
    places = [place[word] for word in mine if word in place and word in once_here]
    for at in places:
        spot = bisect_left(tails, at)
        tails[spot : spot + 1] = [at]
    return len(tails), len(places)


def judge(texts: dict[str, str]) -> dict[str, dict[str, tuple[int, int]]]:
    """For each engine and measure: how many right, of how many."""
    heads = recurring(texts.get("pdftotext -layout", ""))
    said = {name: words(text) for name, text in texts.items()}
    bodies = {name: body(text, heads) for name, text in texts.items()}
    counts = {name: Counter(found) for name, found in said.items()}
    body_counts = {name: Counter(found) for name, found in bodies.items()}
    pairs = {name: Counter(pairwise(found)) for name, found in bodies.items()}
    out = {}
    for name in texts:
        voters = [
            [n for n in family if n in texts and n != OURS] for family in FAMILIES if name not in family
        ]
        wanted, wanted_body, wanted_pairs = (
            twice([_either([found[n] for n in family]) for family in voters])
            for found in (counts, body_counts, pairs)
        )
        runs = [in_order(said[name], said[voter]) for family in voters for voter in family]
        out[name] = {
            "recall": ((wanted & counts[name]).total(), wanted.total()),
            "body": ((wanted_body & counts[name]).total(), wanted_body.total()),
            "pairs": ((wanted_pairs & pairs[name]).total(), wanted_pairs.total()),
            "order": max(runs, key=lambda run: run[0] / max(1, run[1])),
        }
    return out


def _either(counts: Sequence[Counter[Any]]) -> Counter[Any]:
    """What any has, as often as the one that has most of it."""
    out: Counter[Any] = Counter()
    for count in counts:
        out |= count
    return out


def measure(files: Sequence[Path]) -> list[dict[str, Any]]:
    """A record for each engine; files that fewer than three engines can read are left out."""
    seconds: Counter[str] = Counter()
    judged: dict[str, dict[str, dict[str, tuple[int, int]]]] = {}
    for file in files:
        texts = {}
        for name, read in engines().items():
            start = time.perf_counter()
            try:
                texts[name] = read(file)
            except Exception as error:  # an engine that cannot read a file has found no words in it
                print(f"{file.name}: {name}: {type(error).__name__}", file=sys.stderr)
                texts[name] = ""
            seconds[name] += time.perf_counter() - start
        if sum(bool(text.strip()) for text in texts.values()) < 3:
            continue
        judged[file.name] = judge(texts)
        line = {measure: _share([judged[file.name][OURS][measure]]) for measure in ("body", "pairs", "order")}
        print(file.name, json.dumps(line), file=sys.stderr, flush=True)
    out = []
    for name in engines():
        found = [scores[name] for scores in judged.values()]
        record: dict[str, Any] = {"engine": name, "files": len(found), "seconds": round(seconds[name], 1)}
        for kind in ("recall", "body", "pairs", "order"):
            record[kind] = _share([scores[kind] for scores in found])
            record[f"{kind}_mean"] = round(sum(_share([s[kind]]) for s in found) / max(1, len(found)), 1)
        record["by_file"] = {
            name_: {k: _share([v]) for k, v in s[name].items()} for name_, s in judged.items()
        }
        out.append(record)
    return out


def _share(pairs: Sequence[tuple[int, int]]) -> float:
    """In per cent; nothing wanted is all right."""
    whole = sum(of for _, of in pairs)
    return round(100 * sum(right for right, _ in pairs) / whole, 1) if whole else 100.0


def table(results: Sequence[dict[str, Any]]) -> str:
    """Markdown: in per cent of all words, and the mean of the files beside it."""
    lines = [
        "| engine | recall | of body | pairs | order | seconds |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for result in results:
        cells = [
            f"{result[kind]} ({result[f'{kind}_mean']})" for kind in ("recall", "body", "pairs", "order")
        ]
        lines.append(f"| {result['engine']} | {' | '.join(cells)} | {result['seconds']} |")
    return "\n".join(lines)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="*", type=Path, default=[ROOT.parent / "shared/files/pdf"])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    files = [file for folder in options.folder for file in sorted(folder.glob("*.pdf"))]
    if not files:
        parser.error("no PDF there")
    logging.disable(logging.CRITICAL)  # what the engines think of the files
    results = measure(files)
    print(table(results))
    if options.json:
        write_report(options.json, "python -m benchmarks.pdf", table(results), results)


if __name__ == "__main__":
    main()
