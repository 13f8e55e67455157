"""What shifts the weight between words and meaning."""

from __future__ import annotations

import pytest

from ragcli.search.signals import code_share, code_weight, covered_weight, names_exactly

PYTHON = """
def write_boolean(self, n):
    t = TYPE_BOOL_TRUE
    if n is False:
        t = TYPE_BOOL_FALSE
    self.stream.write(t)
"""
PROSE = "Open the valve slowly (half a turn), then wait until the pump has filled the tank; see page 4."


def test_the_dense_side_counts_as_far_as_the_model_knows_the_words() -> None:
    weights = [covered_weight(0.5, coverage) for coverage in (0.0, 0.5, 0.7, 0.9, 1.0)]
    assert weights == pytest.approx([0.0, 0.0, 0.25, 0.5, 0.5])


@pytest.mark.parametrize("query", ["how to store a flag", "write a value to a stream", "怎样保存"])
def test_over_program_text_a_question_in_plain_words_is_left_more_to_meaning(query: str) -> None:
    assert code_weight(0.5, query, [PYTHON]) > 0.7
    assert code_weight(0.5, query, [PROSE]) == 0.5
    assert code_weight(0.5, query, []) == 0.5


@pytest.mark.parametrize(
    "query", ["what does write_boolean do", "writeBoolean", "error E1043", 'the "stream"']
)
def test_a_name_is_meant_exactly(query: str) -> None:
    assert names_exactly(query)
    assert code_weight(0.5, query, [PYTHON]) == 0.5


def test_a_side_that_was_switched_off_stays_off() -> None:
    assert code_weight(0.0, "how to store a flag", [PYTHON]) == 0.0
    assert code_weight(1.0, "how to store a flag", [PYTHON]) == 1.0


def test_code_is_told_from_prose_by_its_signs() -> None:
    assert code_share(PYTHON) > 0.08
    assert code_share(PROSE) < 0.04
    assert code_share("") == 0.0
