"""What tells an answer from what is merely nearest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.analyze import ENGLISH
from ragcli.search.evidence import best_share, evidence, share

WEIGHTS = {"pump": 3.0, "fill": 1.0}


def test_shares_by_hand() -> None:
    assert share(WEIGHTS, {"pump", "other"}) == 0.75
    assert share({}, {"pump"}) == 0.0
    # No sentence holds both words.
    text = "The pump stands outside. Somebody has to fill in a form."
    assert best_share(WEIGHTS, text, ENGLISH) == 0.75
    assert best_share(WEIGHTS, "The pump fills the tank.", ENGLISH) == 1.0
    assert best_share(WEIGHTS, "", ENGLISH) == 0.0


def test_a_model_that_cannot_read_the_question_has_no_say() -> None:
    assert evidence(0.75, 0.9, 0.0) == 0.75
    assert evidence(0.5, 0.7, 1.0) == pytest.approx(0.6)
    assert evidence(0.5, -0.7, 1.0) == 0.25


@given(st.floats(0, 1), st.floats(-1, 1), st.floats(0, 1))
def test_evidence_lies_between_nothing_and_all(words: float, cosine: float, trust: float) -> None:
    assert 0.0 <= evidence(words, cosine, trust) <= 1.0
