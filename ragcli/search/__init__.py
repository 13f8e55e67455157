"""Question to passages."""

from ragcli.search.filters import Facts, Filter, choose, parse_filters
from ragcli.search.memory import rank_in_memory
from ragcli.search.searcher import Gathered, Searcher, fuse_gathered, make_hit
from ragcli.search.signals import covered_weight
from ragcli.search.syntax import in_a_row, parse_question

__all__ = [
    "Facts",
    "Filter",
    "Gathered",
    "Searcher",
    "choose",
    "covered_weight",
    "fuse_gathered",
    "in_a_row",
    "make_hit",
    "parse_filters",
    "parse_question",
    "rank_in_memory",
]
