"""Checking an answer against the sources it was given: which it names, and whether they say so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ragcli.answer.evidence import Evidence, fold, long_enough, numbers
from ragcli.answer.marks import Citing, Mark
from ragcli.chunk import sentence_spans
from ragcli.prompt import NO_ANSWER, NO_ANSWER_ZH
from ragcli.types import Citation, Prompt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_QUOTED = re.compile(r"“([^“”]+)”|\"([^\"\n]+)\"|「([^「」]+)」|『([^『』]+)』|«([^«»]+)»")
_LEAD = re.compile(r"^\s*(?:[-*+•>]\s+|#{1,6}\s+|\d{1,3}[.)、]\s+)*")


def check_citations(text: str, prompt: Prompt) -> tuple[str, tuple[Citation, ...], tuple[int, ...]]:
    """The answer as it may be printed, its citations, and the numbers it invented.

    In the printed text every citation is written ``[n]`` and names a source of ``prompt``;
    numbers that were never sent are gone from it and returned, each once, in order.

    For each sentence and each source it cites there is one Citation, in reading order. When the
    sentence quotes (three words or more between quotation marks), it is verified if every
    quotation stands word for word in a source the sentence cites, at least one in this source,
    and every number of the sentence in one of them; a sentence without quotations is verified
    if it stands there as a whole. Word for word is up to white space, markup (``*_```) and case.
    ``quote`` is the source's own words: those verified, else the sentence of the source that
    shares most words with the claim, else empty; ``lines`` are the lines of the quote.
    """
    citing = Citing({source.n for source in prompt.sources})
    printed = citing.feed(text) + citing.close()
    evidence: dict[int, Evidence] = {}
    for mark in citing.marks:
        for n in mark.numbers:
            if n not in evidence:
                evidence[n] = Evidence.of(next(source.hit for source in prompt.sources if source.n == n))
    citations: list[Citation] = []
    for start, end, marks in _cited(printed, citing.marks):
        numbers = tuple(dict.fromkeys(n for mark in marks for n in mark.numbers))
        claim = _claim(printed, start, end, marks)
        citations += _check(claim, {n: evidence[n] for n in numbers})
    return printed.strip(), tuple(citations), tuple(citing.invented)


def _cited(text: str, marks: Sequence[Mark]) -> Iterator[tuple[int, int, list[Mark]]]:
    """The sentences that carry citations, each with its own.

    Citations that stand alone, as on a line of their own, belong to the sentence before them.
    """
    previous: tuple[int, int, list[Mark]] | None = None
    for start, end in sentence_spans(text):
        own = [mark for mark in marks if start <= mark.start < end]
        if previous and own and not any(char.isalnum() for char in _claim(text, start, end, own)):
            previous[2].extend(own)
            continue
        if previous and previous[2]:
            yield previous
        previous = (start, end, own)
    if previous and previous[2]:
        yield previous


def _claim(text: str, start: int, end: int, marks: Sequence[Mark]) -> str:
    """The sentence without its citations and without the mark of its list item or heading."""
    parts: list[str] = []
    for mark in marks:
        if start <= mark.start < end:
            parts.append(text[start : mark.start].rstrip())
            start = mark.end
    parts.append(text[start:end])
    return _LEAD.sub("", "".join(parts)).strip()


def _check(claim: str, sources: dict[int, Evidence]) -> Iterator[Citation]:
    """A citation for each source that a sentence names."""
    quotations = [quoted for groups in _QUOTED.findall(claim) if long_enough(quoted := "".join(groups), 3)]
    found = {n: [source.verbatim(quoted) for quoted in quotations] for n, source in sources.items()}
    complete = all(any(places) for places in zip(*found.values(), strict=True))
    known: set[str] = set().union(*(numbers(source.hit.text) for source in sources.values()))
    complete = complete and numbers(claim) <= known
    for n, source in sources.items():
        if quotations:
            span = next((span for span in found[n] if span), None)
            verified = complete and span is not None
        else:
            span = source.verbatim(claim) if long_enough(claim, 2) else None
            verified = span is not None
        span = span or source.nearest(claim)
        if span is None:
            yield Citation(n, source.hit, "", source.hit.lines, verified=False)
        else:
            yield Citation(n, source.hit, source.hit.text[slice(*span)], source.lines(*span), verified)


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
    bare = fold(_claim(printed, 0, len(printed), citing.marks)).text.strip(" .。!！\"'")
    if bare in {fold(fixed).text.strip(".。") for fixed in (NO_ANSWER, NO_ANSWER_ZH)}:
        return True
    return not citing.marks and _REFUSALS.search(bare) is not None
