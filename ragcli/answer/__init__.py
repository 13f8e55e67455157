"""Answers: who writes them (``generator_for``) and whether they hold (``answer_with``)."""

from ragcli.answer.citations import check_citations, is_refusal
from ragcli.answer.generate import Generator, answer_with
from ragcli.answer.provider import generator_for
from ragcli.answer.questions import write_question

__all__ = ["Generator", "answer_with", "check_citations", "generator_for", "is_refusal", "write_question"]
