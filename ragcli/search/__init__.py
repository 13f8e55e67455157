"""Question to passages."""

from ragcli.search.memory import rank_in_memory
from ragcli.search.searcher import Searcher, covered_weight, make_hit

__all__ = ["Searcher", "covered_weight", "make_hit", "rank_in_memory"]
