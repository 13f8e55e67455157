"""The family of processes that a worker shares, and what one test of faults needs."""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .corpus import vocabulary
from .processes import Family

SOAK = os.environ.get("RAG_SOAK") == "1"
_SEED = os.environ.get("RAG_FAULT_SEED") or (str(random.randrange(10**6)) if SOAK else "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if sys.platform == "win32":
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="the processes are forked, and killed by signals"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much was tried: that no fault was found says little without it."""
    if not SOAK:
        return
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        if report.user_properties:
            told = ", ".join(f"{name}: {value}" for name, value in report.user_properties)
            terminalreporter.write_line(f"{report.nodeid}\n    {told}")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Chance, the same again with the seed that is shown where a test fails."""
    request.node.add_report_section("setup", "seed", f"RAG_FAULT_SEED={_SEED}")
    return random.Random(f"{_SEED} {request.node.name}")


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Family]:
    """Processes that start at once."""
    family = Family(tmp_path_factory.mktemp("family"))
    yield family
    family.close()


@pytest.fixture(scope="session")
def model(family: Family, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that knows the words of the corpus and embeds at no cost."""
    folder = tmp_path_factory.mktemp("model") / "words"
    made = family.start("make_model", str(folder), vocabulary(), 7, cwd=folder.parent).wait()
    assert made.exit == 0, made
    return folder


@pytest.fixture
def words(model: Path) -> list[str]:
    """The command that every test runs."""
    return ["index", "docs", "--model", str(model), "--chunk-size", "24", "--wait", "60", "--format", "json"]


Fresh = Callable[[Path], Path]


@pytest.fixture
def fresh(family: Family, words: list[str], tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """Index the documents of a folder once more, in one go and elsewhere; the folder of that index."""

    def index(home: Path) -> Path:
        other = tmp_path_factory.mktemp("fresh")
        shutil.copytree(home / "docs", other / "docs")
        ran = family.rag(*words, cwd=other).wait()
        assert ran.exit == 0, ran
        return other

    return index
