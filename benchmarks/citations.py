"""Checked citations: which sentences are verified, of true ones and of altered ones.

    python -m benchmarks.citations [SETS] [--json FILE] [--model]

Sentences are made by rule, from seeds, of the passages and gold answers of squad2, nq-gold and
cmrc2018: half are borne out by the passage that they cite (quotes, and paraphrases: clauses in
another order, synonyms, other forms of numbers, left-out modifiers, the question with its answer as
a statement, the passive as the active), half are not (a number or a name changed, within quotation
marks or not, a negation added or taken away, a sentence from elsewhere). Each cites the right passage, one
of three in the prompt. Questions are divided in two: 500 sentences of the one half choose the
threshold, 500 of the other are what is reported. ``--model`` tells as well what the cosine of
sentence vectors would add. Chinese names are found with the same dictionary as the check finds
them with.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import write_report
from ragcli.analyze import tagged_words
from ragcli.answer.citations import check_citations
from ragcli.answer.support import LEAST
from ragcli.budget import Estimate
from ragcli.prompt import build_prompt
from ragcli.sentences import sentence_spans
from ragcli.types import Citation, Hit

ROOT = Path(__file__).parents[1]
_SETS = ("squad2", "nq-gold", "cmrc2018")
_SEEDS, _EACH = 5, 100
_STEPS = [step / 50 for step in range(15, 50)]


@dataclass(frozen=True, slots=True)
class Item:
    """A question with the passage and the sentence of it that hold its answer."""

    question: str
    answer: str
    title: str
    passage: str
    sentence: str
    chinese: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence to be checked against a passage and two others."""

    kind: str
    chinese: bool
    text: str
    passages: tuple[tuple[str, str], ...]
    supported: bool


Change = Callable[[str, Item, random.Random, Sequence[Item]], str | None]


def items(folder: Path, chinese: bool) -> list[Item]:
    """The questions of a set whose answer stands in one sentence of the judged passage."""
    corpus = {}
    for line in (folder / "corpus.jsonl").read_text("utf-8").splitlines():
        record = json.loads(line)
        corpus[record["_id"]] = record
    questions = {}
    for line in (folder / "queries.jsonl").read_text("utf-8").splitlines():
        record = json.loads(line)
        questions[record["_id"]] = record["text"]
    found: dict[str, Item] = {}
    for line in (folder / "spans.jsonl").read_text("utf-8").splitlines():
        span = json.loads(line)
        record = corpus[span["doc"]]
        text = record["text"]
        whole = next(
            ((a, b) for a, b in sentence_spans(text) if a <= span["start"] and span["end"] <= b), None
        )
        if whole is None or span["query-id"] in found:
            continue
        sentence = " ".join(text[slice(*whole)].split())
        size = len(sentence) if chinese else len(sentence.split())
        if 8 <= size <= (90 if chinese else 45) and not re.search('[“”"「」『』]', sentence):
            question = questions[span["query-id"]]
            found[span["query-id"]] = Item(question, span["text"], record["title"], text, sentence, chinese)
    return list(found.values())


_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)*(?![\w])", re.ASCII)
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-zéöüáíóñç]+(?: (?:[A-Z][a-zéöüáíóñç]+))*")


def change_number(text: str, item: Item, chance: random.Random, _: Sequence[Item]) -> str | None:
    """One number is another: with other digits, or another one of the passage."""
    places = list(_NUMBER.finditer(text))
    if not places:
        return None
    place = chance.choice(places)
    old = place.group()
    others = sorted({number for number in _NUMBER.findall(item.passage) if number != old})
    new = chance.choice(others) if others and chance.random() < 0.5 else old
    while new == old or new.replace(",", "") == old.replace(",", ""):
        at = chance.choice([at for at, char in enumerate(old) if char.isdigit()])
        new = old[:at] + chance.choice("123456789") + old[at + 1 :]
    return text[: place.start()] + new + text[place.end() :]


def names_in(text: str, chinese: bool) -> list[tuple[int, int]]:
    """Where proper names stand, but for those a sentence begins with in English."""
    if not chinese:
        return [place.span() for place in _NAME.finditer(text)]
    found = []
    for run in re.finditer(r"[\u4e00-\u9fff]+", text):
        at = run.start()
        for word, name in tagged_words(run.group()):
            if name and len(word) > 1:
                found.append((at, at + len(word)))
            at += len(word)
    return found


def change_name(text: str, item: Item, chance: random.Random, others: Sequence[Item]) -> str | None:
    """One name is another, of the passage or of another one."""
    places = names_in(text, item.chinese)
    if not places:
        return None
    start, end = chance.choice(places)
    from_here = chance.random() < 0.5
    for other in (item, *others) if from_here else others:
        known = [other.passage[a:b] for a, b in names_in(other.passage, item.chinese)]
        known = [name for name in known if name not in text and text[start:end] not in name]
        if known:
            return text[:start] + chance.choice(sorted(set(known))) + text[end:]
    return None


_DENIED = re.compile(r" (?:not|never|no)\b|n't\b")
_VERB = re.compile(r"\b(?:is|was|are|were|can|could|will|would|must|should|may)\b(?! not)")
_DENIED_ZH = re.compile("没有|不(?=[是能会可在])|未")
_VERB_ZH = re.compile("是(?!否)|可以|能够|会(?=[被在])|位于|属于|担任|拥有|获得|成为")


def change_negation(text: str, item: Item, chance: random.Random, _: Sequence[Item]) -> str | None:
    """A negation is taken away where there is one, else one is added."""
    gone, verb = (_DENIED_ZH, _VERB_ZH) if item.chinese else (_DENIED, _VERB)
    if place := gone.search(text):
        rest = text[: place.start()] + text[place.end() :]
        return re.sub(r"\bca(?= )", "can", rest) if rest != text else None
    places = list(verb.finditer(text))
    if not places:
        return None
    at = chance.choice(places)
    if item.chinese:
        no = "没有" if at.group() in ("获得", "成为", "担任", "拥有") else "不"
        return text[: at.start()] + no + text[at.start() :]
    return text[: at.end()] + chance.choice((" not", " never")) + text[at.end() :]


def elsewhere(_: str, item: Item, chance: random.Random, others: Sequence[Item]) -> str | None:
    """A sentence of another passage, about something else."""
    other = next((one for one in others if one.title != item.title), None)
    del chance
    return other.sentence if other else None


_SYNONYMS = (
    "began/started|located/situated|large/big|many/numerous|important/significant|called/named|often/frequently|"
    "built/constructed|received/got|several/various|also/likewise|however/nevertheless|because/since|"
    "approximately/about|founded/established|created/made|used/employed|died/passed away|largest/biggest|"
    "became/turned into|main/principal|wrote/authored|include/comprise|includes/comprises|released/issued|"
    "show/demonstrate|area/region|people/persons|children/kids|near/close to|killed/slain|known/renowned|"
    "said/stated|ended/finished|famous/renowned|purchase/buy|purchased/bought|city/town|war/armed conflict|"
    "film/movie|song/track|usually/normally|first/initially|such as/like|due to/because of|help/assist"
)
_SYNONYMS_ZH = (
    "位于/坐落于|成立/创立|担任/出任|因为/由于|但是/不过|出生/诞生|建立/设立|使用/采用|拥有/具有|主要/大致|包括/包含|目前/现在|"
    "开始/着手|曾经/一度|著名/知名|为了/以便|并且/而且|发行/推出|分布于/生长于|属于/归于|负责/主管|毕业/结业|进行/开展|共有/总共有"
)


def synonyms(text: str, item: Item, *_: object) -> str | None:
    """Words of a short list are replaced."""
    changed = text
    for pair in (_SYNONYMS_ZH if item.chinese else _SYNONYMS).split("|"):
        old, new = pair.split("/")
        changed = changed.replace(old, new) if item.chinese else re.sub(rf"\b{old}\b", new, changed)
    return changed if changed != text else None


_FRONT = re.compile(
    r"((?:In|On|At|During|After|Before|By|From|Since|With|For|Under|Despite|Although|While|When|As) [^,]{3,60}), "
    r"(.+)([.!?])"
)
_BACK = re.compile(r"(.{12,}[a-z]) ((?:in|during|after|before|since|until) (?:the )?[\w ]{3,40})\.")
_TWO = re.compile(r"(.{12,}), (and|but|while) (.{12,})\.")


def reorder(text: str, item: Item, *_: object) -> str | None:
    """What stands in front goes behind, or the other way round."""
    if item.chinese:
        parts = text.rstrip("。！？").split("，")
        return "，".join((parts[0], *parts[2:], parts[1])) + "。" if len(parts) > 2 else None
    if found := _FRONT.fullmatch(text):
        return f"{_upper(found[2])} {_lower(found[1])}{found[3]}"
    if found := _TWO.fullmatch(text):
        return f"{_upper(found[3])}, {found[2]} {_lower(found[1])}."
    if found := _BACK.fullmatch(text):
        return f"{_upper(found[2])}, {_lower(found[1])}."
    return None


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    """A small first letter where the word is one that sentences begin with."""
    word = text.partition(" ")[0]
    common = {"The", "A", "An", "It", "He", "She", "They", "This", "These", "In", "On", "At", "During", "After",
              "Before", "By", "From", "Since", "With", "For", "Under", "Despite", "Although", "While", "When", "As",
              "His", "Her", "Their", "Its", "There", "Many", "Some", "Most"}  # fmt: skip
    return text[:1].lower() + text[1:] if word in common else text


_COUNT = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
_COUNT_ZH = "零一二三四五六七八九"


def formats(text: str, item: Item, *_: object) -> str | None:
    """Numbers in another form."""
    if item.chinese:
        changed = re.sub(r"(?<!\d)(\d)%", lambda m: f"百分之{_COUNT_ZH[int(m[1])]}", text)
        changed = re.sub(
            r"(?<![\d.])(\d{4})(?=年)",
            lambda m: "".join(_COUNT_ZH[int(c)] for c in m[1]).replace("零", "〇"),
            changed,
        )
        changed = re.sub(r"(?<![\d.])([1-9])(?=[月日个人名位次年])", lambda m: _COUNT_ZH[int(m[1])], changed)
        wide = str.maketrans("0123456789", "０１２３４５６７８９")
        return changed if changed != text else text.translate(wide) if re.search(r"\d", text) else None
    changed = re.sub(r"(?<![\d,.])(\d{1,3})((?:,\d{3})+)(?![\d,])", lambda m: m[0].replace(",", ""), text)
    changed = re.sub(r"\b([A-Z][a-z]{2,8}) (\d{1,2}), (\d{4})\b", r"\2 \1 \3", changed)
    changed = re.sub(r"(\d) ?(?:percent|per cent)\b", r"\1%", changed)
    changed = re.sub(r"(\d)%", r"\1 percent", text) if changed == text else changed
    for number, word in enumerate(_COUNT):
        if number > 1:
            changed = re.sub(rf"(?<!-)\b{word}\b(?!-)", str(number), changed)
    if changed == text:
        changed = re.sub(
            r"(?<![\d.,$£€-])([2-9]|1[0-2])(?![\d.,:%–-])(?= [a-z])", lambda m: _COUNT[int(m[1])], text
        )
    return changed if changed != text else None


def drop(text: str, item: Item, *_: object) -> str | None:
    """Modifiers and what stands in brackets are left out."""
    if item.chinese:
        changed = re.sub(r"（[^（）]*）|\([^()]*\)|非常|十分|主要|大约|曾经|其中", "", text)
    else:
        changed = re.sub(r" \([^()]*\)|, which [^,]+(?=,)|, however,|\b(?:also|very|quite|mostly) ", "", text)
        changed = re.sub(r" [a-z]{4,}ly(?= [a-z])", "", changed)
    return changed if changed != text else None


_SUBJECT = re.compile(
    r"(?:who|what|which [a-z]+) ((?:is|was|are|were|has|had|will|can|\w+ed|\w+s|won|wrote|sang|led|made|got|became|"
    r"gave|took|held|built|began|ran)) (.+?)\??",
    re.IGNORECASE,
)
_ASKED_ZH = re.compile("什么时候|什么地方|哪一年|哪一?[年月个位种座条]|哪里|哪儿|何时|何地|什么|谁|多少|几")


def statement(_: str, item: Item, *__: object) -> str | None:
    """The question with its answer in the place of what it asks."""
    answer = item.answer.strip(" .。")
    if item.chinese:
        asked = item.question.strip().rstrip("？?呢吗")
        if len(_ASKED_ZH.findall(asked)) != 1 or len(answer) > 30 or "，" in asked:
            return None
        return _ASKED_ZH.sub(lambda _: answer, asked) + "。"
    found = _SUBJECT.fullmatch(item.question.strip())
    if not found or len(answer.split()) > 8 or found[2].split()[0].lower() in ("did", "does", "do"):
        return None
    return f"{_upper(answer)} {found[1]} {found[2]}."


def active(text: str, item: Item, *_: object) -> str | None:
    """The passive as the active, where a sentence is nothing else."""
    if item.chinese:
        found = re.fullmatch(
            "([^，。]{2,20})由([^，。]{2,20}?)(设计|创作|创立|建造|执导|主演|编写|发行|开发|制作)。", text
        )
        return f"{found[2]}{found[3]}了{found[1]}。" if found else None
    found = re.fullmatch(r"([A-Z][^,.;]{5,80}?) (?:was|were) (\w+ed) by ([^,.;]{3,60})\.", text)
    return f"{_upper(found[3])} {found[2]} {_lower(found[1])}." if found else None


_TRUE: tuple[tuple[str, Change | None, int], ...] = (
    ("quote", None, 70), ("reordered", reorder, 45), ("synonyms", synonyms, 45), ("number form", formats, 30),
    ("shortened", drop, 30), ("question and answer", statement, 25), ("active for passive", active, 5),
)  # fmt: skip
_FALSE: tuple[tuple[str, Change, bool, int], ...] = (
    ("number changed in a quote", change_number, True, 45), ("name changed in a quote", change_name, True, 45),
    ("number changed", change_number, False, 40), ("name changed", change_name, False, 40),
    ("negation changed", change_negation, False, 40), ("from elsewhere", elsewhere, False, 40),
)  # fmt: skip


def cases(pools: Sequence[Sequence[Item]], seed: int, share: float) -> list[Case]:
    """Sentences of one seed, ``share`` of the 500 that the kinds add up to."""
    chance = random.Random(seed)
    drawn = [chance.sample(list(pool), len(pool)) for pool in pools]
    at = [0] * len(pools)
    found: list[Case] = []
    turn = 0

    def make(kind: str, change: Change | None, quoted: bool, supported: bool) -> None:
        nonlocal turn
        for _ in range(3000):
            which = turn % len(pools)
            turn += 1
            pool = drawn[which]
            item = pool[at[which] % len(pool)]
            at[which] += 1
            others = chance.sample(pool, 12)
            others = [one for one in others if one.title != item.title and one.passage != item.passage]
            text: str | None = item.sentence
            if not supported and not quoted:
                # What is altered outside quotation marks is mostly put otherwise as well.
                text = chance.choice((synonyms, drop, reorder))(item.sentence, item) or item.sentence
            if change is not None and text is not None:
                text = change(text, item, chance, others)
            if not text or (not supported and text.rstrip("。.") in " ".join(item.passage.split())):
                continue
            if kind == "quote" or quoted:
                text = f"“{text}”"
            near = [(one.title, one.passage) for one in others[:2]]
            passages = ((item.title, item.passage), *near)
            found.append(Case(kind, item.chinese, f"{text} [1]", passages, supported))
            return
        raise SystemExit(f"no sentence to be had for: {kind}")

    for name, change, number in _TRUE:
        for _ in range(round(number * share)):
            make(name, change, False, True)
    for name, altering, quoted, number in _FALSE:
        for _ in range(round(number * share)):
            make(name, altering, quoted, False)
    return found


def check(case: Case, least: float) -> Citation:
    """What is said of the one citation."""
    hits = [
        Hit(rank=n, id=f"h{n}", document=f"{n}.md", record=None, path=f"{n}.md", title=title, heading=(), page=None,
            lines=None, span=(0, len(text)), text=text, score=1.0)
        for n, (title, text) in enumerate(case.passages, 1)
    ]  # fmt: skip
    prompt = build_prompt("?", hits, budget=100_000, count=Estimate())
    citations = check_citations(case.text, prompt, least=least).citations
    return min(citations, key=lambda citation: citation.verified)


def holds(citation: Citation, least: float) -> bool:
    """Whether a citation that was checked with no threshold is verified with this one."""
    return citation.verified and citation.support >= least


def f1(made: Sequence[Case], verified: Sequence[bool]) -> tuple[float, float, float]:
    """Precision and recall of ``verified``, and their harmonic mean."""
    right = sum(case.supported and one for case, one in zip(made, verified, strict=True))
    precision = right / max(1, sum(verified))
    recall = right / max(1, sum(case.supported for case in made))
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def add_cosine(made: Sequence[Case], told: Sequence[Citation]) -> None:
    """Print what a share of the cosine of sentence and quote in the score would change."""
    from ragcli.embed import open_embedder

    chosen = [at for at, case in enumerate(made) if not case.chinese and told[at].quote]
    embedder = open_embedder("all-MiniLM-L6-v2", offline=True)
    claims = embedder.embed_documents([made[at].text.removesuffix(" [1]") for at in chosen])
    quotes = embedder.embed_documents([told[at].quote for at in chosen])
    cosines = (claims * quotes).sum(axis=1)
    subset = [made[at] for at in chosen]
    for weight in (0.0, 0.25, 0.5, 0.75, 1.0):
        best = max(
            (
                f1(
                    subset,
                    [
                        told[at].verified
                        and (1 - weight) * told[at].support + weight * float(cosine) >= least
                        for at, cosine in zip(chosen, cosines, strict=True)
                    ],
                )[2],
                -least,
            )
            for least in _STEPS
        )
        print(f"English, cosine's share {weight}: best F1 {best[0]:.3f} at {-best[1]:.2f}")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="?", type=Path, default=ROOT.parent / "shared" / "eval")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--model", action="store_true")
    parser.add_argument(
        "--show", metavar="KIND", help="print the sentences of a kind that are judged wrongly"
    )
    options = parser.parse_args()

    halves: tuple[list[list[Item]], list[list[Item]]] = ([], [])
    for name in _SETS:
        all_items = items(options.sets / name, chinese=name == "cmrc2018")
        random.Random(0).shuffle(all_items)
        halves[0].append(all_items[::2])
        halves[1].append(all_items[1::2])
    tuning = [case for seed in range(_SEEDS) for case in cases(halves[0], seed, 1 / _SEEDS)]
    told = [check(case, 0.0) for case in tuning]
    curve = [(f1(tuning, [holds(one, least) for one in told])[2], least) for least in _STEPS]
    best = max(score for score, _ in curve)
    flat = [least for score, least in curve if score >= best - 0.005]
    print(
        f"chosen on {len(tuning)}: best F1 {best:.3f}, within 0.005 of it from {flat[0]:.2f} to {flat[-1]:.2f}"
    )
    if options.model:
        add_cosine(tuning, told)

    made = [case for seed in range(_SEEDS, 2 * _SEEDS) for case in cases(halves[1], seed, 1 / _SEEDS)]
    judged = [check(case, LEAST) for case in made]
    verified = [one.verified for one in judged]
    rows: dict[str, list[list[int]]] = defaultdict(lambda: [[0, 0], [0, 0]])
    for case, one in zip(made, judged, strict=True):
        cell = rows[case.kind][case.chinese]
        cell[0] += one.verified
        cell[1] += 1
        if options.show == case.kind and one.verified != case.supported:
            print(f"{case.text}\n  {one.reason} {one.support:.2f}: {one.quote}\n")
    lines = ["| sentences | verified: English | Chinese |", "|---|---:|---:|"]
    for kind, cells in rows.items():
        shown = " | ".join(f"{right} of {number}" if number else "" for right, number in cells)
        lines.append(f"| {kind} | {shown} |")
    results = []
    for name, language in (("all", None), ("English", False), ("Chinese", True)):
        part = [at for at, case in enumerate(made) if language is None or case.chinese is language]
        precision, recall, score = f1([made[at] for at in part], [verified[at] for at in part])
        results.append(
            {"language": name, "sentences": len(part), "precision": precision, "recall": recall, "f1": score}
        )
    lines += ["", f"| `verified` at {LEAST} | sentences | precision | recall |", "|---|---:|---:|---:|"]
    lines += [
        f"| {row['language']} | {row['sentences']} | {row['precision']:.3f} | {row['recall']:.3f} |"
        for row in results
    ]
    table = "\n".join(lines)
    print(table)
    missed = [
        case for case, one in zip(made, verified, strict=True) if one and case.kind.endswith("in a quote")
    ]
    if options.json:
        write_report(options.json, "python -m benchmarks.citations ../shared/eval", table, results)
    for case in missed:
        print(f"an altered quote was verified: {case.text}")
    if missed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
