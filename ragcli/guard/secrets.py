"""Keys, tokens and passwords in a text, found by their forms.

Few kinds, and of each only what is sure: tokens whose issuers gave them a prefix of their own,
private keys, passwords in addresses, and values that look drawn by lot and are assigned to a name
which says what they are. What is not found may still be a secret.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ragcli.guard.fold import HIDDEN

# Raised whenever the same text may be masked otherwise.
MASK_VERSION = 2


@dataclass(frozen=True, slots=True)
class Secret:
    """A stretch of a text that looks like a secret; ``kind`` is a word for scripts."""

    kind: str
    start: int
    end: int


# Where a token may begin: long, and nothing of a word before it.
_LONG = re.compile(r"(?<![A-Za-z0-9_\-])(?=[A-Za-z])[A-Za-z0-9_\-]{16,}+")
_WITHIN = re.compile(r"[_\-](?=gh[pousr]_|github_pat_|glpat-|AKIA|ASIA|sk-|xox|AIza)")
_TOKENS = tuple(
    (kind, re.compile(expression + r"(?![A-Za-z0-9_\-])"))
    for kind, expression in (
        ("aws-access-key", r"A(?:KIA|SIA)[A-Z2-7]{16}"),
        ("github-token", r"gh[pousr]_[A-Za-z0-9]{36,255}+|github_pat_[A-Za-z0-9_]{22,255}+"),
        ("gitlab-token", r"glpat-[A-Za-z0-9_\-]{20,255}+"),
        ("slack-token", r"xox[abeoprs]-(?:[A-Za-z0-9]{1,80}-){1,6}[A-Za-z0-9]{8,80}"),
        ("anthropic-key", r"sk-ant-[A-Za-z0-9_\-]{24,255}+"),
        ("openai-key", r"sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_\-]{24,255}+|[A-Za-z0-9]{32,64}+)"),
        ("google-key", r"AIza[A-Za-z0-9_\-]{35}"),
        ("stripe-key", r"(?:[spr]k_(?:live|test)_|whsec_)[A-Za-z0-9]{16,128}+"),
        ("huggingface-token", r"hf_[A-Za-z]{34,40}+"),
        ("npm-token", r"npm_[A-Za-z0-9]{36}"),
        ("pypi-token", r"pypi-AgE[A-Za-z0-9_\-]{50,255}+"),
        ("jwt", r"eyJ[A-Za-z0-9_\-]{8,4000}+\.eyJ[A-Za-z0-9_\-]{4,8000}+\.[A-Za-z0-9_\-]{8,2000}+"),
    )
)
# Line ends, also as they are written within strings.
_BREAK = r"(?:\s|\\r|\\n){0,8}"
_OF_KEYS = r"(?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
_PRIVATE_KEY = re.compile(
    rf"-----BEGIN {_OF_KEYS}{_BREAK}(?:[A-Za-z\-]{{1,30}}: ?[^\n\\]{{0,200}}{_BREAK}){{0,6}}"
    rf"(?:[A-Za-z0-9+/=]{{20,}}+{_BREAK}){{1,400}}(?:=?[A-Za-z0-9+/=]{{0,80}}{_BREAK}){{0,2}}(?:-----END {_OF_KEYS})?"
)
_IN_ADDRESS = re.compile(
    r"://[^\s:@/?#\[\]<>{}$%\"'`]{0,80}:(?P<it>[^\s:@/?#<>{}$\"'`*]{3,120})@[A-Za-z0-9\[]"
)
_WEBHOOK = re.compile(r"hooks\.slack\.com/(?:services|workflows)/(?P<it>[A-Za-z0-9+/]{30,90}+)")
_HEADER = re.compile(
    r"(?i:bearer|authorization[\"']?\s{0,2}[:=]\s{0,2}[\"']?(?:basic|token))\s{1,3}(?P<it>[A-Za-z0-9_\-.+/~]{20,4000}+={0,2})"
)
# A name that says what is assigned to it, from its telling word on.
_ASSIGNED = re.compile(
    r"(?:(?i:pass(?:word|wd|phrase|code)?|pwd|secret(?:[_\- ]?(?:access[_\- ]?)?key)?|token|key|credentials?)|"
    r"密码|密碼|口令|密钥|密鑰|令牌)(?![A-Za-z])(?:[_\-][A-Za-z0-9]{1,12})?"
    r"(?:(?:[\"'\]]{0,2}[ \t]{0,4}(?:=>|:=|=|:|：|为|是|"
    r";?[ \t]{0,4}(?:[\w.\-]{1,20} / )?(?i:value)[ \t]{0,2}[:=])[ \t]{0,4}"
    r"(?:(?P<quote>[\"'`])(?P<it>[^\s\"'`]{8,200}+)(?P=quote)|(?P<bare>[^\s\"'`,;(){}\[\]<>|，。；（）「」【】]{8,200}+)(?![(\[{<])))"
    # An element that is called so.
    r"|(?:\s[^<>\n]{0,80})?>(?P<held>[^\s<>]{8,200}+)</)"
)
_ELEMENT = re.compile(r"<[\w:.\-]{0,13}\Z")
# A cell that says what stands beside it in its row, or below it in its column.
_CELL_NAME = re.compile(
    r"(?i:(?:[a-z0-9]{1,16}[ _\-]){0,2}?(?P<word>pass(?:word|wd|phrase|code)|pwd|token|"
    r"secret(?:[_\- ]?(?:access[_\- ]?)?key)?|"
    r"(?:api|access|auth|private|account|encryption|signing|master|storage)[_\- ]?key|credentials?)|"
    r"(?P<wide>密码|密碼|口令|密钥|密鑰|令牌))[:：]?"
)
_CELL = re.compile(r"[^\s\"'`,;(){}\[\]<>|，。；（）「」【】]{8,200}")
_BAR = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"[ \t|:]*-[ \t|:\-]*\s*")
_HIDDEN = re.compile(f"[{HIDDEN}]")
# What "key" must follow to be a secret one.
_KEY_OF = ("api", "access", "auth", "private", "account", "encryption", "signing", "master", "storage")
_WORDS = (b"pass", b"pwd", b"secret", b"token", b"key", b"credential")
_WIDE_WORDS = ("密码", "密碼", "口令", "密钥", "密鑰", "令牌")
# What stands for a secret in documentation.
_STAND_IN = re.compile(
    r"(?i:example|x{4}|\.{3}|…|\*{3}|y(?:ou)?r[_\-]|changeme|change_me|placeholder|dummy|redacted|insert|replace|"
    r"(.)\1{5}|\$\{|\{\{|%\(|0123456|1234567|abcdefg|:///|^https?:|environ|getenv|process\.)"
)
# And in the form of a token itself.
_SHAM = re.compile(r"(?i:example|x{5}|your|(.)\1{7})")
# Names, paths and calls of programs, times and numbers.
_CODE = re.compile(
    r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z][a-z0-9]*(?:[_\-][a-z0-9]+)+|[\w$]+(?:(?:\.|->|::)[\w$]+)+\.?|"
    r"[./~][\w./\-]*|[\d.,:/\-+TZ%]+|[A-Za-z]+\d?[.:,!?]?|[a-z]+(?:[A-Z][a-z]+)+\d{0,2}|"
    r"<.*>|\[.*\]|(?i:ctrl|alt|shift|cmd)\+.*"
)
_PADDING = " \t\r\n`*"
_LEAST_ENTROPY = 2.7  # bits a character


def find_secrets(text: str) -> tuple[Secret, ...]:
    """What looks like a secret, in order and without overlaps; linear in the text.

    Characters that cannot be seen hide none.
    """
    hidden = [] if text.isascii() else [found.start() for found in _HIDDEN.finditer(text)]
    if hidden:
        # Each by the number of characters that can be seen before it.
        seen = [place - count for count, place in enumerate(hidden)]
        return tuple(
            Secret(
                secret.kind,
                secret.start + bisect_right(seen, secret.start),
                secret.end + bisect_right(seen, secret.end - 1),
            )
            for secret in _apart(_HIDDEN.sub("", text))
        )
    return tuple(_apart(text))


def _apart(text: str) -> list[Secret]:
    found: list[Secret] = []
    taken: list[tuple[int, int]] = []
    for secret in sorted(_all(text), key=lambda secret: (secret.start, -secret.end)):
        if taken and secret.start < taken[-1][1]:
            continue
        found.append(secret)
        taken.append((secret.start, secret.end))
    return found


def _all(text: str) -> Iterator[Secret]:
    for run in _LONG.finditer(text):
        # A file or a branch may be named after a token: `deploy-ghp_…`.
        starts = [run.start(), *(found.end() for found in _WITHIN.finditer(text, *run.span()))]
        for kind, form in _TOKENS:
            for start in starts:
                if (match := form.match(text, start)) and not _SHAM.search(match[0]):
                    yield Secret(kind, *match.span())
    at = text.find("-----BEGIN ")
    while at >= 0:
        if match := _PRIVATE_KEY.match(text, at):
            yield Secret("private-key", at, at + len(match[0].rstrip()))
        at = text.find("-----BEGIN ", match.end() if match else at + 1)
    yield from _after(text, "://", "password", _IN_ADDRESS)
    yield from _after(text, "hooks.slack.com/", "slack-webhook", _WEBHOOK)
    # As long as the text, so that places are the same.
    small = text.encode("ascii", "replace").lower()
    for word in (b"bearer ", b"authorization"):
        for at in _places(small, word):
            if (match := _HEADER.match(text, at)) and _is_drawn(match["it"]):
                yield Secret("bearer-token", *match.span("it"))
    yield from _assigned(text, small)
    if "|" in text:
        yield from _tabled(text)


def _after(text: str, word: str, kind: str, form: re.Pattern[str]) -> Iterator[Secret]:
    at = text.find(word)
    while at >= 0:
        if (
            (match := form.match(text, at))
            and not _STAND_IN.search(match["it"])
            and match["it"].lower() not in _MODEL
        ):
            yield Secret(kind, *match.span("it"))
        at = text.find(word, at + 1)


# What stands for a password in the address of an example.
_MODEL = frozenset(
    {"password", "pass", "passwd", "pwd", "secret", "token", "key", "apikey", "api_key", "port"}
)


def _assigned(text: str, small: bytes) -> Iterator[Secret]:
    places = [(at, word == b"key") for word in _WORDS for at in _places(small, word)]
    if not text.isascii():
        for wide in _WIDE_WORDS:
            at = text.find(wide)
            while at >= 0:
                places.append((at, False))
                at = text.find(wide, at + 1)
    for at, is_key in places:
        before = text[max(0, at - 14) : at].lower()
        if before.endswith("[") or (is_key and not before.rstrip("_- ").endswith(_KEY_OF)):
            continue
        match = _ASSIGNED.match(text, at)
        if match is None:
            continue
        group = "it" if match["it"] else "bare" if match["bare"] else "held"
        if group == "held" and not _ELEMENT.search(before):
            continue
        value = match[group].rstrip(".,:!?") if group == "bare" else match[group]
        if _is_drawn(value):
            yield Secret(_kind_of(text, at, value), match.start(group), match.start(group) + len(value))


def _tabled(text: str) -> Iterator[Secret]:
    """What stands in a table beside a name, or under one in its first row."""
    lines = text.splitlines(keepends=True)
    begin = 0
    heads: list[re.Match[str] | None] = []
    within = False
    for line, below in pairwise([*lines, ""]):
        cells = list(_cells(line)) if "|" in line else []
        names = [_CELL_NAME.fullmatch(text, begin + start, begin + end) for start, end in cells]
        first, within = not within, bool(cells)
        if first:
            heads = names
        is_head = "-" in below and _RULE.fullmatch(below) is not None
        for column, (start, end) in enumerate(cells):
            name = names[column - 1] if column and not is_head else None
            if name is None and not first and column < len(heads):
                name = heads[column]
            value = line[start:end]
            if name and _CELL.fullmatch(value) and _is_drawn(value):
                at = name.start("word") if name["word"] else name.start("wide")
                yield Secret(_kind_of(text, at, value), begin + start, begin + end)
                if first:
                    heads = []  # a row like all others
        begin += len(line)


def _cells(line: str) -> Iterator[tuple[int, int]]:
    """Where each cell of a row stands, without blanks and marks of emphasis."""
    bars = [-1, *(bar.start() for bar in _BAR.finditer(line)), len(line)]
    for before, behind in pairwise(bars):
        cell = line[before + 1 : behind]
        start = before + 1 + len(cell) - len(cell.lstrip(_PADDING))
        yield start, max(start, behind - len(cell) + len(cell.rstrip(_PADDING)))


def _kind_of(text: str, at: int, value: str) -> str:
    """What a value is that is assigned to the name of which the telling word stands at ``at``."""
    if len(value) == 40 and re.search(r"(?i)aws|secret.?access", text[max(0, at - 20) : at + 20]):
        return "aws-secret-key"
    return "password" if text[at] in "pP密口" and not text.startswith(("密钥", "密鑰"), at) else "key"


def _places(text: bytes, word: bytes) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _is_drawn(value: str) -> bool:
    """Whether a value looks drawn by lot: no word, name, path or number, and no stand-in for one."""
    if len(value) < 8 or _STAND_IN.search(value) or _CODE.fullmatch(value):
        return False
    digits = sum(char.isdigit() for char in value)
    letters = sum(char.isalpha() for char in value)
    signs = len(value) - digits - letters
    if not letters or not (digits >= 2 or (digits and signs)):
        return False
    counts = Counter(value)
    entropy = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return entropy >= _LEAST_ENTROPY
