"""Cross-encoders made on the spot: what they are given, and which are refused."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ragcli.embed import find_model
from ragcli.errors import ModelUnavailable
from ragcli.rerank import open_reranker
from ragcli.rerank.cross_encoder import CrossEncoderReranker

from ..tiny import WORDS, save_cross_encoder, save_transformer, save_vocabulary

QUESTION = "bees in winter"
TEXTS = ["the cluster shivers", "green tea", "a hive holds forty thousand bees in june", "wren", ""]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("rerankers") / "tiny"
    save_cross_encoder(place, WORDS.split(), seed=3)
    return place


def reference(folder: Path, texts: list[str]) -> list[float]:
    """The logits as sentence-transformers gives them, one pair at a time."""
    import torch
    from sentence_transformers import CrossEncoder

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = CrossEncoder(str(folder), local_files_only=True)
        pairs = [(QUESTION, text) for text in texts]
        found: Any = model.predict(
            pairs, activation_fn=torch.nn.Identity(), batch_size=1, show_progress_bar=False
        )
    return [float(score) for score in found]


def test_scores_are_those_of_sentence_transformers(folder: Path) -> None:
    made = CrossEncoderReranker(find_model(str(folder)), offline=True, half=False)
    assert made.runtime.startswith("OpenVINO")
    found = made.score(QUESTION, TEXTS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, reference(folder, TEXTS), atol=1e-4)
    assert len(set(found.tolist())) == len(TEXTS)


@pytest.mark.parametrize(
    ("kind", "runtime"), [("bert", "OpenVINO"), ("roberta", "OpenVINO"), ("distilbert", "transformers")]
)
def test_every_making_gives_the_same_without_torch_or_is_left_to_transformers(
    tmp_path: Path, kind: str, runtime: str
) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    size = save_vocabulary(tmp_path / "model", WORDS.split())
    torch.manual_seed(5)
    shape = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48, "hidden_size": 24}
    if kind == "distilbert":
        shape = {"n_layers": 2, "n_heads": 2, "hidden_dim": 48, "dim": 24}
    config = AutoConfig.for_model(
        kind, vocab_size=size, max_position_embeddings=70, num_labels=1, initializer_range=0.6, pad_token_id=0,
        type_vocab_size=2, **shape,
    )  # fmt: skip
    AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path / "model")
    made = CrossEncoderReranker(find_model(str(tmp_path / "model")), offline=True, half=False)
    assert made.runtime.startswith(runtime)
    np.testing.assert_allclose(
        made.score(QUESTION, TEXTS), reference(tmp_path / "model", TEXTS), atol=1e-4, rtol=1e-4
    )


def test_half_precision_gives_nearly_the_same(folder: Path) -> None:
    files = find_model(str(folder))
    whole = CrossEncoderReranker(files, offline=True, half=False).score(QUESTION, TEXTS)
    half = CrossEncoderReranker(files, offline=True, half=True).score(QUESTION, TEXTS)
    assert np.corrcoef(whole, half)[0, 1] > 0.99


def test_a_long_passage_counts_by_its_best_window(folder: Path) -> None:
    # 64 positions: the question has 3 tokens, three are special, two are the margin of a window.
    words = (WORDS.split() * 4)[:100]
    windows = [" ".join(words[start : start + 56]) for start in (0, 42, 44)]
    made = CrossEncoderReranker(find_model(str(folder)), offline=True, half=False)
    [found] = made.score(QUESTION, [" ".join(words)])
    assert found == pytest.approx(max(reference(folder, windows)), abs=1e-4)


def test_a_question_is_never_cut(folder: Path) -> None:
    found = open_reranker(str(folder), offline=True).score(" ".join(WORDS.split() * 2), TEXTS)
    assert np.isnan(found).all()


def test_no_texts(folder: Path) -> None:
    assert open_reranker(str(folder), offline=True).score(QUESTION, []).shape == (0,)


def refused(spec: str | Path) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        open_reranker(str(spec), offline=True).score(QUESTION, TEXTS)
    message = str(caught.value)
    assert "\n" not in message
    assert "--reranker" in message or "`rag models`" in message
    return message


def test_several_outputs_are_refused(tmp_path: Path) -> None:
    save_cross_encoder(tmp_path / "nli", WORDS.split(), seed=1, outputs=3)
    assert "has 3 outputs" in refused(tmp_path / "nli")


def test_an_embedding_model_is_refused(tmp_path: Path) -> None:
    save_transformer(tmp_path / "embedder", WORDS.split(), seed=1)
    assert "is no cross-encoder (BertModel)" in refused(tmp_path / "embedder")
    assert "is no cross-encoder (BertModel)" in refused("all-MiniLM-L6-v2")


def test_a_head_that_was_never_saved_is_not_made_up(tmp_path: Path) -> None:
    save_transformer(tmp_path / "claims", WORDS.split(), seed=1)
    config = json.loads((tmp_path / "claims" / "config.json").read_text("utf-8"))
    config |= {"architectures": ["BertForSequenceClassification"], "num_labels": 1}
    (tmp_path / "claims" / "config.json").write_text(json.dumps(config), "utf-8")
    assert "lacks classifier" in refused(tmp_path / "claims")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"architectures": 3}', '{"id2label": 1}', '{"num_labels": []}']
)
def test_broken_configurations_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, "utf-8")
    refused(tmp_path)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for spec in (tmp_path / "empty", tmp_path / "missing", "nobody/no-such-model"):
        refused(spec)


def test_pickled_weights_are_not_read(folder: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(folder, tmp_path / "pickled")
    (tmp_path / "pickled" / "model.safetensors").rename(tmp_path / "pickled" / "pytorch_model.bin")
    refused(tmp_path / "pickled")
