"""sentence-transformers models without torch, as far as their making is known: the same vectors, sooner."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.embed.measure import Measure
from ragcli.embed.models import (
    ModelFiles,
    check_default,
    first_line,
    measure_asked,
    open_tokenizer,
    weights_hash,
)
from ragcli.embed.signature import Role, prompt_for, signature_of
from ragcli.encoder import Direct, Proofs, Unsupported, multiplies_bfloat16, read_plan
from ragcli.errors import ModelUnavailable
from ragcli.jsontext import parse_json
from ragcli.settings import DEFAULT_MODEL
from ragcli.tokens import FastTokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ragcli.embed import Embedder

    Vectors = NDArray[np.float32]

# What both are compared on: cases, accents, other scripts, numbers, code, nothing, and more than is read.
PROBE = (
    "How long are hourly readings kept?",
    " The Café in ZÜRICH opened on 3 May 2021, at 08:15 — naïve façade, coöperation.",
    "温度低到多少要放下保温帘？东京 타워 Ελλάδα",
    "def total(xs): return sum(x**2 for x in xs)  # see https://example.org/a_b?c=1",
    "?!",
    "The hub keeps its readings for two years and tells nobody of them unless it is asked. " * 60,
    "In 1908 the Wright brothers flew for 2 h 20 min near Le Mans; by 1914 their patents had been sold, and "
    "engineers at Farnborough were measuring lift, drag and stall on wings of every section they could build.",
    "冷库在夏季每天记录四次温度和湿度。若压缩机连续停机超过三十分钟，值班人员必须在十分钟内通知主管，"
    "并把易腐货物移到备用库房；恢复运行后还要保存曲线图两年，以便保险公司查验。",
    "| id | name | price |\n|---|---|---|\n| 17 | café crème | 3.40 € |\n| 18 | thé à la menthe | 2.95 € |\n"
    "SELECT name, AVG(price) FROM menu WHERE id IN (17, 18) GROUP BY name HAVING COUNT(*) > 1;",
    "Error 0x80070057: parameter is incorrect. Restart the service (systemctl restart hub-agent), then run "
    "`hubctl sync --force --since=2024-02-29T23:59:60Z`; logs go to /var/log/hub/agent.log and rotate at 64 MiB.",
)
# Fewest questions for which it pays to compile the model.
_SEVERAL = 16
_REFERENCE = Path(__file__).with_name("reference.json")


def open_encoder(
    files: ModelFiles, *, offline: bool, dims: int | None = None, device: str = "auto"
) -> Embedder:
    """The model of a folder or the hub, by the fastest way that makes the same vectors.

    That is sentence-transformers for models whose making is not known here, and for those of which
    ours made others on the probe; and, for documents, on a ``device`` that is not the CPU. Raises
    ``ModelUnavailable`` when the model cannot be had, ``UsageError`` where torch lacks the device.
    """
    try:
        return EncoderEmbedder(files, dims=dims, device=device)
    except Unsupported as reason:
        from ragcli.embed.transformer import TransformerEmbedder

        return TransformerEmbedder(files, offline=offline, dims=dims, reason=str(reason), device=device)


class EncoderEmbedder:
    """Vectors of a model whose plan is known: by numpy at once, by OpenVINO where they are kept.

    What is kept of a text is the same to the last bit whatever is embedded with it. In all else as
    ``TransformerEmbedder``, whose signature it shares: its vectors have a cosine of at least 0.999
    to those. Raises ``Unsupported`` at construction where that is not so.
    """

    def __init__(self, files: ModelFiles, *, dims: int | None = None, device: str = "auto") -> None:
        if files.folder is None:
            raise Unsupported("it is not on this machine")
        if files.spec == DEFAULT_MODEL:
            check_default(files.folder)
        self.spec = files.spec
        self._plan = plan = read_plan(files.folder)
        tokenizer = open_tokenizer(files)
        if tokenizer is None:
            raise Unsupported("it has no tokenizer.json")
        self.tokenizer: FastTokenizer = tokenizer
        self.measure: Measure = measure_asked(files.spec, plan.similarity or "cosine")
        self._full = plan.dimensions
        self._dims = min(plan.wanted, dims or self._full)
        self._weights = weights_hash(files.folder)
        self._proofs = Proofs(self._weights, lambda: self._reference(files), _least_cosine)
        self._few = Direct(plan)
        self._files, self._device = files, device
        self.runtime = "numpy"
        self.doubt = ""  # why a faster way is not taken
        if plan.network is not None:  # a mean of a table's rows proves itself
            self._proofs.prove(self.runtime, partial(self._probe, self._few))

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._dims

    @cached_property
    def signature(self) -> str:
        """As sentence-transformers' own: the same weights, used in the same way."""
        prompts = self._plan.prompts
        return signature_of(self._weights[:16], self.dimensions, self._plan.limit, self.measure, prompts)

    @cached_property
    def max_tokens(self) -> int:
        """Most tokens of a text that the model reads, special tokens and prompt already taken off."""
        prompt = self.tokenizer.counts([self._prompt("document")])[0]
        return self._plan.limit - self.tokenizer.special_tokens - prompt

    def embed_documents(self, texts: Sequence[str], *, kept: bool = True) -> Vectors:
        """Vectors of shape (n, dim), in the order of the texts."""
        if kept and self._device not in ("auto", "cpu") and self._plan.network is not None:
            return self._elsewhere.embed_documents(texts)
        return self._embed(texts, self._prompt("document"), self._many if kept else self._few)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (n, dim) of questions, in their order."""
        way = self._few if len(texts) < _SEVERAL else self._many
        return self._embed(texts, self._prompt("query"), way, together=True)

    def _embed(self, texts: Sequence[str], prompt: str, way: Any, *, together: bool = False) -> Vectors:
        import numpy as np

        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        try:
            vectors = way.encode(self._known_ids(texts, prompt), together=together)
        except (RuntimeError, ValueError, IndexError) as error:  # weights that do not fit the tokenizer
            raise ModelUnavailable(
                f"model {self.spec!r} failed: {first_line(error)}; `rag models` lists the models at hand"
            ) from error
        vectors = vectors[:, : self.dimensions]
        if self.measure == "cosine" and not (self._plan.normalizes and self._dims == self._full):
            vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        made: Vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        return made

    def _known_ids(self, texts: Sequence[str], prompt: str) -> list[list[int]]:
        """Token ids of the texts, each behind the prompt, without words that the vocabulary lacks."""
        if prompt or self._plan.lowers or self._plan.network is None:
            return self._ids([prompt + text for text in self.tokenizer.known(texts)])
        return self._in_vocabulary(self.tokenizer.encoded_known(texts, self._plan.limit))

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        lowered = [text.lower() for text in texts] if self._plan.lowers else texts
        special = self._plan.network is not None
        return self._in_vocabulary(self.tokenizer.encoded(lowered, self._plan.limit, special=special))

    def _in_vocabulary(self, ids: list[list[int]]) -> list[list[int]]:
        if max(map(max, filter(None, ids)), default=0) >= self._plan.vocabulary:
            raise ValueError("its tokenizer has more words than its weights")
        return ids

    @cached_property
    def _many(self) -> Any:
        """The model compiled, in half precision where that is faster and true enough; else as it is at hand."""
        if self._plan.network is None:
            return self._few
        from ragcli.encoder.compiled import Compiled, compiler

        try:
            named = compiler()
        except ImportError:
            return self._few
        for half in (True, False) if multiplies_bfloat16() else (False,):
            name = f"{named} {'bf16' if half else 'f32'}"
            try:
                made = Compiled(self._plan, half=half)
                self._proofs.prove(name, partial(self._probe, made))
            except (Unsupported, RuntimeError) as reason:
                self.doubt = first_line(reason)
                continue
            self.runtime = name
            return made
        return self._few

    @cached_property
    def _elsewhere(self) -> Embedder:
        """The model on another device than the CPU, where it makes the same vectors."""
        from ragcli.embed.transformer import TransformerEmbedder

        dims = None if self._dims == self._full else self._dims
        made = TransformerEmbedder(self._files, offline=True, dims=dims, device=self._device)
        try:
            self._proofs.prove(made.runtime, lambda: made.raw(list(PROBE)))
        except Unsupported as reason:
            raise ModelUnavailable(f"{self.spec} {reason}; leave --device out") from reason
        self.runtime = made.runtime
        return made

    def _probe(self, way: Any) -> Any:
        return way.encode(self._ids(PROBE))

    @staticmethod
    def _reference(files: ModelFiles) -> list[list[float]]:
        """The vectors of the probe by sentence-transformers."""
        if files.spec == DEFAULT_MODEL:  # whose weights were checked
            told: list[list[float]] = parse_json(_REFERENCE.read_bytes())["vectors"]
            return told
        return original(files)

    def _prompt(self, role: Role) -> str:
        return prompt_for(self._plan.prompts, role)


def original(files: ModelFiles) -> list[list[float]]:
    """The vectors of the probe by sentence-transformers, rounded to six places."""
    from ragcli.embed.transformer import TransformerEmbedder

    model = TransformerEmbedder(files, offline=True)
    return [[round(float(x), 6) for x in vector] for vector in model.raw(list(PROBE))]


def _least_cosine(made: Any, reference: Any) -> float:
    import numpy as np

    if made.shape != reference.shape or not np.isfinite(made).all():
        return 0.0
    lengths = np.linalg.norm(made, axis=1) * np.linalg.norm(reference, axis=1)
    return float((np.sum(made * reference, axis=1) / np.maximum(lengths, 1e-12)).min())
