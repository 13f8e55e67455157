"""Static models of model2vec as an embedder: a vector for each token, and their mean."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ragcli.embed.measure import Measure, mark
from ragcli.embed.models import ModelFiles, first_line, weights_hash
from ragcli.errors import ModelUnavailable
from ragcli.tokens import FastTokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_READS = 8192  # it would read any number; longer chunks than that are none


class StaticEmbedder:
    """Unit vectors from a model2vec model (``static:FOLDER-or-NAME``).

    With ``dims`` only their first components are taken, and made of unit length again. Raises
    ``ModelUnavailable`` at construction when the model cannot be had.
    """

    measure: Measure = "cosine"
    max_tokens = _READS

    def __init__(self, files: ModelFiles, *, offline: bool, dims: int | None = None) -> None:
        self.spec = files.spec
        self._files = files
        self._model = _load(files, offline)
        self._dims = dims

    @cached_property
    def dimensions(self) -> int:
        """Length of a vector."""
        full = int(self._model.dim)
        return min(full, self._dims or full)

    @cached_property
    def signature(self) -> str:
        """What tells these vectors from those of every other model."""
        revision = weights_hash(self._files.folder)[:16] if self._files.folder else self.spec
        return f"model2vec:{revision}:{self.dimensions}d:{mark(self.measure)}"

    @cached_property
    def tokenizer(self) -> FastTokenizer:
        """The model's own tokenizer."""
        from tokenizers import Tokenizer

        return FastTokenizer(Tokenizer.from_str(self._model.tokenizer.to_str()))

    def embed_documents(self, texts: Sequence[str], *, kept: bool = True) -> Vectors:  # noqa: ARG002
        """Vectors of shape (n, dim), in the order of the texts."""
        import numpy as np

        try:
            found = self._model.encode(list(texts), max_length=None, use_multiprocessing=False)
        except Exception as error:  # weights that do not fit the tokenizer fail only when they are used
            raise ModelUnavailable(f"model {self.spec!r} failed: {first_line(error)}") from error
        vectors = np.asarray(found, dtype=np.float32)[:, : self.dimensions]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        # A text of unknown words alone has no direction: it gets one that is the same for all such.
        vectors = np.where(lengths > 0, vectors, np.eye(1, self.dimensions, dtype=np.float32))
        made: Vectors = np.ascontiguousarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)
        return made

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (n, dim) of questions, in their order."""
        return self.embed_documents(texts)


def _load(files: ModelFiles, offline: bool) -> Any:
    name = files.spec.partition(":")[2]
    if files.folder is None and offline:
        raise ModelUnavailable(f"{files.spec} is not on this machine; `rag models` lists the models at hand")
    try:
        from model2vec import StaticModel

        return StaticModel.from_pretrained(str(files.folder or name), force_download=False)
    except ImportError as error:
        raise ModelUnavailable(f"model2vec cannot be imported ({error}); reinstall ragcli") from error
    except Exception as error:  # the hub, safetensors and tokenizers each have errors of their own
        raise ModelUnavailable(
            f"model {files.spec!r} cannot be had: {first_line(error)}; `rag models` lists the models at hand"
        ) from error
