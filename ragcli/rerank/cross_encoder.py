"""Any cross-encoder with one output, as sentence-transformers and transformers save them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ragcli.embed import ModelFiles, first_line, read_token_limit
from ragcli.embed.transformer import prepare_libraries
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
_NEXT = "name another cross-encoder with --reranker, or say --no-rerank"


class CrossEncoderReranker:
    """Logits of a sequence classifier with one output, read from safetensors alone.

    The question is never cut. A passage that does not fit beside it is read in windows that share a
    quarter, and its score is that of the best; where the question leaves no room for a passage, every
    score is NaN. Computed in bfloat16 where the CPU multiplies it in hardware, else in float32.

    Raises ``ModelUnavailable`` at construction when the model cannot be had, has more than one
    output or lacks weights, as an embedding model lacks those of the output.
    """

    def __init__(self, files: ModelFiles, *, offline: bool, half: bool | None = None) -> None:
        self.spec = files.spec
        _check_config(files)
        self._model, self._pairs = _load(files, offline)
        self._half = multiplies_bfloat16() if half is None else half
        self.tokenizer = _fast_tokenizer(self._pairs, files.spec)
        self._limit = _limit(self._model.config, self._pairs, read_token_limit(files))

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Scores of shape (n,), in the order of the texts."""
        import numpy as np

        best = np.full(len(texts), np.nan, dtype=np.float32)
        room = self._limit - self._pairs.num_special_tokens_to_add(pair=True)
        room -= self.tokenizer.counts([query])[0]
        if room < _LEAST:
            return best
        pieces = [(n, piece) for n, text in enumerate(texts) for piece in self._windows(text, room)]
        pieces.sort(key=lambda pair: (len(pair[1]), pair[0]))
        for begin in range(0, len(pieces), _BATCH):
            batch = pieces[begin : begin + _BATCH]
            for (n, _), score in zip(batch, self._logits(query, [text for _, text in batch]), strict=True):
                best[n] = np.fmax(best[n], score)
        return best

    def _windows(self, text: str, room: int) -> list[str]:
        spans = self.tokenizer.spans(text)
        if len(spans) <= room:
            return [text]
        size = room - _MARGIN
        starts = [*range(0, len(spans) - size, max(1, size * 3 // 4)), len(spans) - size]
        return [text[spans[start][0] : spans[start + size - 1][1]] for start in starts]

    def _logits(self, query: str, texts: Sequence[str]) -> list[float]:
        import torch

        try:
            inputs = self._pairs(
                [query] * len(texts), list(texts), truncation="only_second", max_length=self._limit,
                padding=True, return_tensors="pt",
            )  # fmt: skip
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self._half):
                logits = self._model(**inputs).logits
            scores: list[float] = logits.float().reshape(len(texts)).tolist()
        except Exception as error:  # weights that do not fit each other fail only when they are used
            raise ModelUnavailable(f"reranker {self.spec!r} failed: {first_line(error)}; {_NEXT}") from error
        return scores


def multiplies_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 in hardware; elsewhere it is slower than float32."""
    import torch

    try:
        told = torch.cpu.get_capabilities()
    except (AttributeError, RuntimeError):
        return False
    return bool(told.get("amx_bf16") or told.get("avx512_bf16"))


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
