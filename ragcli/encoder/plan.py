"""How a model is made, read from the files that sentence-transformers and transformers save beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ragcli.encoder.weights import Weights
from ragcli.jsontext import parse_json

Activation = Literal["gelu", "gelu_tanh", "relu", "tanh", "identity"]
Pooling = Literal["mean", "cls"]

_KINDS = ("bert", "roberta", "xlm-roberta", "camembert")
_ACTIVATIONS: Mapping[str, Activation] = {
    "gelu": "gelu", "gelu_python": "gelu", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "relu": "relu",
}  # fmt: skip
_DENSE: Mapping[str, Activation] = {"Tanh": "tanh", "Identity": "identity", "GELU": "gelu", "ReLU": "relu"}
# Models without a limit of their own get one, so that chunks stay readable.
LONGEST = 8192
_WORDS = "embeddings.word_embeddings.weight"


class Unsupported(Exception):
    """A model that is run by sentence-transformers; says why."""


@dataclass(frozen=True, slots=True)
class Network:
    """The layers that all such models share.

    ``prefix`` stands before the names of their tensors; positions are counted from ``first`` on.
    """

    weights: Weights
    prefix: str
    kind: str
    layers: int
    heads: int
    hidden: int
    epsilon: float
    activation: Activation
    first: int
    positions: int

    def tensor(self, name: str) -> Any:
        """A tensor by its name in the model."""
        return self.weights[self.prefix + name]

    @property
    def vocabulary(self) -> int:
        """How many tokens have a vector."""
        return self.weights.shape(self.prefix + _WORDS)[0]


@dataclass(frozen=True, slots=True)
class Head:
    """A dense layer: ``weight`` (out, in), ``bias`` (out,) or None, and what follows it."""

    weight: Any
    bias: Any
    activation: Activation


@dataclass(frozen=True, slots=True)
class Plan:
    """An embedding model: its network, what becomes of the tokens' vectors, and how texts are read.

    A static model has a ``table`` (vocabulary, hidden) instead of a network. ``limit`` is in tokens,
    special ones included; ``prompts`` stand before questions and documents. Vectors have
    ``dimensions`` components, of which the first ``wanted`` are given.
    """

    network: Network | None
    table: Any
    pooling: Pooling
    heads: tuple[Head, ...]
    normalizes: bool
    limit: int
    lowers: bool
    prompts: Mapping[str, str]
    similarity: str | None
    dimensions: int
    wanted: int

    @property
    def vocabulary(self) -> int:
        """How many tokens have a vector."""
        return len(self.table) if self.network is None else self.network.vocabulary


def read_plan(folder: Path) -> Plan:
    """How the sentence-transformers model in ``folder`` is made. Raises ``Unsupported`` for others."""
    try:
        return _plan(folder)
    except Unsupported:
        raise
    except Exception as error:  # files of any making
        raise Unsupported(f"it cannot be read: {type(error).__name__}") from error


def read_network(folder: Path) -> Network:
    """The layers of the model in ``folder``. Raises ``Unsupported`` for others than BERT and its kin."""
    try:
        return _network(folder)
    except Unsupported:
        raise
    except Exception as error:
        raise Unsupported(f"it cannot be read: {type(error).__name__}") from error


@dataclass(frozen=True, slots=True)
class Classifier:
    """A network that gives one number of a pair: dense layers over its first token's vector."""

    network: Network
    heads: tuple[Head, ...]


def read_classifier(folder: Path) -> Classifier:
    """The cross-encoder in ``folder``. Raises ``Unsupported`` for others than BERT and its kin."""
    network = read_network(folder)
    names = (
        (f"{network.prefix}pooler.dense", "classifier") if network.kind == "bert"
        else ("classifier.dense", "classifier.out_proj")
    )  # fmt: skip
    weights = network.weights
    for name, shape in zip(names, ((network.hidden, network.hidden), (1, network.hidden)), strict=True):
        if f"{name}.weight" not in weights or weights.shape(f"{name}.weight") != shape:
            raise Unsupported("its output layers have other names")
        if f"{name}.bias" not in weights or weights.shape(f"{name}.bias") != shape[:1]:
            raise Unsupported("its output layers have other names")
    dense, output = (Head(weights[f"{name}.weight"], weights[f"{name}.bias"], "tanh") for name in names)
    return Classifier(network, (dense, Head(output.weight, output.bias, "identity")))


def _json(path: Path) -> dict[str, Any]:
    found = parse_json(path.read_text("utf-8"))
    if not isinstance(found, dict):
        raise Unsupported(f"{path.name} says something else")
    return found


def _plan(folder: Path) -> Plan:
    modules = parse_json((folder / "modules.json").read_text("utf-8"))
    kinds = [str(module["type"]).rpartition(".")[2] for module in modules]
    places = [_inside(folder, str(module["path"])) for module in modules]
    network: Network | None = None
    table = None
    pooling: Pooling = "mean"
    how: dict[str, Any] = {}
    limit = LONGEST
    if kinds[:2] == ["Transformer", "Pooling"]:
        network = _network(places[0])
        how = _json(places[0] / "sentence_bert_config.json")
        limit = _limit(places[0], how, network)
        pooling = _pooling(places[1], network.hidden)
        rest, width = 2, network.hidden
    elif kinds[:1] == ["StaticEmbedding"]:
        table = Weights(places[0] / "model.safetensors")["embedding.weight"]
        if table.ndim != 2:
            raise Unsupported("its table has another form")
        rest, width = 1, table.shape[1]
    else:
        raise Unsupported(f"it is made of {', '.join(kinds)}")
    heads: list[Head] = []
    normalizes = False
    for kind, place in zip(kinds[rest:], places[rest:], strict=True):
        if kind == "Dense" and not normalizes:
            heads.append(_dense(place, width))
            width = len(heads[-1].weight)
        elif kind == "Normalize":
            normalizes = True
        else:
            raise Unsupported(f"it ends in {kind}")
    told = folder / "config_sentence_transformers.json"
    general = _json(told) if told.is_file() else {}
    if general.get("default_prompt_name"):
        raise Unsupported("it has a prompt for every text")
    prompts = {str(name): str(text) for name, text in (general.get("prompts") or {}).items()}
    first = general.get("truncate_dim")
    return Plan(
        network, table, pooling, tuple(heads), normalizes, limit, bool(how.get("do_lower_case")), prompts,
        general.get("similarity_fn_name"), width, first if isinstance(first, int) and 0 < first < width else width,
    )  # fmt: skip


def _limit(folder: Path, how: Mapping[str, Any], network: Network) -> int:
    """The most tokens that are read, special ones included."""
    if how.get("transformer_task", "feature-extraction") != "feature-extraction":
        raise Unsupported("its network has another task")
    if how.get("module_output_name", "token_embeddings") != "token_embeddings":
        raise Unsupported("its network gives something else")
    limit = how.get("max_seq_length")
    if limit is None:
        told = _json(folder / "tokenizer_config.json").get("model_max_length")
        most = _json(folder / "config.json")["max_position_embeddings"]
        limit = min(told, most) if isinstance(told, int) else most
    if not isinstance(limit, int) or not 2 < limit <= network.positions:
        raise Unsupported("it does not say how much it reads")
    return limit


def _inside(folder: Path, name: str) -> Path:
    place = (folder / name).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise Unsupported("its parts lie elsewhere")
    return place


def _network(folder: Path) -> Network:
    config = _json(folder / "config.json")
    kind = str(config.get("model_type"))
    if kind not in _KINDS:
        raise Unsupported(f"its architecture is {kind}")
    if config.get("position_embedding_type", "absolute") != "absolute" or config.get("is_decoder"):
        raise Unsupported("its attention is of another kind")
    activation = _ACTIVATIONS.get(str(config.get("hidden_act", "gelu")))
    if activation is None:
        raise Unsupported(f"its activation is {config['hidden_act']}")
    weights = Weights(folder / "model.safetensors")
    prefix = next((name.removesuffix(_WORDS) for name in weights if name.endswith(_WORDS)), None)
    if prefix is None:
        raise Unsupported("its tensors have other names")
    first = 0 if kind == "bert" else int(config.get("pad_token_id", 1)) + 1
    network = Network(
        weights, prefix, kind, int(config["num_hidden_layers"]), int(config["num_attention_heads"]),
        int(config["hidden_size"]), float(config.get("layer_norm_eps", 1e-12)), activation, first,
        int(config["max_position_embeddings"]) - first,
    )  # fmt: skip
    _check_shapes(network, int(config["intermediate_size"]))
    return network


def _check_shapes(network: Network, inner: int) -> None:
    """Raise ``Unsupported`` unless every tensor is there and as large as the configuration says."""
    hidden = network.hidden
    if network.heads < 1 or hidden % network.heads or network.layers < 1:
        raise Unsupported("its configuration does not fit itself")
    expected: dict[str, tuple[int, ...]] = {
        "embeddings.position_embeddings.weight": (network.first + network.positions, hidden),
        "embeddings.LayerNorm.weight": (hidden,), "embeddings.LayerNorm.bias": (hidden,),
    }  # fmt: skip
    for layer in range(network.layers):
        within = f"encoder.layer.{layer}."
        for name in (
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            "attention.output.dense",
        ):
            expected |= {f"{within}{name}.weight": (hidden, hidden), f"{within}{name}.bias": (hidden,)}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            expected |= {f"{within}{name}.weight": (hidden,), f"{within}{name}.bias": (hidden,)}
        expected |= {
            f"{within}intermediate.dense.weight": (inner, hidden), f"{within}intermediate.dense.bias": (inner,),
            f"{within}output.dense.weight": (hidden, inner), f"{within}output.dense.bias": (hidden,),
        }  # fmt: skip
    for name, shape in expected.items():
        if network.weights.shape(network.prefix + name) != shape:
            raise Unsupported(f"{name} does not fit the configuration")
    for name in (_WORDS, "embeddings.token_type_embeddings.weight"):
        if network.weights.shape(network.prefix + name)[1:] != (hidden,):
            raise Unsupported(f"{name} does not fit the configuration")


def _pooling(folder: Path, hidden: int) -> Pooling:
    config = _json(folder / "config.json")
    modes = {
        name.removeprefix("pooling_mode_").removesuffix("_token").removesuffix("_tokens")
        for name, on in config.items()
        if name.startswith("pooling_mode_") and on is True
    }
    if isinstance(config.get("pooling_mode"), str):
        modes.add(config["pooling_mode"])
    if modes not in ({"mean"}, {"cls"}) or config.get("include_prompt") is False:
        raise Unsupported(f"it pools by {', '.join(sorted(modes)) or 'nothing'}")
    if config.get("word_embedding_dimension", config.get("embedding_dimension", hidden)) != hidden:
        raise Unsupported("its pooling does not fit its network")
    return "mean" if modes == {"mean"} else "cls"


def _dense(folder: Path, width: int) -> Head:
    config = _json(folder / "config.json")
    name = str(config.get("activation_function", "Tanh")).rpartition(".")[2]
    if name not in _DENSE:
        raise Unsupported(f"its last layer's activation is {name}")
    weights = Weights(folder / "model.safetensors")
    weight = weights["linear.weight"]
    bias = weights.get("linear.bias")
    if weight.ndim != 2 or weight.shape[1] != width or (bias is not None and bias.shape != weight.shape[:1]):
        raise Unsupported("its last layer does not fit its network")
    return Head(weight, bias, _DENSE[name])
