"""Checking an answer against the sources it was given: which it names, and whether they say so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

from ragcli.answer.evidence import Evidence, fold, long_enough
from ragcli.answer.marks import Citing, Mark
from ragcli.answer.reading import read
from ragcli.answer.support import LEAST, Reason, against, best_support, denies, facts_against, join, share_of
from ragcli.answer.turned import clauses
from ragcli.prompt import NO_ANSWER, NO_ANSWER_ZH
from ragcli.sentences import sentence_spans
from ragcli.types import Citation, Prompt, Sentence

_COMMAND = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_QUOTED = re.compile(
    r"“([^“”]+)”|\"([^\"\n]+)\"|「([^「」]+)」|『([^『』]+)』|«([^«»]+)»|„([^„“”]+)[“”]"
    r"|(?<!\w)‘((?:[^‘’\n]|’(?=\w))+)’(?!\w)"
)
_OUTER = re.compile(
    r"\s*(?:“(.*)”|\"(.*)\"|「(.*)」|『(.*)』|«(.*)»|„(.*)[“”]|‘(.*)’)[\s.。!！?？]*", re.DOTALL
)
_LEAD = re.compile(r"^\s*(?:[-*+•>]\s+|#{1,6}\s+|\d{1,3}[.)、]\s+)*")
_HEADING = re.compile(r"\s*#{1,6}\s")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)")
_FENCING = re.compile("[`~]")
# What may announce a list and says nothing by itself.
_ANNOUNCING = frozenset(read("following follows steps points list answer are as these here").keys)
# Further text that settles where a sentence ends: more than a sentence's end is judged by.
_AHEAD = 24
_MAY_END = re.compile(r"[.!?…؟।。！？；｡．\n]")


class Checked(NamedTuple):
    """An answer as it may be printed, its citations, the numbers it invented, and its sentences."""

    text: str
    citations: tuple[Citation, ...]
    invented: tuple[int, ...]
    sentences: tuple[Sentence, ...]


def check_citations(text: str, prompt: Prompt, *, least: float = LEAST) -> Checked:
    """Check a whole answer. ``least`` is the share of a paraphrase's words that its source must have.

    In the printed text every citation is written ``[n]`` and names a source of ``prompt``;
    numbers that were never sent are gone from it and returned, each once, in order.

    For each sentence and each source it cites there is one Citation, in reading order. When the
    sentence quotes (three words or more between quotation marks), it is verified if every
    quotation stands word for word in a source the sentence cites, at least one in this source,
    and what is said around them has no number, name or negation that the sources have not. A
    sentence without quotations is verified if it stands there as a whole, or if its words,
    numbers, names and negations are those of up to three adjacent sentences of the source (of
    the sources together, where none suffices).  Word for word is up to white space, markup
    (``*_```) and case. ``quote`` is the source's own words: those verified, else the sentence of
    the source that shares most words with the claim, else empty; ``lines`` are its lines.
    """
    checking = Checking(prompt, least)
    parts = [*checking.feed(text), *checking.close()]
    printed = "".join(part for part in parts if isinstance(part, str))
    return Checked(printed.strip(), checking.citations, tuple(checking.invented), checking.sentences)


@dataclass(frozen=True, slots=True)
class Settled:
    """A sentence that has ended: as it is printed, with the white space before it.

    ``sentence`` is None where nothing is claimed: a heading, the line above a list.
    ``strict`` is the same without the citations that were not verified.
    """

    printed: str
    strict: str
    sentence: Sentence | None
    citations: tuple[Citation, ...]


@dataclass(slots=True)
class Checking:
    """Checks an answer as it comes: text and, each behind its last character, sentences that have ended.

    The pieces of text together are the answer as it may be printed. Where a sentence may have
    ended, text is held back until it is clear whether it has.
    """

    prompt: Prompt
    least: float = LEAST
    settled: list[Settled] = field(default_factory=list)
    _citing: Citing = field(init=False)
    _evidence: dict[int, Evidence] = field(default_factory=dict)
    _text: str = ""
    _base: int = 0  # where in the printed answer ``_text`` begins
    _shown: int = 0
    _ends: bool = False
    _fenced: bool = False  # what is at hand begins with a block of code, which only its fence ends
    _told: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._citing = Citing({source.n for source in self.prompt.sources})
        self._told = _ANNOUNCING | set(read(self.prompt.question).keys)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Those of the sentences that have ended."""
        return tuple(citation for settled in self.settled for citation in settled.citations)

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences that have ended and claim something."""
        return tuple(settled.sentence for settled in self.settled if settled.sentence is not None)

    @property
    def invented(self) -> list[int]:
        """Numbers that were cited and never sent, each once."""
        return self._citing.invented

    def feed(self, piece: str) -> Iterator[str | Settled]:
        """What can be said once ``piece`` has come."""
        yield from self._take(self._citing.feed(piece), last=False)

    def close(self) -> Iterator[str | Settled]:
        """The rest."""
        yield from self._take(self._citing.close(), last=True)

    def _take(self, printed: str, *, last: bool) -> Iterator[str | Settled]:
        self._text += printed
        self._ends = self._ends or _MAY_END.search(printed) is not None
        fenced = self._fenced and not _FENCING.search(printed)
        if (not self._ends or fenced) and not last:
            yield from self._show(len(self._text.rstrip()))
            return
        spans = list(self._units())
        done = 0
        for (_, end), (after, _) in pairwise([*spans, (len(self._text), 0)]):
            final = last or (after < len(self._text) and len(self._text) - end >= _AHEAD)
            yield from self._show(end if after < len(self._text) or last else len(self._text.rstrip()))
            if not final:
                break
            settled = self._settle(done, end)
            self.settled.append(settled)
            yield settled
            done = end
        if last:
            yield from self._show(len(self._text))
        self._text, self._base, self._shown = self._text[done:], self._base + done, self._shown - done
        self._ends = len(spans) > 1 or bool(_MAY_END.search(self._text))
        self._fenced = _FENCE.match(self._text.lstrip("\n")) is not None

    def _show(self, end: int) -> Iterator[str]:
        if end > self._shown:
            yield self._text[self._shown : end]
            self._shown = end

    def _units(self) -> Iterator[tuple[int, int]]:
        """Sentences of the text at hand, with the citations behind them; a fenced block is one."""
        unit: tuple[int, int] | None = None
        fenced = False
        for start, end in sentence_spans(self._text):
            fence = _FENCE.match(self._text, start) is not None
            own = self._marks(start, end)
            citing = own and not any(char.isalnum() for char in self._bare(start, end, own))
            if unit and (fenced or (citing and not fence)):
                unit = (unit[0], end)
            else:
                if unit:
                    yield unit
                unit = (start, end)
            if fence:
                fenced = not fenced
        if unit:
            yield unit

    def _marks(self, start: int, end: int) -> list[Mark]:
        """The citations in a span of the text at hand."""
        base = self._base
        return [mark for mark in self._citing.marks if start + base <= mark.start < end + base]

    def _bare(self, start: int, end: int, marks: Sequence[Mark], drop: Sequence[int] | None = None) -> str:
        """A span without its citations, or without those of the numbers to ``drop``."""
        parts: list[str] = []
        for mark in marks:
            kept = [] if drop is None else [n for n in mark.numbers if n not in drop]
            before = self._text[start : mark.start - self._base]
            parts.append(before + "".join(f"[{n}]" for n in kept) if kept else before.rstrip())
            start = mark.end - self._base
        return "".join((*parts, self._text[start:end]))

    def _settle(self, start: int, end: int) -> Settled:
        """Check a sentence that has ended."""
        marks = self._marks(start, end)
        printed = self._text[start:end]
        cited = tuple(dict.fromkeys(n for mark in marks for n in mark.numbers))
        words = self._bare(start, end, marks)
        claim = _LEAD.sub("", words).strip()
        if not cited and self._claims_nothing(words):
            return Settled(printed, printed, None, ())
        if _FENCE.match(words.lstrip("\n")):
            return self._settle_code(printed, words, cited)
        citations = tuple(_check(claim, {n: self._source(n) for n in cited}, self.least))
        verified = any(citation.verified for citation in citations)
        reason = ""
        if not verified:
            reason = "refusal" if is_refusal(claim) else citations[0].reason if citations else "uncited"
        doubted = [citation.n for citation in citations if not citation.verified]
        strict = self._bare(start, end, marks, doubted)
        return Settled(printed, strict, Sentence(claim, cited, verified, reason), citations)

    def _settle_code(self, printed: str, words: str, cited: tuple[int, ...]) -> Settled:
        """A fenced block holds where each of its lines stands in one of the sources, be it cited or not."""
        lines = [line for line in words.split("\n") if line.strip() and not _FENCE.match(line)]
        asked = cited or [source.n for source in self.prompt.sources]
        for n in asked:
            source = self._source(n)
            spans = [source.verbatim(line) for line in lines]
            if lines and all(spans):
                span = (
                    min(start for start, _ in filter(None, spans)),
                    max(end for _, end in filter(None, spans)),
                )
                citation = Citation(n, source.hit, source.hit.text[slice(*span)], source.lines(*span), True)
                return Settled(
                    printed, printed, Sentence(words.strip(), cited, True), (citation,) if cited else ()
                )
        citations = tuple(_unfounded(n, self._source(n), words, 0.0, "quote") for n in cited)
        return Settled(printed, printed, Sentence(words.strip(), cited, False, "quote"), citations)

    def _source(self, n: int) -> Evidence:
        if n not in self._evidence:
            hit = next(source.hit for source in self.prompt.sources if source.n == n)
            self._evidence[n] = Evidence.of(hit)
        return self._evidence[n]

    def _claims_nothing(self, words: str) -> bool:
        """Whether a sentence is there for the order of things: a heading, or what announces a list."""
        if not any(char.isalnum() for char in words):
            return True
        if _HEADING.match(words):
            return True
        return words.rstrip().endswith((":", "：")) and all(
            token.key in self._told for token in read(words).content
        )


def _check(claim: str, sources: Mapping[int, Evidence], least: float) -> Iterator[Citation]:
    """A citation for each source that a sentence names."""
    outer = _OUTER.fullmatch(claim)
    whole = next(filter(None, outer.groups()), claim) if outer else claim
    places = {n: source.verbatim(whole) if long_enough(whole, 2) else None for n, source in sources.items()}
    commands = [command for command in _COMMAND.findall(claim) if len(command.split()) > 1]
    if not any(places.values()) and not all(
        any(source.verbatim(command) for source in sources.values()) for command in commands
    ):
        yield from (_unfounded(n, source, claim, 0.0, "quote") for n, source in sources.items())
        return
    quotations = [quoted for groups in _QUOTED.findall(claim) if long_enough(quoted := "".join(groups), 3)]
    if quotations and not any(places.values()):
        yield from _check_quotations(claim, quotations, sources, least)
        return
    reading = read(claim)
    found = {n: best_support(reading, source.readings, source.about, least) for n, source in sources.items()}
    if len(sources) > 1 and not any(places.values()) and not any(not one.reason for one in found.values()):
        window = join(
            [sources[n].readings[at] for n, one in found.items() for at in range(one.first, one.last + 1)]
        )
        best = max(found, key=lambda n: (found[n].share, -n))
        near = found[best].nearest
        about = join([each for source in sources.values() for each in (source.about, *source.readings)])
        if (
            near >= 0
            and not against(
                reading, window, sources[best].readings[near], about, share_of(reading, window), least
            )
            and all(
                any(
                    not facts_against(clause, join(source.readings), source.about)
                    for source in sources.values()
                )
                for clause in clauses(reading)
            )
        ):
            found = {
                n: replace(one, reason="") if one.share >= least / 2 else one for n, one in found.items()
            }
    for n, source in sources.items():
        support = found[n]
        if span := places[n]:
            yield Citation(n, source.hit, source.hit.text[slice(*span)], source.lines(*span), True)
        elif support.reason or not long_enough(claim, 2):
            yield _unfounded(n, source, claim, support.share, support.reason or "words")
        else:
            span = source.window(support.first, support.last)
            quote = source.hit.text[slice(*span)]
            yield Citation(n, source.hit, quote, source.lines(*span), True, support.share)


def _check_quotations(
    claim: str, quotations: Sequence[str], sources: Mapping[int, Evidence], least: float
) -> Iterator[Citation]:
    """Citations of a sentence that quotes: what it quotes is there, and what it says around it does not differ."""
    found = {n: [source.verbatim(quoted) for quoted in quotations] for n, source in sources.items()}
    reading, around = read(claim), read(_QUOTED.sub(" … ", claim))
    known = join([reading for source in sources.values() for reading in source.readings])
    about = join([source.about for source in sources.values()])
    fault: Reason = "" if all(any(places) for places in zip(*found.values(), strict=True)) else "quote"
    fault = fault or facts_against(reading, known, about)
    for n, source in sources.items():
        share = share_of(reading, join(source.readings))
        span = next((span for span in found[n] if span), None)
        reason = fault or ("" if span else "quote")
        if not reason and span and denies(around, source.around(span)):
            reason = "negation"
        if not reason and share < least / 2:
            reason = "words"
        if reason or span is None:
            yield _unfounded(n, source, claim, share, reason, span)
        else:
            yield Citation(n, source.hit, source.hit.text[slice(*span)], source.lines(*span), True, share)


def _unfounded(
    n: int, source: Evidence, claim: str, share: float, reason: Reason, span: tuple[int, int] | None = None
) -> Citation:
    """A citation that does not hold, with what comes nearest to it."""
    span = span or source.nearest(claim)
    if span is None:
        return Citation(n, source.hit, "", source.hit.lines, False, share, reason)
    quote = source.hit.text[slice(*span)]
    return Citation(n, source.hit, quote, source.lines(*span), False, share, reason)


_SOURCES = r"(?:sources?|documents?|passages?|contexts?|texts?|excerpts?|materials?|information|data)"
_SAYING = (
    r"(?:contain|answer|say|state|mention|provide|include|have|specify|address|give|cover|discuss|"
    r"describe|explain|indicate|tell|reveal|offer|allow)"
)
_REFUSALS = re.compile(
    rf"\b{_SOURCES}\b[^.!?]{{0,40}}\b(?:do|does|did|can)(?: not|n't)(?: \w+)? {_SAYING}"
    rf"|\bnot (?:\w+ )?(?:mentioned|specified|answered|stated|contained|addressed|covered|provided|given|"
    rf"found|discussed|described|included|available)(?: \w+)? (?:in|by) [^.!?]{{0,40}}\b{_SOURCES}\b"
    rf"|\b(?:i|we) (?:do not|don't|cannot|can't|can not|could not|couldn't|am unable to|am not able to|"
    rf"are unable to) (?:\w+ )?(?:know|answer|find|determine|tell|say|have)\b"
    rf"|\b(?:there is|there's|i found|i find|contains?|provides?) no (?:\w+ )?"
    r"(?:information|answer|mention|evidence)\b"
    rf"|\bno (?:\w+ )?(?:information|answer|mention)\b[^.!?]{{0,40}}\b{_SOURCES}\b"
    rf"|\b(?:none of|neither|nothing in|no) (?:\w+ ){{0,3}}?{_SOURCES}\b[^.!?]{{0,20}} ?{_SAYING}s?\b"
    rf"|\b(?:answer|information|detail|question)s?\b[^.!?]{{0,40}}\b(?:is|are)(?: not|n't) (?:to be )?(?:\w+ )?"
    rf"in (?:\w+ ){{0,3}}?{_SOURCES}\b"
    rf"|\b(?:is|are) (?:silent|unclear|not clear|not stated|insufficient)\b[^.!?]{{0,30}}\b{_SOURCES}\b"
    rf"|\b{_SOURCES}\b[^.!?]{{0,20}}\b(?:is|are) (?:silent|unclear|insufficient|not (?:enough|sufficient|clear))\b"
    r"|\b(?:not (?:possible|enough information|sufficient information)|insufficient information|impossible) to "
    r"(?:answer|determine|tell|say|know)\b"
    rf"|\bquestions? (?:cannot|can't|can not|could not|couldn't) be answered\b"
    rf"|\bthere (?:is|are)n't any (?:\w+ )?(?:information|answer|mention|evidence)\b"
    r"|(?:信息|資訊|资料|資料|内容|內容)[^。！？]{0,6}不足以|(?:找不到|查不到|不存在)[^。！？]{0,8}(?:答案|信息|資訊|内容|內容|相关|相關)"
    r"|(?:资料|資料|来源|來源|文档|文檔|文件|文本|上下文|材料|内容|內容|段落|信息|資訊)[^。！？]{0,10}"
    r"(?:没有|沒有|并未|並未|未|不|无法|無法|无|無)[^。！？]{0,8}"
    r"(?:回答|提到|提及|说明|說明|包含|涉及|给出|給出|提供|找到|答案|信息|資訊|相关|相關|记载|記載)"
    r"|(?:无法|無法|不能)[^。！？]{0,24}(?:回答|得知|确定|確定|找到|判断|判斷)"
    r"|(?:没有|沒有|未能?)(?:在[^。！？]{0,12})?(?:找到|提到|提及)"
    r"|我?不知道"
)


def is_refusal(text: str) -> bool:
    """Whether an answer says that the sources do not answer, in English or Chinese.

    The two sentences that the prompt asks for are recognised always; other words for the same
    only where the answer cites nothing, since "the sources do not say why [2]" may be part of a
    good answer.
    """
    citing = Citing(range(1000))
    printed = citing.feed(text) + citing.close()
    for mark in reversed(citing.marks):
        printed = printed[: mark.start] + printed[mark.end :]
    bare = fold(_LEAD.sub("", printed)).text.strip(" .。!！\"'")
    if bare in {fold(fixed).text.strip(".。") for fixed in (NO_ANSWER, NO_ANSWER_ZH)}:
        return True
    return not citing.marks and _REFUSALS.search(bare) is not None
