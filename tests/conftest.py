"""Every test has a home and a current folder of its own, no settings, no keys and no network."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from ragcli.service.addresses import SERVICES

from .program import SAMPLES, Rag, Run

# Read by the hub's client when it is imported.
os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
# Two threads that share a busy core wait for each other: one embeds a short text three times as fast.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long an example takes says more of the machine than of the code.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

_KEYS = ("HF_HOME", "HF_HUB_CACHE", *(each.variable for each in SERVICES.values()), *(
    key for each in SERVICES.values() for key in each.keys
))  # fmt: skip
_TERMINAL = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "TERM", "COLUMNS")


def _isolate(patch: pytest.MonkeyPatch, home: Path) -> None:
    for name in [name for name in os.environ if name.startswith("RAG_")]:
        patch.delenv(name)
    for name in (*_KEYS, *_TERMINAL):
        patch.delenv(name, raising=False)
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        patch.setenv(name, "1")
    patch.setenv("HOME", str(home))
    patch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    patch.setenv("XDG_STATE_HOME", str(home / ".local/state"))


@pytest.fixture(scope="session", autouse=True)
def _isolated_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the fixtures of the whole session see; what is known of models is shared by its workers."""
    base = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "XDG_CACHE_HOME", str((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache")
        )
        _isolate(patch, tmp_path_factory.mktemp("home"))
        yield


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This test's own home folder; the current folder is ``tmp_path``."""
    folder = tmp_path_factory.mktemp("home")
    _isolate(monkeypatch, folder)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    """The program in this process. The default model is loaded once, what tests put into folders each time."""
    import ragcli.embed
    from ragcli.pipeline import model

    load = ragcli.embed.open_embedder

    @functools.cache
    def loaded(spec: str, dims: int | None) -> ragcli.embed.Embedder:
        return load(spec, offline=True, dims=dims)

    def open_embedder(
        spec: str, *, offline: bool, dims: int | None = None, **how: Any
    ) -> ragcli.embed.Embedder:
        if ragcli.embed.is_service(spec):
            return load(spec, offline=offline, dims=dims, **how)
        # A test may change what a folder holds.
        return load(spec, offline=True, dims=dims) if os.sep in spec else loaded(spec, dims)

    with pytest.MonkeyPatch.context() as patch:
        for module in (ragcli.embed, model):
            patch.setattr(module, "open_embedder", open_embedder)
        yield Run()


@pytest.fixture(scope="session")
def rag() -> Rag:
    """The program as a process of its own."""
    return Rag()


@pytest.fixture(scope="session")
def samples(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds ``sample_docs`` and its index; only to be read."""
    folder = tmp_path_factory.mktemp("samples")
    shutil.copytree(SAMPLES, folder / "sample_docs")
    run("index", "sample_docs", cwd=folder)
    return folder


_SMALL = {
    "bees.md": "# Bees\n\nA hive holds forty thousand bees in June.\n\n## Winter\n\nIn winter the cluster shivers.\n",
    "tea.md": "# Tea\n\nGreen tea is steeped at eighty degrees for two minutes.\n",
    "deep/rocks.txt": "Granite cools slowly and far below the ground.\n",
    "birds.jsonl": '{"_id": "b1", "title": "Swift", "text": "A swift sleeps on the wing."}\n'
    '{"_id": "b2", "title": "Wren", "text": "The wren is small and loud."}\n',
}


@pytest.fixture(scope="session")
def _small(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    for name, text in _SMALL.items():
        file = folder / "docs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    run("index", "docs", cwd=folder)
    return folder


@pytest.fixture
def fresh(_small: Path, tmp_path: Path) -> Path:
    """A folder of one's own with ``docs`` (three files and a collection of two) and its index."""
    folder = tmp_path / "fresh"
    shutil.copytree(_small, folder)
    return folder
