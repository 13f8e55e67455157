"""Models made on the spot: they cost nothing, and no two seeds make the same of a text."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path

WORDS = (
    "a bees hive holds forty thousand in june winter the cluster shivers green tea is steeped at eighty degrees "
    "for two minutes granite cools slowly and far below ground swift sleeps on wing wren small loud"
)


def save_static(
    folder: Path, words: Sequence[str], seed: int, dimensions: int = 32, measure: str | None = None
) -> None:
    """A static embedding: a random vector a word, and their mean; and the similarity that it asks for."""
    import torch
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its newer name is not there in older versions
        from sentence_transformers.models import StaticEmbedding

    vocabulary = {word: number for number, word in enumerate(["[UNK]", *sorted(set(words))])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = torch.randn((len(vocabulary), dimensions), generator=torch.Generator().manual_seed(seed))
    module = StaticEmbedding(tokenizer, embedding_weights=weights)
    SentenceTransformer(modules=[module], similarity_fn_name=measure).save(
        str(folder), create_model_card=False
    )


def save_transformer(folder: Path, words: Sequence[str], seed: int) -> None:
    """A BERT of one layer with random weights, mean pooling and 64 tokens."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import BertConfig, BertModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sentence_transformers.models import Pooling, Transformer

    base = folder.with_name(f"{folder.name}.base")
    vocabulary = save_vocabulary(base, words)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=vocabulary, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(base)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        body = Transformer(str(base), max_seq_length=64)
        SentenceTransformer(modules=[body, Pooling(16, "mean")]).save(str(folder), create_model_card=False)


def save_cross_encoder(folder: Path, words: Sequence[str], seed: int, *, outputs: int = 1) -> None:
    """A BERT of two layers that reads pairs of up to 64 tokens, with weights far enough from 0 to differ."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    vocabulary = save_vocabulary(folder, words)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=vocabulary, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64, num_labels=outputs, initializer_range=0.7,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)


def save_vocabulary(folder: Path, words: Sequence[str]) -> int:
    """A tokenizer that knows these words whole, in a new folder; the size of its vocabulary."""
    from transformers import BertTokenizerFast

    folder.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(words))]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), "utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    return len(vocabulary)


def truncate(folder: Path, dimensions: int) -> None:
    """Have a saved model give only the first components of its vectors."""
    path = folder / "config_sentence_transformers.json"
    config = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**config, "truncate_dim": dimensions}), "utf-8")
