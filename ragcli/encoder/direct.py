"""An encoder in numpy: ready at once, for the few words of a question.

Nothing is compiled and no more of the weights is read than the text needs, so a fresh process has a
question's vector before a runtime would have loaded its model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ragcli.encoder.plan import Activation, Network, Plan


class Direct:
    """Vectors of a plan, one text at a time."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def encode(self, texts: Sequence[Sequence[int]], *, together: bool = False) -> Any:  # noqa: ARG002  # one by one
        """Vectors, shape (n, dim), of texts as token ids with special ones, each at most ``limit`` long."""
        import numpy as np

        return np.stack([self._vector(ids) for ids in texts]).astype(np.float32, copy=False)

    def _vector(self, ids: Sequence[int]) -> Any:
        import numpy as np

        if not ids:  # only a static model has nothing to add
            tokens = np.zeros((1, self._plan.table.shape[1]), dtype=np.float32)
        elif self._plan.network is None:
            tokens = self._plan.table[np.asarray(ids, dtype=np.int64)]
        else:
            tokens = hidden_states(self._plan.network, ids)
        vector = tokens.mean(axis=0) if self._plan.pooling == "mean" else tokens[0]
        for head in self._plan.heads:
            vector = vector @ head.weight.T
            vector = activate(vector if head.bias is None else vector + head.bias, head.activation)
        return vector / max(float(np.linalg.norm(vector)), 1e-12) if self._plan.normalizes else vector


def hidden_states(network: Network, ids: Sequence[int]) -> Any:
    """The last layer's vectors of one text, shape (tokens, hidden)."""
    import numpy as np

    count, heads, width = len(ids), network.heads, network.hidden // network.heads
    tensor = network.tensor
    places = slice(network.first, network.first + count)
    state = tensor("embeddings.word_embeddings.weight")[np.asarray(ids)]
    state = state + tensor("embeddings.position_embeddings.weight")[places]
    state += tensor("embeddings.token_type_embeddings.weight")[0]
    state = _normal(network, state, "embeddings.LayerNorm")
    scale = np.float32(width**-0.5)
    for layer in range(network.layers):
        within = f"encoder.layer.{layer}."
        query, key, value = (
            _linear(network, state, f"{within}attention.self.{name}").reshape(count, heads, width)
            for name in ("query", "key", "value")
        )
        weights = np.einsum("ihd,jhd->hij", query * scale, key, optimize=True)
        weights = np.exp(weights - weights.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        seen = np.einsum("hij,jhd->ihd", weights, value, optimize=True).reshape(count, network.hidden)
        seen = _linear(network, seen, f"{within}attention.output.dense") + state
        state = _normal(network, seen, f"{within}attention.output.LayerNorm")
        inner = activate(_linear(network, state, f"{within}intermediate.dense"), network.activation)
        state = _normal(
            network, _linear(network, inner, f"{within}output.dense") + state, f"{within}output.LayerNorm"
        )
    return state


def _linear(network: Network, state: Any, name: str) -> Any:
    return state @ network.tensor(f"{name}.weight").T + network.tensor(f"{name}.bias")


def _normal(network: Network, state: Any, name: str) -> Any:
    import numpy as np

    state = state - state.mean(axis=-1, keepdims=True)
    spread = np.sqrt(np.square(state).mean(axis=-1, keepdims=True) + np.float32(network.epsilon))
    return state / spread * network.tensor(f"{name}.weight") + network.tensor(f"{name}.bias")


def activate(values: Any, kind: Activation) -> Any:
    """An activation, in float32."""
    import numpy as np

    if kind == "relu":
        return np.maximum(values, 0)
    if kind == "tanh":
        return np.tanh(values)
    if kind == "identity":
        return values
    if kind == "gelu_tanh":
        inner = np.float32(0.7978845608) * (values + np.float32(0.044715) * values**3)
        return np.float32(0.5) * values * (1 + np.tanh(inner))
    return np.float32(0.5) * values * (1 + _erf(values * np.float32(0.70710678118)))


def _erf(values: Any) -> Any:
    """The error function to 1.5e-7 (Abramowitz and Stegun, 7.1.26), which numpy lacks."""
    import numpy as np

    size = np.abs(values)
    t = 1 / (1 + np.float32(0.3275911) * size)
    sum_ = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        sum_ = (sum_ + np.float32(factor)) * t
    return np.sign(values) * (1 - sum_ * np.exp(-size * size))
