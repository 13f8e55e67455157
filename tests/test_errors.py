"""The tree of errors and its exit codes."""

from __future__ import annotations

from pathlib import Path

from ragcli import errors
from ragcli.errors import NOTHING_FOUND, RagError

README = Path(__file__).parents[1] / "README.md"
CONTRACT = {
    "UsageError": 2,
    "IndexMissing": 3,
    "IndexMismatch": 4,
    "IndexBusy": 5,
    "PartlyDone": 6,
    "ModelUnavailable": 7,
    "IndexDamaged": 8,
    "GateFailed": 9,
    "Interrupted": 130,
}


def leaves(kind: type[RagError]) -> list[type[RagError]]:
    below = [leaf for child in kind.__subclasses__() for leaf in leaves(child)]
    return below or [kind]


def test_codes_are_those_of_the_contract() -> None:
    assert {leaf.__name__: leaf.exit_code for leaf in leaves(RagError)} == CONTRACT


def test_codes_are_distinct() -> None:
    codes = [leaf.exit_code for leaf in leaves(RagError)]
    assert len({*codes, 0, NOTHING_FOUND}) == len(codes) + 2


def test_the_docstring_shows_the_tree() -> None:
    assert errors.__doc__ is not None
    for name, code in CONTRACT.items():
        line = next(line for line in errors.__doc__.splitlines() if name in line)
        assert line.split()[2] == str(code)


def test_readme_lists_every_code() -> None:
    if not README.exists():
        return
    rows = {
        row.split("|")[1].strip(" `") for row in README.read_text("utf-8").splitlines() if row.startswith("|")
    }
    assert {str(code) for code in (0, NOTHING_FOUND, *CONTRACT.values())} <= rows
