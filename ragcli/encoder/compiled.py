"""An encoder in OpenVINO, for much text: one graph, built from the weights and compiled for this processor."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from ragcli.encoder.plan import Activation, Classifier, Head, Network, Plan
from ragcli.interrupts import held_back

_WAITING = 8  # requests for each that runs
_TOGETHER = 16  # texts read in one request


def _openvino() -> Any:
    """OpenVINO. Raises ImportError where it is not to be had."""
    # Else it would tell its makers of its use, over the network, from a process of its own.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    with held_back():
        import openvino

    return openvino


def compiler() -> str:
    """What compiles, and its version. Raises ImportError where it is not to be had."""
    return f"OpenVINO {_openvino().__version__.partition('-')[0]}"


class Compiled:
    """Vectors of a plan that has a network, many texts at a time, with ``half`` in bfloat16.

    Raises ImportError where OpenVINO is not to be had, RuntimeError where it cannot compile.
    """

    def __init__(self, plan: Plan, *, half: bool = False) -> None:
        network = plan.network
        if network is None:
            raise RuntimeError("a table needs no compiling")
        ids, state, op, _ = _encoder(network)
        pooled = (
            op.reduce_mean(state, _ints(op, 1))
            if plan.pooling == "mean"
            else op.gather(state, _ints(op, 0), _ints(op, 1))
        )
        vector = op.reshape(pooled, _ints(op, -1, network.hidden), special_zero=False)
        for head in plan.heads:
            vector = _dense(op, vector, head)
        if plan.normalizes:
            length = op.sqrt(op.reduce_sum(op.multiply(vector, vector), _ints(op, 1), keep_dims=True))
            vector = op.divide(vector, op.maximum(length, _float(op, 1e-12)))
        self._requests = _Requests(vector, [ids], half=half)
        self._dimensions = plan.dimensions

    def encode(self, texts: Sequence[Sequence[int]], *, together: bool = False) -> Any:
        """Vectors, shape (n, dim), of texts as token ids with special ones, each at most ``limit`` long.

        Each is read by itself, several at once on as many cores: for long ones that is as fast as in
        batches, and a vector is the same to the last bit whatever else is read. ``together`` reads
        those of one length together, which is faster for short ones.
        """
        import numpy as np

        found = np.empty((len(texts), self._dimensions), dtype=np.float32)
        # The longest first, so that none of them runs alone in the end.
        order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        groups = [order[at : at + 1] for at in range(len(order))]
        if together:
            groups = [
                rows[at : at + _TOGETHER]
                for rows in (list(same) for _, same in groupby(order, key=lambda place: len(texts[place])))
                for at in range(0, len(rows), _TOGETHER)
            ]
        inputs = ([np.array([texts[place] for place in rows], dtype=np.int64)] for rows in groups)
        for rows, vectors in zip(groups, self._requests.run(inputs), strict=True):
            found[rows] = vectors
        return found


class CompiledPairs:
    """The number that a classifier gives of each pair, with ``half`` in bfloat16.

    Raises as ``Compiled`` does.
    """

    def __init__(self, classifier: Classifier, *, half: bool = False) -> None:
        ids, state, op, types = _encoder(classifier.network, typed=True)
        value = op.reshape(
            op.gather(state, _ints(op, 0), _ints(op, 1)),
            _ints(op, -1, classifier.network.hidden),
            special_zero=False,
        )
        for head in classifier.heads:
            value = _dense(op, value, head)
        self._requests = _Requests(value, [ids, types], half=half)

    def encode(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Any:
        """Numbers, shape (n,), of pairs as token ids with special ones and the part that each token belongs to."""
        import numpy as np

        found = np.empty(len(pairs), dtype=np.float32)
        order = sorted(range(len(pairs)), key=lambda place: -len(pairs[place][0]))
        inputs = ([np.array([part], dtype=np.int64) for part in pairs[place]] for place in order)
        for place, value in zip(order, self._requests.run(inputs), strict=True):
            found[place] = value[0, 0]
        return found


class _Requests:
    """Requests to a compiled graph, more than run at once: some wait while other threads have Python's lock."""

    def __init__(self, result: Any, inputs: Sequence[Any], *, half: bool) -> None:
        ov = _openvino()
        model = ov.Model([result], list(inputs), "encoder")
        how = {"INFERENCE_PRECISION_HINT": "bf16" if half else "f32", "PERFORMANCE_HINT": "THROUGHPUT"}
        # As the other libraries of numbers are told how many cores are theirs.
        if (threads := os.environ.get("OMP_NUM_THREADS", "")).isdecimal() and int(threads):
            how["INFERENCE_NUM_THREADS"] = threads
        with held_back():
            compiled = ov.Core().compile_model(model, "CPU", how)
        count = _WAITING * int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._requests = [compiled.create_infer_request() for _ in range(count)]

    def run(self, inputs: Iterable[Sequence[Any]]) -> Iterator[Any]:
        """What the graph makes of each of the inputs, in their order; each is gone when the next is asked for.

        They are waited for in order, without callbacks: those would wait for Python's lock while
        other threads have it, and the cores with them.
        """
        free = deque(self._requests)
        running: deque[Any] = deque()
        try:
            for each in inputs:
                if not free:
                    running[0].wait()
                    yield running[0].get_output_tensor(0).data
                    free.append(running.popleft())
                request = free.popleft()
                request.start_async(list(each))
                running.append(request)
            while running:
                running[0].wait()
                yield running[0].get_output_tensor(0).data
                running.popleft()
        finally:
            for request in running:  # left early, by an interrupt
                request.wait()


def _encoder(network: Network, *, typed: bool = False) -> tuple[Any, Any, Any, Any]:
    """The graph up to the last layer's vectors: ids (int64, (1, tokens)), states, the opset, and the types.

    ``typed`` says that the part that each token belongs to is given, too; else all are of the first.
    """
    import numpy as np

    op = _openvino().opset13
    ids = op.parameter([-1, -1], np.int64, "ids")
    tensor = network.tensor
    count = op.squeeze(op.gather(op.shape_of(ids), _ints(op, 1), _ints(op, 0)), _ints(op, 0))
    places = op.range(
        op.constant(np.int64(network.first)), op.add(count, op.constant(np.int64(network.first))),
        op.constant(np.int64(1)), "i64",
    )  # fmt: skip
    state = op.gather(_constant(op, tensor("embeddings.word_embeddings.weight")), ids, _ints(op, 0))
    beside = op.gather(_constant(op, tensor("embeddings.position_embeddings.weight")), places, _ints(op, 0))
    state = op.add(state, beside)
    kinds = tensor("embeddings.token_type_embeddings.weight")
    types = op.parameter([-1, -1], np.int64, "types") if typed else None
    kind = op.gather(_constant(op, kinds), types, _ints(op, 0)) if typed else _constant(op, kinds[0])
    state = op.add(state, kind)
    state = _normal(op, network, state, "embeddings.LayerNorm")
    width = network.hidden // network.heads

    def split(values: Any) -> Any:
        rows = op.reshape(values, _ints(op, 0, 0, network.heads, width), special_zero=True)
        return op.transpose(rows, _ints(op, 0, 2, 1, 3))

    for layer in range(network.layers):
        within = f"encoder.layer.{layer}."
        query, key, value = (
            split(_linear(op, network, state, f"{within}attention.self.{name}"))
            for name in ("query", "key", "value")
        )
        found = op.scaled_dot_product_attention(query, key, value)
        found = op.transpose(found, _ints(op, 0, 2, 1, 3))
        found = op.reshape(found, _ints(op, 0, 0, network.hidden), special_zero=True)
        found = op.add(_linear(op, network, found, f"{within}attention.output.dense"), state)
        state = _normal(op, network, found, f"{within}attention.output.LayerNorm")
        inner = _activate(op, _linear(op, network, state, f"{within}intermediate.dense"), network.activation)
        found = op.add(_linear(op, network, inner, f"{within}output.dense"), state)
        state = _normal(op, network, found, f"{within}output.LayerNorm")
    return ids, state, op, types


def _dense(op: Any, values: Any, head: Head) -> Any:
    values = op.matmul(values, _constant(op, head.weight), transpose_a=False, transpose_b=True)
    if head.bias is not None:
        values = op.add(values, _constant(op, head.bias))
    return _activate(op, values, head.activation)


def _activate(op: Any, values: Any, kind: Activation) -> Any:
    if kind == "relu":
        return op.relu(values)
    if kind == "tanh":
        return op.tanh(values)
    if kind == "identity":
        return values
    return op.gelu(values, "erf" if kind == "gelu" else "tanh")


def _linear(op: Any, network: Network, values: Any, name: str) -> Any:
    weight, bias = network.tensor(f"{name}.weight"), network.tensor(f"{name}.bias")
    return op.add(
        op.matmul(values, _constant(op, weight), transpose_a=False, transpose_b=True), _constant(op, bias)
    )


def _normal(op: Any, network: Network, values: Any, name: str) -> Any:
    even = op.mvn(values, _ints(op, -1), True, network.epsilon, "inside_sqrt")
    scaled = op.multiply(even, _constant(op, network.tensor(f"{name}.weight")))
    return op.add(scaled, _constant(op, network.tensor(f"{name}.bias")))


def _constant(op: Any, values: Any) -> Any:
    import numpy as np

    return op.constant(np.ascontiguousarray(values))


def _ints(op: Any, *values: int) -> Any:
    import numpy as np

    return op.constant(np.array(values, dtype=np.int64))


def _float(op: Any, value: float) -> Any:
    import numpy as np

    return op.constant(np.float32(value))
