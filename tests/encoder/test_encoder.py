"""Encoders without torch make the vectors that sentence-transformers makes, or leave the model to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.embed import find_model, open_embedder, weights_hash
from ragcli.embed.digests import sha256_of
from ragcli.embed.encoder import _REFERENCE, PROBE, EncoderEmbedder, open_encoder, original
from ragcli.embed.transformer import TransformerEmbedder
from ragcli.encoder import Unsupported, Weights, read_plan
from ragcli.encoder.compiled import Compiled
from ragcli.errors import ModelUnavailable, UsageError
from ragcli.places import cache_folder
from ragcli.settings import DEFAULT_MODEL

from ..program import SAMPLES
from ..tiny import save_static, save_vocabulary, truncate

WORDS = "how long are hourly readings kept the hub keeps its for two years and tells nobody of them unless it is asked"
TEXTS = (
    "How long are readings kept?", "the hub", "", "?!", "Naïve CAFÉ 温度 3.14",
    "the hub keeps its readings for two years and tells nobody of them unless it is asked " * 9,
)  # fmt: skip


def cosines(some: Any, others: Any) -> Any:
    lengths = np.linalg.norm(some, axis=1) * np.linalg.norm(others, axis=1)
    return np.sum(some * others, axis=1) / lengths


def alike(made: EncoderEmbedder) -> float:
    """Least cosine to the original's vectors of what is kept: half precision is used where it is fast."""
    return 0.9995 if "bf16" in made.runtime else 0.9999


@pytest.fixture(scope="module")
def default() -> tuple[EncoderEmbedder, TransformerEmbedder]:
    files = find_model(DEFAULT_MODEL)
    return EncoderEmbedder(files), TransformerEmbedder(files, offline=True)


def test_the_default_model_makes_its_own_vectors_every_way(
    default: tuple[EncoderEmbedder, TransformerEmbedder],
) -> None:
    ours, theirs = default
    texts = [*PROBE, *TEXTS, *(file.read_text("utf-8")[:3000] for file in sorted(SAMPLES.rglob("*.md"))[:12])]
    right = theirs.embed_documents(texts)
    for made in (ours.embed_documents(texts), ours.embed_documents(texts, kept=False)):
        assert made.dtype == np.float32
        assert made.shape == right.shape
        assert cosines(made, right).min() > alike(ours)
    for asked in (texts[:1], texts):  # by numpy, and compiled
        assert cosines(ours.embed_queries(asked), theirs.embed_queries(asked)).min() > alike(ours)
    assert ours.runtime.startswith("OpenVINO")


def test_it_is_the_same_model_to_an_index(default: tuple[EncoderEmbedder, TransformerEmbedder]) -> None:
    ours, theirs = default
    for name in ("signature", "dimensions", "measure", "max_tokens"):
        assert getattr(ours, name) == getattr(theirs, name), name


def test_what_it_is_held_against_is_what_sentence_transformers_makes() -> None:
    """``python -m tests.encoder.test_encoder`` writes it anew."""
    told = json.loads(_REFERENCE.read_text("utf-8"))["vectors"]
    assert np.allclose(told, original(find_model(DEFAULT_MODEL)), atol=2e-6)


@given(st.lists(st.sampled_from([*PROBE, *TEXTS]), min_size=1, max_size=5))
def test_a_vector_is_the_same_to_the_last_bit_whatever_is_embedded_with_it(
    default: tuple[EncoderEmbedder, TransformerEmbedder], texts: list[str]
) -> None:
    made = default[0].embed_documents(texts)
    for text, vector in zip(texts, made, strict=True):
        assert (default[0].embed_documents([text])[0] == vector).all()


Change = Callable[[Path], None]


def save(
    folder: Path, *, kind: str = "bert", pooling: str = "mean", modules: tuple[str, ...] = (), half: bool = False,
    **how: Any,
) -> Path:  # fmt: skip
    """A network of two layers with random weights, as transformers and sentence-transformers save it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import AutoConfig, AutoModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sentence_transformers.models import Dense, Normalize, Pooling, Transformer

    base = folder.with_name(f"{folder.name}.base")
    size = save_vocabulary(base, WORDS.split())
    torch.manual_seed(7)
    shape = {"num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96, "hidden_size": 32}
    if kind == "distilbert":
        shape = {"n_layers": 2, "n_heads": 4, "hidden_dim": 96, "dim": 32}
    options = {"vocab_size": size, "max_position_embeddings": 80, "initializer_range": 0.4, **shape, **how}
    config = AutoConfig.for_model(kind, **options)
    model = AutoModel.from_config(config)
    (model.half() if half else model).save_pretrained(base)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts: list[Any] = [Transformer(str(base), max_seq_length=64), Pooling(32, pooling)]
        parts += [Dense(32, 24) if name == "dense" else Normalize() for name in modules]
        prompts = how.pop("prompts", None)
        SentenceTransformer(modules=parts, prompts=prompts).save(str(folder), create_model_card=False)
    return folder


@pytest.mark.parametrize(
    "how",
    [
        {}, {"pooling": "cls"}, {"kind": "roberta", "pad_token_id": 0, "max_position_embeddings": 81},
        {"kind": "xlm-roberta", "pad_token_id": 0, "max_position_embeddings": 81, "pooling": "cls"},
        {"modules": ("normalize",)}, {"modules": ("dense", "normalize")}, {"modules": ("dense",)},
        {"hidden_act": "gelu_new"}, {"hidden_act": "relu"}, {"layer_norm_eps": 0.01},
    ],
    ids=repr,
)  # fmt: skip
def test_models_of_every_making(tmp_path: Path, how: dict[str, Any]) -> None:
    files = find_model(str(save(tmp_path / "model", **how)))
    ours, theirs = open_encoder(files, offline=True), TransformerEmbedder(files, offline=True)
    assert isinstance(ours, EncoderEmbedder), ours.runtime
    assert ours.signature == theirs.signature
    assert ours.max_tokens == theirs.max_tokens
    right = theirs.embed_documents(TEXTS)
    assert cosines(ours.embed_documents(TEXTS), right).min() > alike(ours)
    assert cosines(ours.embed_documents(TEXTS, kept=False), right).min() > 0.9999
    few = EncoderEmbedder(files, dims=8)
    assert cosines(few.embed_documents(TEXTS), right[:, :8]).min() > alike(ours)
    assert few.signature == TransformerEmbedder(files, offline=True, dims=8).signature


@pytest.mark.parametrize("measure", [None, "dot", "euclidean"])
def test_static_models(tmp_path: Path, measure: str | None) -> None:
    save_static(tmp_path / "model", WORDS.split(), 3, measure=measure)
    truncate(tmp_path / "model", 20)
    files = find_model(str(tmp_path / "model"))
    ours, theirs = open_encoder(files, offline=True), TransformerEmbedder(files, offline=True)
    assert isinstance(ours, EncoderEmbedder), ours.runtime
    for name in ("signature", "dimensions", "measure", "max_tokens"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert np.allclose(ours.embed_documents(TEXTS), theirs.embed_documents(TEXTS), atol=1e-6)
    assert np.allclose(ours.embed_queries(["the hub"])[0], theirs.embed_queries(["the hub"])[0], atol=1e-6)


def test_prompts_stand_before_texts(tmp_path: Path) -> None:
    folder = save(tmp_path / "model")
    told = folder / "config_sentence_transformers.json"
    told.write_text(
        json.dumps({**json.loads(told.read_text()), "prompts": {"query": "two years ", "passage": "hub "}})
    )
    files = find_model(str(folder))
    ours, theirs = open_encoder(files, offline=True), TransformerEmbedder(files, offline=True)
    assert isinstance(ours, EncoderEmbedder)
    assert ours.signature == theirs.signature
    assert np.allclose(ours.embed_queries(["readings"])[0], theirs.embed_queries(["readings"])[0], atol=1e-5)
    assert cosines(ours.embed_documents(TEXTS), theirs.embed_documents(TEXTS)).min() > alike(ours)
    assert not np.allclose(
        ours.embed_queries(["readings"])[0], ours.embed_documents(["readings"])[0], atol=1e-3
    )


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"kind": "distilbert"}, "its architecture is distilbert"),
        ({"pooling": "max"}, "it pools by max"),
        ({"kind": "electra"}, "its architecture is electra"),
    ],
    ids=repr,
)
def test_other_models_are_left_to_sentence_transformers(
    tmp_path: Path, how: dict[str, Any], reason: str
) -> None:
    made = open_embedder(str(save(tmp_path / "model", **how)), offline=True)
    assert isinstance(made, TransformerEmbedder)
    assert reason in made.runtime
    assert made.embed_documents(["the hub"]).shape[0] == 1


def test_a_model_that_comes_out_otherwise_is_left_to_sentence_transformers(tmp_path: Path) -> None:
    """What decides are the vectors of the probe, not what the files say."""
    files = find_model(str(save(tmp_path / "model")))
    first = EncoderEmbedder(files)
    place = next(
        path for path in (cache_folder() / "encoders").glob("*.json") if first._weights[:32] in path.name
    )
    told = json.loads(place.read_text("utf-8"))
    assert all(likeness > 0.9999 for likeness in told["proved"].values())
    told["reference"] = [[-x for x in vector] for vector in told["reference"]]
    place.write_text(json.dumps({**told, "proved": {}}), "utf-8")
    made = open_encoder(files, offline=True)
    assert isinstance(made, TransformerEmbedder)
    assert "numpy comes out otherwise (likeness -1.0000)" in made.runtime
    place.unlink()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"\xff", b'{"reference": [{"a": 1}], "proved": {}}', b'{"reference": [1, 2], "proved": []}',
        b'{"reference": 5, "proved": {"x": NaN}}', b"[" * 100_000, b" " * 5_000_000,
    ],
    ids=range(8),
)  # fmt: skip
def test_a_spoilt_cache_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    files = find_model(str(save(tmp_path / "model")))
    place = cache_folder() / "encoders" / f"{weights_hash(tmp_path / 'model')[:32]}.json"
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    assert isinstance(open_encoder(files, offline=True), EncoderEmbedder)
    assert json.loads(place.read_text("utf-8"))["reference"]


@pytest.mark.parametrize("digest", ["zz", "0" * 64, 5, None])
def test_a_model_is_not_called_damaged_for_what_is_remembered_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digest: object
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    signature = open_embedder(DEFAULT_MODEL, offline=True).signature
    place = cache_folder() / "digests.json"
    told = json.loads(place.read_text("utf-8"))
    place.write_text(json.dumps({name: [stamp, digest] for name, (stamp, _) in told.items()}), "utf-8")
    assert open_embedder(DEFAULT_MODEL, offline=True).signature == signature


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes among files")
def test_a_pipe_in_the_cache_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache_folder().mkdir(parents=True)
    os.mkfifo(cache_folder() / "digests.json")
    assert open_embedder(DEFAULT_MODEL, offline=True).embed_queries(["bees"])[0].shape == (384,)


def test_without_a_cache_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)
    made = open_embedder(DEFAULT_MODEL, offline=True)
    assert isinstance(made, EncoderEmbedder)
    assert made.embed_queries(["bees"])[0].shape == (384,)


def test_weights_that_changed_are_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"a" * 2_000_000)
    long_ago = 1_600_000_000 * 10**9
    os.utime(file, ns=(long_ago, long_ago))
    first = sha256_of(file)
    assert sha256_of(file) == first
    file.write_bytes(b"b" * 2_000_000)
    assert sha256_of(file) != first


# -- spoilt files --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("sound") / "model")


def altered(sound: Path, home: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    import shutil

    folder = home / "altered"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound, folder)
    (folder / name).write_bytes(change((sound / name).read_bytes()))
    return folder


def header(change: Callable[[dict[str, Any]], Any]) -> Callable[[bytes], bytes]:
    """Weights whose header says something else."""

    def changed(data: bytes) -> bytes:
        length = int.from_bytes(data[:8], "little")
        told = json.dumps(change(json.loads(data[8 : 8 + length]))).encode()
        return len(told).to_bytes(8, "little") + told + data[8 + length :]

    return changed


def beyond(told: dict[str, Any]) -> dict[str, Any]:
    name = max(told, key=lambda each: told[each].get("data_offsets", [0, 0])[1])
    told[name]["data_offsets"][1] += 10**9
    return told


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("model.safetensors", lambda _: b""),
        ("model.safetensors", lambda data: data[:40]),
        ("model.safetensors", lambda data: data[:-100]),
        ("model.safetensors", lambda data: b"\xff" * 8 + data[8:]),
        ("model.safetensors", header(beyond)),
        ("model.safetensors", header(lambda _: [])),
        (
            "model.safetensors",
            header(lambda told: {name: {**each, "dtype": "F64"} for name, each in told.items()}),
        ),
        (
            "model.safetensors",
            header(lambda told: {name: {**each, "shape": [-1]} for name, each in told.items()}),
        ),
        ("config.json", lambda data: data.replace(b'"hidden_size": 32', b'"hidden_size": 64')),
        ("config.json", lambda data: data.replace(b'"num_attention_heads": 4', b'"num_attention_heads": 5')),
        ("config.json", lambda _: b"[]"),
        ("modules.json", lambda data: data.replace(b'"1_Pooling"', b'"../../etc"')),
        ("1_Pooling/config.json", lambda _: b"{}"),
        ("sentence_bert_config.json", lambda _: b'{"max_seq_length": 5000}'),
    ],
)
def test_a_spoilt_model_is_never_run(
    sound: Path, tmp_path: Path, name: str, change: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(Unsupported):
        read_plan(altered(sound, tmp_path, name, change))


def test_ids_beyond_the_weights_are_an_error_of_the_model(sound: Path, tmp_path: Path) -> None:
    def shift(data: bytes) -> bytes:
        told = json.loads(data)
        told["model"]["vocab"] = {
            word: number + (number > 4) * 10**6 for word, number in told["model"]["vocab"].items()
        }
        return json.dumps(told).encode()

    with pytest.raises((ModelUnavailable, Unsupported)):
        EncoderEmbedder(find_model(str(altered(sound, tmp_path, "tokenizer.json", shift)))).embed_queries(
            ["the hub"]
        )


@given(st.binary(max_size=200), st.integers(0, 300))
def test_no_bytes_are_weights_by_chance(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, length: int
) -> None:
    file = tmp_path_factory.getbasetemp() / f"any.{os.getpid()}.safetensors"
    file.write_bytes(length.to_bytes(8, "little") + data)
    try:
        weights = Weights(file)
    except ValueError:
        return
    assert all(weights[name].size >= 0 for name in weights)


if __name__ == "__main__":
    _REFERENCE.write_text(
        json.dumps({"model": DEFAULT_MODEL, "vectors": original(find_model(DEFAULT_MODEL))}), "utf-8"
    )


def test_documents_may_be_read_elsewhere_and_questions_are_read_here(
    default: tuple[EncoderEmbedder, TransformerEmbedder],
) -> None:
    ours, theirs = default
    there = EncoderEmbedder(find_model(DEFAULT_MODEL), dims=64, device="cpu:0")  # a device to torch
    made = there.embed_documents(TEXTS)
    assert there.runtime == "sentence-transformers on cpu:0"
    assert made.shape == (len(TEXTS), 64)
    right = TransformerEmbedder(find_model(DEFAULT_MODEL), offline=True, dims=64)
    assert there.signature == right.signature
    assert cosines(made, right.embed_documents(TEXTS)).min() > 0.9999
    assert cosines(there.embed_queries(TEXTS[:2]), right.embed_queries(TEXTS[:2])).min() > 0.9999
    assert theirs.signature == ours.signature


def test_a_device_that_torch_lacks_is_named() -> None:
    with pytest.raises(UsageError, match="no device 'xpu:77' here"):
        EncoderEmbedder(find_model(DEFAULT_MODEL), device="xpu:77").embed_documents(["a"])


def test_a_faster_way_that_comes_out_otherwise_is_not_taken_and_why_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        Compiled,
        "encode",
        lambda _, texts, **__: np.ones((len(texts), 384), dtype=np.float32),
    )
    monkeypatch.setattr("ragcli.encoder.proofs.recall", lambda _: {})
    monkeypatch.setattr("ragcli.encoder.proofs.keep", lambda *_: None)
    made = EncoderEmbedder(find_model(DEFAULT_MODEL))
    right = made.embed_documents(TEXTS, kept=False)
    assert np.array_equal(made.embed_documents(TEXTS), right)
    assert made.runtime == "numpy"
    assert "comes out otherwise" in made.doubt


def test_short_texts_read_together_are_read_as_alone(
    default: tuple[EncoderEmbedder, TransformerEmbedder],
) -> None:
    ours, _ = default
    asked = [f"{'why ' * n}are {word} kept?" for n in range(4) for word in ("bees", "cats", "温度", "")] * 5
    alone = ours.embed_documents(asked)
    assert cosines(ours.embed_queries(asked), alone).min() > 0.9995


_WATCHED = """
import subprocess
import sys
told = ("os.fork", "os.posix_spawn", "subprocess.Popen", "socket.getaddrinfo", "socket.connect")
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event in told else None)
from ragcli.encoder.compiled import compiler
compiler()
print(seen)
"""


def test_nobody_is_told_that_openvino_is_used(tmp_path: Path) -> None:
    """Its package would, by default, from a process of its own, and note the use in the home folder."""
    pytest.importorskip("openvino")
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", _WATCHED], env=os.environ | home, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"
    assert not list(tmp_path.iterdir())
