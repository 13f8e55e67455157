"""What a question says exactly, and what only looks so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.analyze import ENGLISH
from ragcli.errors import UsageError
from ragcli.search import parse_question
from ragcli.search.syntax import Clause


def told(text: str) -> tuple[list[str], list[str], list[str]]:
    """What is preferred, required and left out."""
    asked = parse_question(text)
    return (
        [str(clause) for clause in asked.preferred],
        [str(clause) for clause in asked.required],
        [str(clause) for clause in asked.excluded],
    )


@pytest.mark.parametrize(
    ("text", "preferred", "required", "excluded"),
    [
        ('how do I "restore a backup" safely', ["“restore a backup”"], [], []),
        ("什么是“深度学习” 入门", ["“深度学习”"], [], []),
        ("find getUs*", ["getUs*"], [], []),
        ("sensor +offline, -battery.", [], ["offline"], ["battery"]),
        ('+"state of the art" models', [], ["“state of the art”"], []),
        ("传感器 -离线", [], [], ["离线"]),
        ("release +2.4.1", [], ["2.4.1"], []),
        # Said and nothing else: demanded.
        ('"restore a backup"', [], ["“restore a backup”"], []),
        ("getUs*", [], ["getUs*"], []),
        ("disk -pu*", [], [], ["pu*"]),
        ("温度 -保温*", [], [], ["保温"]),  # words stand together: it begins wherever it is
        ("disk +hub +hub", [], ["hub"], []),
        ('"to be or not to be"', [], ["“to be or not to be”"], []),
    ],
)
def test_what_is_written_exactly_is_meant_so(
    text: str, preferred: list[str], required: list[str], excluded: list[str]
) -> None:
    assert told(text) == (preferred, required, excluded)


@pytest.mark.parametrize(
    "text",
    [
        "C++ or C#", "a - b", "what does --force do", "grep -v and ls -la", "below -40 degrees", "call +49 30 1234",
        'a 5" disk and a 3" disk', 'what is "x', "e-mail foo-bar", "2+2", "un*ix", "a *", "why? *", '""', "?!",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_sign_is_plain_language(text: str) -> None:
    assert told(text) == ([], [], [])
    assert parse_question(text).plain == text


def test_what_is_left_out_is_not_looked_for() -> None:
    assert parse_question("jaguar speed -car").plain == "jaguar speed"
    assert parse_question("jaguar +speed").plain == "jaguar speed"
    with pytest.raises(UsageError, match="only says what to leave out"):
        parse_question("-car -truck")
    with pytest.raises(UsageError, match="empty"):
        parse_question(" \n")


@given(st.text(alphabet=' ab-+*"“”「」.é北京9', max_size=30))
def test_any_question_can_be_read(text: str) -> None:
    try:
        asked = parse_question(text)
    except UsageError:
        return
    assert asked.text == text
    assert asked.clauses or asked.plain == text.strip()
    for clause in asked.clauses:
        assert clause.holds(f"before {clause.text} after", ENGLISH) or clause.begins
        assert clause.holds(clause.text, ENGLISH) or clause.begins  # be* means no stop word


@pytest.mark.parametrize(
    ("clause", "text", "held"),
    [
        (Clause("restore a backup", quoted=True), "How to Restore\n a  BACKUP.", True),
        (Clause("restore a backup", quoted=True), "Restore the backup.", False),
        (Clause("restore a backup", quoted=True), "Restoring a backup.", False),
        (Clause("offline", quoted=True), "It goes offline.", True),
        (Clause("sensors", quoted=True), "One sensor.", False),
        (Clause("sensors"), "One sensor.", True),
        (Clause("foo@bar.com"), "Write to foo@bar.com!", True),
        (Clause("foo@bar.com"), "bar.com of foo", False),
        (Clause("深度学习", quoted=True), "什么是深度学习？", True),
        (Clause("深度学习", quoted=True), "深度的学习", False),
        (Clause("cafe", quoted=True), "Das Café am Markt", True),
        (Clause("getUs", begins=True), "def getUserName():", True),
        (Clause("user", begins=True), "def getUserName():", True),
        (Clause("configurat", begins=True), "the configurations", True),
        (Clause("name", begins=True), "it is an enamel", False),
        (Clause("E10", begins=True), "version 1.2.3 at 10.0.0.1", False),
        (Clause("E10", begins=True), "It says E1043.", True),
        (Clause("2.4", begins=True), "since v2.4.1", True),
        (Clause("th", begins=True), "the thermostat", True),
        (Clause("th", begins=True), "the others", False),
    ],
)
def test_a_text_holds_a_clause(clause: Clause, text: str, held: bool) -> None:
    assert clause.holds(text, ENGLISH) is held
