"""Any sentence-transformers model as an embedder."""

from __future__ import annotations

import logging
import os
import socket
import warnings
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ragcli.embed.models import (
    ModelFiles,
    check_default,
    first_line,
    measure_asked,
    open_tokenizer,
    weights_hash,
)
from ragcli.embed.signature import Role, prompt_for, signature_of
from ragcli.encoder import LONGEST
from ragcli.errors import ModelUnavailable, RagError, UsageError
from ragcli.settings import DEFAULT_MODEL
from ragcli.tokens import FastTokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

# Small batches of texts of one length beat large ones on a CPU: less padding, and caches that fit.
_BATCH = 16


class TransformerEmbedder:
    """Vectors from a sentence-transformers model, computed in float32.

    They are of unit length unless the model's ``similarity_fn_name`` asks for dot products or
    distances. With ``dims`` only their first components are taken, and made of unit length again
    (Kusupati et al., Matryoshka Representation Learning, arXiv 2205.13147).

    The model is given the words that its vocabulary can represent: on Chinese, of which
    all-MiniLM-L6-v2 knows two characters in five, that nearly doubles what it finds.

    Raises ``ModelUnavailable`` at construction when the model cannot be had, or asks for Manhattan
    distances, which Chroma does not measure.
    """

    def __init__(
        self,
        files: ModelFiles,
        *,
        offline: bool,
        dims: int | None = None,
        reason: str = "",
        device: str = "auto",
    ) -> None:
        self.spec = files.spec
        where = "" if device in ("auto", "cpu") else f" on {device}"
        self.runtime = f"sentence-transformers{where}{reason and f' ({reason})'}"
        self.doubt = reason
        self._files = files
        if files.spec == DEFAULT_MODEL and files.folder is not None:
            check_default(files.folder)
        self._model = _load(files, offline, device)
        self.measure = measure_asked(files.spec, self._model.similarity_fn_name)
        if dims is not None and dims < (self._model.get_embedding_dimension() or 0):
            self._model.truncate_dim = dims

    @cached_property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._model.get_embedding_dimension() or 0)

    @cached_property
    def signature(self) -> str:
        """What tells these vectors from those of every other model, or of these weights used otherwise."""
        folder = self._files.folder
        revision = weights_hash(folder)[:16] if folder else str(self._revision())
        prompts = self._model.prompts or {}
        return signature_of(revision, self.dimensions, self._limit, self.measure, prompts)

    @cached_property
    def max_tokens(self) -> int:
        """Most tokens of a text that the model reads, special tokens and prompt already taken off."""
        specials = getattr(self.tokenizer, "special_tokens", 2)
        return self._limit - specials - self.tokenizer.counts([self._prompt("document")])[0]

    @cached_property
    def tokenizer(self) -> FastTokenizer:
        """The model's own tokenizer."""
        found = open_tokenizer(self._files)
        if found is not None:
            return found
        from tokenizers import Tokenizer

        backend = getattr(self._model.tokenizer, "backend_tokenizer", self._model.tokenizer)
        if not isinstance(backend, Tokenizer):
            raise ModelUnavailable(f"{self.spec} has no fast tokenizer; choose another with --model")
        return FastTokenizer(Tokenizer.from_str(backend.to_str()))

    def embed_documents(self, texts: Sequence[str], *, kept: bool = True) -> Vectors:  # noqa: ARG002
        """Vectors of shape (n, dim), in the order of the texts."""
        return self._encode(self._model.encode_document, texts, self._prompt("document"))

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (n, dim) of questions, in their order."""
        import torch

        # A few words are read faster by one thread than by several that wait for each other.
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return self._encode(self._model.encode_query, texts, self._prompt("query"))
        finally:
            torch.set_num_threads(threads)

    def raw(self, texts: Sequence[str]) -> Vectors:
        """Whole vectors of texts as they stand: without a prompt, and of the length that the model gives them."""
        taken, self._model.truncate_dim = self._model.truncate_dim, None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                vectors: Vectors = self._model.encode(
                    list(texts), prompt="", batch_size=1, normalize_embeddings=False, show_progress_bar=False
                )
        finally:
            self._model.truncate_dim = taken
        return vectors

    def _encode(self, encode: Any, texts: Sequence[str], prompt: str) -> Vectors:
        import numpy as np

        known = self.tokenizer.known(texts)
        try:
            vectors = encode(
                known,
                # Left to itself it passes over a prompt for a "passage", for want of one for a "document".
                prompt=prompt,
                batch_size=_BATCH,
                normalize_embeddings=self.measure == "cosine",
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        except Exception as error:  # weights that do not fit each other fail only when they are used
            raise ModelUnavailable(
                f"model {self.spec!r} failed: {first_line(error)}; `rag models` lists the models at hand"
            ) from error
        made: Vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        return made

    @cached_property
    def _limit(self) -> int:
        limit = self._model.max_seq_length
        return int(limit) if isinstance(limit, int) and 0 < limit < 1_000_000 else LONGEST

    def _prompt(self, role: Role) -> str:
        return prompt_for(self._model.prompts or {}, role)

    def _revision(self) -> str | None:
        config = getattr(getattr(self._model[0], "auto_model", None), "config", None)
        return getattr(config, "_commit_hash", None) or self.spec


def _check_hub(spec: str) -> None:
    """Fail at once where the hub cannot be reached: its own client tries for two minutes."""
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return
    address = urlsplit(os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    try:
        socket.create_connection((address.hostname or "", address.port or 443), timeout=10).close()
    except OSError as error:
        raise ModelUnavailable(
            f"model {spec!r} is not on this machine and {address.hostname} cannot be reached; "
            f"`rag models` lists the models at hand"
        ) from error


def prepare_libraries(files: ModelFiles, *, offline: bool) -> None:
    """Keep the model libraries quiet and, where a model is at hand or asked to be, off the network.

    Raises ``ModelUnavailable`` where a model has to come from the hub and that cannot be reached.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    if offline or files.folder is not None:
        # `local_files_only` alone has been seen to call out.
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ["TRANSFORMERS_OFFLINE"] = "1"
    else:
        _check_hub(files.spec)
    for library in ("transformers", "sentence_transformers", "huggingface_hub"):
        logging.getLogger(library).setLevel(logging.ERROR)


def _load(files: ModelFiles, offline: bool, device: str) -> Any:
    prepare_libraries(files, offline=offline)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging as transformers_logging

            transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
            if device != "auto":
                _check_device(device)
            return SentenceTransformer(
                str(files.folder or files.spec),
                device=None if device == "auto" else device,
                local_files_only=offline or files.folder is not None,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
    except ImportError as error:
        raise ModelUnavailable(
            f"sentence-transformers cannot be imported ({error}); reinstall ragcli"
        ) from error
    except RagError:
        raise
    except Exception as error:  # The hub, transformers and torch each have errors of their own.
        raise ModelUnavailable(
            f"model {files.spec!r} cannot be had: {first_line(error)}; `rag models` lists the models at hand"
        ) from error


def _check_device(device: str) -> None:
    """Raise ``UsageError`` unless torch can compute there."""
    import torch

    try:
        torch.zeros(1, device=device) + 1
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"torch has no device {device!r} here; leave --device out, or RAG_DEVICE") from error
