"""Any cross-encoder with one output, as sentence-transformers and transformers save them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ragcli.embed import ModelFiles, first_line, open_tokenizer, read_token_limit, weights_hash
from ragcli.embed.transformer import prepare_libraries
from ragcli.encoder import Proofs, Unsupported, multiplies_bfloat16, read_classifier
from ragcli.errors import ModelUnavailable
from ragcli.jsontext import parse_json
from ragcli.tokens import FastTokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Small batches of pairs of one length beat large ones on a CPU.
_BATCH = 8
# Fewest tokens of a passage that are worth reading beside a long question.
_LEAST = 16
# A piece of a text may have a token more than it had within the text, at either end.
_MARGIN = 2
# What both ways of running one are compared on: a question, and passages far from and near to it.
PROBE = (
    "How long are hourly readings kept?",
    (
        "Hourly averages are kept for 730 days, which can be adjusted both ways.", "The cluster shivers in winter.",
        "Readings", "温度低于 4 ℃ 时放下保温帘。", "def keep(days=90): return days * 24", "?", "Café ZÜRICH 2021",
        "The hub keeps its readings for two years and tells nobody of them unless it is asked. " * 20,
    ),
)  # fmt: skip
_NEXT = "name another cross-encoder with --reranker, or say --no-rerank"


class CrossEncoderReranker:
    """Logits of a sequence classifier with one output, read from safetensors alone.

    The question is never cut. A passage that does not fit beside it is read in windows that share a
    quarter, and its score is that of the best; where the question leaves no room for a passage, every
    score is NaN. Computed in bfloat16 where the CPU multiplies it in hardware, else in float32; by
    OpenVINO where that was seen to give the same, else by transformers.

    Raises ``ModelUnavailable`` at construction when the model cannot be had, has more than one
    output or lacks weights, as an embedding model lacks those of the output.
    """

    def __init__(self, files: ModelFiles, *, offline: bool, half: bool | None = None) -> None:
        self.spec = files.spec
        _check_config(files)
        half = multiplies_bfloat16() if half is None else half
        self._reader = _open_reader(files, offline=offline, half=half)
        self.tokenizer = self._reader.tokenizer
        self.runtime = self._reader.runtime

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Scores of shape (n,), in the order of the texts."""
        import numpy as np

        best = np.full(len(texts), np.nan, dtype=np.float32)
        room = self._reader.limit - self._reader.special
        room -= self.tokenizer.counts([query])[0]
        if room < _LEAST:
            return best
        pieces = [(n, piece) for n, text in enumerate(texts) for piece in self._windows(text, room)]
        pieces.sort(key=lambda pair: (len(pair[1]), pair[0]))
        for begin in range(0, len(pieces), _BATCH):
            batch = pieces[begin : begin + _BATCH]
            for (n, _), score in zip(
                batch, self._reader.logits(query, [text for _, text in batch]), strict=True
            ):
                best[n] = np.fmax(best[n], score)
        return best

    def _windows(self, text: str, room: int) -> list[str]:
        spans = self.tokenizer.spans(text)
        if len(spans) <= room:
            return [text]
        size = room - _MARGIN
        starts = [*range(0, len(spans) - size, max(1, size * 3 // 4)), len(spans) - size]
        return [text[spans[start][0] : spans[start + size - 1][1]] for start in starts]


class _Reader(Protocol):
    """Reads pairs. ``limit`` is the most tokens of one, of which ``special`` are the model's own."""

    tokenizer: FastTokenizer
    limit: int
    special: int
    runtime: str

    def logits(self, query: str, texts: Sequence[str]) -> list[float]:
        """A number for each text."""
        ...


def _open_reader(files: ModelFiles, *, offline: bool, half: bool) -> _Reader:
    """The fastest that gives what transformers gives; transformers itself where none does."""
    for precision in (True, False) if half else (False,):
        with suppress(Unsupported):
            return _Compiled(files, half=precision)
    return _Original(files, offline=offline, half=half)


class _Compiled:
    """A cross-encoder in OpenVINO. Raises ``Unsupported`` unless it gives what transformers does."""

    def __init__(self, files: ModelFiles, *, half: bool) -> None:
        if files.folder is None:
            raise Unsupported("it is not on this machine")
        classifier = read_classifier(files.folder)
        found = open_tokenizer(files)
        if found is None:
            raise Unsupported("it has no tokenizer.json")
        self.tokenizer = found
        self.special = found.pair_tokens
        told = _tokenizer_limit(files.folder)
        limits = (classifier.network.positions, told, read_token_limit(files) or 0)
        self.limit = min((limit for limit in limits if limit > 0), default=512)
        from ragcli.encoder.compiled import CompiledPairs, compiler

        try:
            self.runtime = f"{compiler()} {'bf16' if half else 'f32'}"
            self._run = CompiledPairs(classifier, half=half)
        except (ImportError, RuntimeError) as error:
            raise Unsupported("it cannot be compiled") from error
        self._vocabulary = classifier.network.vocabulary
        self._types = len(classifier.network.tensor("embeddings.token_type_embeddings.weight"))
        question, texts = PROBE
        Proofs(
            weights_hash(files.folder), lambda: _Original(files, offline=True, half=False).logits(question, texts),
            _correlation,
        ).prove(self.runtime, lambda: self._read(question, texts))  # fmt: skip

    def logits(self, query: str, texts: Sequence[str]) -> list[float]:
        scores: list[float] = self._read(query, texts).tolist()
        return scores

    def _read(self, query: str, texts: Sequence[str]) -> Any:
        pairs = self.tokenizer.pairs(query, texts, self.limit)
        if any(max(ids) >= self._vocabulary or max(types) >= self._types for ids, types in pairs):
            raise ValueError("its tokenizer has more words than its weights")
        return self._run.encode(pairs)


class _Original:
    """A cross-encoder in transformers."""

    def __init__(self, files: ModelFiles, *, offline: bool, half: bool) -> None:
        self._spec = files.spec
        self._model, self._pairs = _load(files, offline)
        self._half = half
        self.runtime = "transformers"
        self.tokenizer = _fast_tokenizer(self._pairs, files.spec)
        self.special = self._pairs.num_special_tokens_to_add(pair=True)
        self.limit = _limit(self._model.config, self._pairs, read_token_limit(files))

    def logits(self, query: str, texts: Sequence[str]) -> list[float]:
        import torch

        try:
            inputs = self._pairs(
                [query] * len(texts), list(texts), truncation="only_second", max_length=self.limit,
                padding=True, return_tensors="pt",
            )  # fmt: skip
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self._half):
                logits = self._model(**inputs).logits
            scores: list[float] = logits.float().reshape(len(texts)).tolist()
        except Exception as error:  # weights that do not fit each other fail only when they are used
            raise ModelUnavailable(f"reranker {self._spec!r} failed: {first_line(error)}; {_NEXT}") from error
        return scores


def _correlation(made: Any, original: Any) -> float:
    """How nearly two lists of scores are the same but for what all share."""
    import numpy as np

    if made.shape != original.shape or not np.isfinite(made).all():
        return 0.0
    spread = float(original.max() - original.min())
    if float(np.abs(made - original).max()) > 0.05 * max(spread, 1.0):
        return 0.0
    return float(np.corrcoef(made, original)[0, 1]) if spread > 1e-6 else 1.0


def _tokenizer_limit(folder: Path) -> int:
    """The most tokens that a tokenizer's own configuration allows, 0 where it says nothing."""
    try:
        told = parse_json((folder / "tokenizer_config.json").read_text("utf-8")).get("model_max_length")
    except (OSError, ValueError, AttributeError):
        return 0
    return told if isinstance(told, int) and 0 < told < 1_000_000 else 0


def _check_config(files: ModelFiles) -> None:
    """Refuse by its configuration what is no cross-encoder with one output; the hub's is read later."""
    if files.folder is None:
        return
    try:
        config = parse_json((files.folder / "config.json").read_text("utf-8"))
        kinds = [str(kind) for kind in config.get("architectures") or ()]
        # As transformers reads it: two outputs where nothing is said.
        outputs = len(config["id2label"]) if config.get("id2label") else int(config.get("num_labels", 2))
    except (OSError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise ModelUnavailable(
            f"reranker {files.spec!r} cannot be read: {first_line(error)}; {_NEXT}"
        ) from error
    if not any(kind.endswith("ForSequenceClassification") for kind in kinds):
        raise ModelUnavailable(
            f"{files.spec} is no cross-encoder ({', '.join(kinds) or 'no architecture'}); {_NEXT}"
        )
    _check_outputs(outputs, files.spec)


def _check_outputs(outputs: int, spec: str) -> None:
    if outputs != 1:
        raise ModelUnavailable(f"{spec} has {outputs} outputs, and a reranker has one; {_NEXT}")


def _load(files: ModelFiles, offline: bool) -> tuple[Any, Any]:
    """The network, in float32 and ready to read, and its tokenizer."""
    prepare_libraries(files, offline=offline)
    place = str(files.folder or files.spec)
    options = {"local_files_only": offline or files.folder is not None, "trust_remote_code": False}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import torch
            from transformers import AutoModelForSequenceClassification, AutoTokenizer
            from transformers.utils import logging as transformers_logging

            transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
            tokenizer = AutoTokenizer.from_pretrained(place, **options)
            model, told = AutoModelForSequenceClassification.from_pretrained(
                place, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **options
            )
    except ImportError as error:
        raise ModelUnavailable(f"transformers cannot be imported ({error}); reinstall ragcli") from error
    except Exception as error:  # The hub, transformers and torch each have errors of their own.
        raise ModelUnavailable(
            f"reranker {files.spec!r} cannot be had: {first_line(error)}; {_NEXT}"
        ) from error
    if told["missing_keys"]:
        missing = ", ".join(sorted(told["missing_keys"])[:2])
        raise ModelUnavailable(f"{files.spec} is no whole cross-encoder, it lacks {missing}; {_NEXT}")
    _check_outputs(model.config.num_labels, files.spec)
    return model.eval(), tokenizer


def _fast_tokenizer(tokenizer: Any, spec: str) -> FastTokenizer:
    from tokenizers import Tokenizer

    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        raise ModelUnavailable(f"reranker {spec!r} has no fast tokenizer; {_NEXT}")
    return FastTokenizer(Tokenizer.from_str(backend.to_str()))


def _limit(config: Any, tokenizer: Any, told: int | None) -> int:
    """Longest pair in tokens, special ones included: the least of what the model's files say."""
    positions = int(getattr(config, "max_position_embeddings", 0) or 0)
    if "roberta" in str(config.model_type) and positions > 0:
        positions -= int(config.pad_token_id or 0) + 1  # they count from behind the padding
    said = (positions, int(tokenizer.model_max_length), told or 0)
    return min((limit for limit in said if limit > 0), default=512)
