"""README says what the program does: what comes from the program is up to date, and nothing is missing."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import typer

from ragcli.cli import app
from ragcli.cli.program import COMMANDS as SUMMARIES

from . import reference
from .program import SAMPLES, Run

README = reference.README.read_text("utf-8")
_SCORE = r"\b\d\.\d{3}\b"
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["reference", "settings"])
def test_part_made_from_the_program_is_fresh(name: str) -> None:
    assert reference.part(README, name) == getattr(reference, name)(), "run `make docs`"


@pytest.mark.parametrize("name", reference.MEASURED)
def test_tables_are_those_that_were_measured(name: str) -> None:
    assert reference.part(README, name) == reference.measured(name), "run `make docs`"


def test_session_prints_what_readme_shows(run: Run, tmp_path: Path) -> None:
    shutil.copytree(SAMPLES, tmp_path / "sample_docs")

    def print_all(words: list[str]) -> tuple[str, int]:
        code = 1 if "football" in words[-1] else 0
        ran = run(*words, cwd=tmp_path, exit=code)
        return ran.out + ran.err, ran.exit

    shown, printed = reference.part(README, "session"), reference.session(print_all)
    scores = [[float(score) for score in re.findall(_SCORE, text)] for text in (shown, printed)]
    assert re.sub(_SCORE, "#", shown) == re.sub(_SCORE, "#", printed), "run `make docs`"
    # How exactly vectors are made is the processor's.
    assert scores[1] == pytest.approx(scores[0], abs=0.1)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_and_an_example(name: str) -> None:
    command = COMMANDS[name]
    assert (command.help or "").startswith(SUMMARIES[name][1])
    assert re.search(rf"Example: .*\brag {name}\b", command.epilog or "")
    assert all(
        parameter.help for parameter in command.params if isinstance(parameter, typer.core.TyperOption)
    )


def test_commands_named_in_readme_exist() -> None:
    prose = README.split("<!-- reference: begin -->")[0]
    named = set(re.findall(r"(?:^\$ |`)rag (?:--\S+ )*([a-z]+)", prose, flags=re.MULTILINE))
    assert named
    assert named <= set(COMMANDS)


def test_make_targets_named_in_readme_exist() -> None:
    makefile = (reference.ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b", README)) <= targets
