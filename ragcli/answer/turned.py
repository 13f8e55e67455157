"""Whether a sentence turns round what a source says: its words are there, in other places or as their opposites.

Rules of thumb, each of which only speaks against a sentence: without a model nobody can tell that two
sentences mean the same, but a swap is often seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Literal

from ragcli.answer.reading import Reading, Token, read

# Words of which a sentence has one and its source only another of the same line, on another side of ``|``.
_OPPOSITES = """
most | least
below under less fewer | above over more exceeding beyond
before | after
increase rise rose risen grow grew grown raise gain | decrease fall fell fallen drop decline reduce shrink lower cut
improve | worsen
buy bought acquire purchase | sell sold
open | close shut
start begin began | stop end finish
allow permit enable let | forbid forbade prohibit prevent ban disable deny block
win won | lose lost
all every each any | some several few
all every each any some | only
always | sometimes rarely seldom occasionally never
maximum max longest largest highest | minimum min shortest smallest lowest
first | last final
early earlier | late later
north northern | south southern
east eastern | west western
left | right
include | exclude
accept | reject refuse
import | export
add attach insert | remove delete detach
twice double triple | half
hot warm heat | cold cool
large big | small little
same identical | different
mandatory required compulsory | optional voluntary
must | may might can
up upward | down downward
son | daughter
father | mother
husband | wife
brother | sister
"""
_OPPOSITES_HAN = (
    (("至少", "不少于", "最少"), ("至多", "最多", "不超过")),
    (("超过", "高于", "多于", "大于", "以上"), ("低于", "不足", "少于", "小于", "以下", "不超过")),
    (("增加", "上升", "增长", "提高", "上涨"), ("减少", "下降", "降低", "下跌")),
    (("之前", "以前"), ("之后", "以后")),
    (("打开", "开启"), ("关闭", "关上")),
    (("买入", "购买", "收购"), ("卖出", "出售")),
    (("最大", "最高", "最长", "最多"), ("最小", "最低", "最短", "最少")),
    (("全部", "所有", "全体"), ("部分", "一些", "个别", "只有", "仅")),
    (("允许", "可以"), ("禁止", "不得", "不准")),
    (("成功",), ("失败",)),
    (("开始",), ("结束", "停止")),
    (("必须",), ("可选", "可以")),
)
# Words that take back what they stand beside.
_TAKE_BACK = "fail failure false wrong untrue incorrect lie myth mistaken deny"
_LIMITS = "less more fewer under over below above least most exceed"
_BOUNDS = frozenset(["and", "but", "while", "whereas", "or", "then", "，"])
_PASSIVE = frozenset(["by"])
_PASSIVE_HAN = "被由"

Fault = Literal["", "number", "name", "negation"]


def turned(claim: Reading, text: Reading) -> Fault:
    """What of ``claim`` is turned round against ``text``, which has its words; empty where nothing is seen."""
    if _opposed(claim, text) or _taken_back(claim, text):
        return "negation"
    if _figures_moved(claim, text) or _bounded(claim) - _bounded(text):
        return "number"
    return "name" if _names_moved(claim, text) else ""


@lru_cache(maxsize=1)
def _lines() -> tuple[tuple[frozenset[str], ...], ...]:
    return tuple(
        tuple(frozenset(_key(word) for word in side.split()) for side in line.split("|"))
        for line in _OPPOSITES.strip().splitlines()
    )


def _key(word: str) -> str:
    return read(word).tokens[0].key


def _opposed(claim: Reading, text: Reading) -> bool:
    """Whether the claim has a word, and the text only its opposite."""
    ours, theirs = set(claim.keys), set(text.keys)
    for line in _lines():
        mine = [side for side in line if side & ours]
        yours = [side for side in line if side & theirs]
        if len(mine) == len(yours) == 1 and mine != yours:
            return True
    for sides in _OPPOSITES_HAN:
        mine_han = [any(word in claim.flat for word in side) for side in sides]
        yours_han = [any(word in text.flat for word in side) for side in sides]
        if sum(mine_han) == sum(yours_han) == 1 and mine_han != yours_han:
            return True
    return False


def _taken_back(claim: Reading, text: Reading) -> bool:
    """Whether one of the two takes back what it says, and the other does not."""
    words = {_key(word) for word in _TAKE_BACK.split()}
    ours, theirs = words & set(claim.keys), words & set(text.keys)
    return bool(ours) and not theirs and not text.negations()


def clauses(reading: Reading) -> list[Reading]:
    """The parts of a sentence between signs and conjunctions, each by itself."""
    return [Reading(clause, reading.flat) for clause in _clauses(reading)]


def _clauses(reading: Reading) -> list[tuple[Token, ...]]:
    """The tokens between signs and conjunctions."""
    found: list[list[Token]] = [[]]
    for token in reading.tokens:
        if (not token.joined or token.text in _BOUNDS) and found[-1]:
            found.append([])
        if token.text not in _BOUNDS:
            found[-1].append(token)
    return [tuple(clause) for clause in found if clause]


def _said(clause: Sequence[Token]) -> set[str]:
    return {token.key for token in clause if token.content and token.kind != "figure"}


def _figures_moved(claim: Reading, text: Reading) -> bool:
    """Whether a number stands among words that in the text stand about another one of the same unit."""
    about = [(_said(clause), _figures(clause)) for clause in _clauses(text)]
    for clause in _clauses(claim):
        said = _said(clause)
        for figure, unit in _figures(clause).items():
            own = [len(said & words) for words, figures in about if figure in figures]
            other = [
                len(said & words)
                for words, figures in about
                if figure not in figures and unit in figures.values()
            ]
            if own and other and max(other) > max(own):
                return True
    return False


def _figures(clause: Sequence[Token]) -> dict[str, str]:
    """The numbers of a clause and what stands right behind each: mostly its unit."""
    behind = [*clause[1:], None]
    return {
        token.key: next_token.key[:1] if next_token.kind == "han" else next_token.key
        for token, next_token in zip(clause, behind, strict=True)
        if token.kind == "figure" and token.firm and next_token is not None
    }


def _bounded(reading: Reading) -> set[str]:
    """Numbers that are no more than a limit: "less than 24 months"."""
    limits = {_key(word) for word in _LIMITS.split()}
    return {
        token.key
        for clause in _clauses(reading)
        for at, token in enumerate(clause)
        if token.kind == "figure" and token.firm and any(t.key in limits for t in clause[max(0, at - 3) : at])
    }


def _names_moved(claim: Reading, text: Reading) -> bool:
    """Whether two names have changed places around a word that says what one does to the other."""
    if _is_passive(claim) != _is_passive(text):
        return False
    for first, second, between in _pairs(claim):
        for other_first, other_second, other_between in _pairs(text):
            if (first, second) == (other_second, other_first) and between & other_between:
                return True
    return False


def _pairs(reading: Reading) -> Iterator[tuple[str, str, set[str]]]:
    """Names of one clause, two by two in order, with the plain words between them."""
    for clause in _clauses(reading):
        names = [at for at, token in enumerate(clause) if token.name]
        for a, b in combinations(names[:8], 2):
            between = {token.key for token in clause[a + 1 : b] if token.content and not token.name}
            if clause[a].key != clause[b].key:
                yield clause[a].key, clause[b].key, between


def _is_passive(reading: Reading) -> bool:
    return any(token.text in _PASSIVE for token in reading.tokens) or any(
        char in reading.flat for char in _PASSIVE_HAN
    )
