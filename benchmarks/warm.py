"""The seconds that each question of a batch takes in a process that has the index open, as JSON.

    python -m benchmarks.warm DIR MODE

DIR has the index and questions.jsonl. For ``benchmarks.scale``, which has other libraries loaded.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

_FIRST = 20  # questions that warm up


def main() -> None:
    """Ask as `rag search --batch` does, and print."""
    home, mode = Path(sys.argv[1]), sys.argv[2]
    from ragcli.evaluate import read_queries
    from ragcli.pipeline.ask import Asker
    from ragcli.pipeline.index import Index
    from ragcli.settings import Settings

    took = []
    with Index.open(home / ".rag", replace(Settings(), mode=mode, offline=True)) as index:
        asker = Asker(index)
        texts = [query.text for query in read_queries(home / "questions.jsonl")]
        asker.expect(texts[:_FIRST])  # compiles the model
        for text in texts[:5]:
            asker.search(text)
        start = time.perf_counter()
        asker.expect(texts)  # as the program does
        each = (time.perf_counter() - start) / len(texts)
        for text in texts[5:]:
            start = time.perf_counter()
            asker.search(text)
            took.append(time.perf_counter() - start + each)
    print(json.dumps({"embedding": each, "questions": took}))


if __name__ == "__main__":
    main()
