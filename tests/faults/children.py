"""What the forked processes do: the program as it is, or with a fault built in."""

from __future__ import annotations

import functools
import importlib
import json
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .writes import count_writes


def rag(words: Sequence[str]) -> None:
    """The program itself."""
    from ragcli.__main__ import main

    sys.argv = ["rag", *words]
    main()


def rag_in_small_steps(words: Sequence[str], portion: int, durable: int) -> None:
    """The program, with portions so small that a small folder takes many of them."""
    from ragcli.pipeline import build

    for name, value in (("_PORTION", portion), ("_DURABLE", durable)):
        assert hasattr(build, name)
        setattr(build, name, value)
    rag(words)


def make_model(folder: str, words: Sequence[str], seed: int) -> None:
    """Save an embedding model that costs nothing: a random vector a word, and their mean."""
    import torch
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its newer name is not there in older versions
        from sentence_transformers.models import StaticEmbedding

    vocabulary = {word: number for number, word in enumerate(["[UNK]", *sorted(set(words))])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = torch.randn((len(vocabulary), 32), generator=torch.Generator().manual_seed(seed))
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)]).save(
        folder, create_model_card=False
    )


def read(mode: str, query: str, log: str, stop: str) -> None:
    """Search without end, with one index that stays open, until there is a file ``stop``.

    Writes a line a search to ``log``: the generations and chunks of the catalogue before and after
    it, the ids that were found, and the passages behind those that were not seen before.
    """
    from ragcli.errors import RagError
    from ragcli.pipeline.ask import Asker
    from ragcli.pipeline.index import Index
    from ragcli.settings import Settings

    passages: dict[str, tuple[str, str]] = {}
    with (
        Index.open(Path(".rag"), Settings(offline=True, wait=20)) as index,
        open(log, "w", encoding="utf-8", buffering=1) as out,
    ):
        asker = Asker(index)
        while not Path(stop).exists():
            entry: dict[str, Any] = {"exit": 0, "ids": [], "new": []}
            before = _catalogue(index)
            try:
                hits = asker.search(query, k=2000, mode=mode).hits  # type: ignore[arg-type]
            except RagError as error:
                entry |= {"exit": error.exit_code, "message": str(error)}
                hits = []
            for hit in hits:
                entry["ids"].append(hit.id)
                if passages.get(hit.id) != (hit.document, hit.text):
                    passages[hit.id] = hit.document, hit.text
                    entry["new"].append((hit.id, hit.document, hit.text))
            entry["before"], entry["after"] = before, _catalogue(index)
            json.dump(entry, out)
            out.write("\n")


def _catalogue(index: Any) -> tuple[int, list[str]]:
    """Generation and chunks of one moment."""
    with index.catalog.snapshot():
        documents = [document for document, _, _ in index.catalog.document_names()]
        chunks = [chunk for document in documents for chunk in index.catalog.chunk_ids(document)]
        return index.catalog.generation, sorted(chunks)


def rag_until(words: Sequence[str], place: str, times: int, portion: int, durable: int) -> None:
    """The program, which kills itself once ``place`` (``module:Class.method``) has returned so often."""
    module, _, name = place.partition(":")
    owner = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    original = getattr(owner, last)
    left = [times]

    @functools.wraps(original)
    def counted(*arguments: Any, **options: Any) -> Any:
        result = original(*arguments, **options)
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, last, counted)
    rag_in_small_steps(words, portion, durable)


def rag_until_write(words: Sequence[str], last: int | None, told: str) -> None:
    """The program, killed before the write to the index that comes after so many; tells their number."""
    count, status = count_writes(Path.cwd() / ".rag", lambda: rag(words), last)
    Path(told).write_text(str(count), "utf-8")
    sys.exit(status if status >= 0 else 128 - status)
