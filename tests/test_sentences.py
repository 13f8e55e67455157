"""Where sentences end, and where they only seem to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcli.sentences import sentence_spans


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["It rains.", "It pours!", "Does it stop?", "No."],
        ["He said “Go.”", "They went."],
        ['She asked "Why?"', "Nobody knew."],
        ["It works (see below.)", "Then it stops."],
        ["It grew by 3.5 percent.", "In 2.4.1 it shrank."],
        ["Read the docs.[1][2]", "Then act. [3]", "Good."],
        ["**It is bold.**", "It is not."],
        ["Really?!", "Yes."],
    ],
)
def test_english_sentences(sentences: list[str]) -> None:
    assert split(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Smith met Mrs. Jones.",
        "Use a format, e.g. JSON, or another, i.e. YAML.",
        "J. R. R. Tolkien wrote it.",
        "See Fig. 3 and Eq. 4 in Vol. 2.",
        "It costs 3.50 euros at 10.30 a.m. every day.",
        "Edit config.toml or www.example.org/a.html now.",
        "Wait... there is more.",
        "Smith et al. found it.",
        "Smith et al. (2020) found it vs. Jones Inc. in court.",
        "Version v2.4.1 fixes E1043.",
    ],
)
def test_stops_that_end_no_sentence(sentence: str) -> None:
    assert split(sentence) == [sentence]
    assert split(f"{sentence} Then more.") == [sentence, "Then more."]


@pytest.mark.parametrize(
    "sentences",
    [
        ["今天下雨。", "明天呢？", "不知道！"],
        ["他说：“走吧。”", "他们走了。"],
        ["（见下文。）", "其他。"],
        ["第一点；", "第二点。"],
        ["増えた。", "減った。"],
        ["气温为3.5度。", "GPU很快。"],
        ["来源。[1]", "结束。"],
    ],
)
def test_chinese_and_japanese_sentences_need_no_space(sentences: list[str]) -> None:
    assert split("".join(sentences)) == sentences


# What a stop is not, and what it is in spite of it: sentences, and what stands between them.
HARD = [
    # Titles and names
    (" ", ["Mr. and Mrs. Smith met Prof. Lee.", "They left."]),
    (" ", ["Gen. Grant met Gov. Curtin in St. Louis.", "It rained."]),
    (" ", ["J. K. Rowling and J.R.R. Tolkien wrote books.", "She lives."]),
    (" ", ["George W. Bush met John F. Kennedy Jr. in Texas.", "Nobody noticed."]),
    (" ", ["Sammy Davis Jr. sang.", "He danced."]),
    (" ", ["It was written by S. A. Cook.", "A friend helped."]),
    (" ", ["Take plan B.", "The first failed."]),
    (" ", ["It holds vitamin C.", "It is sour."]),
    (" ", ["Rev. King spoke vs. Sen. Long.", "Both won."]),
    (" ", ["Dr. A. B. Jones, M.D. of Ohio, came.", "Why?"]),
    # Places, firms, times
    (" ", ["The U.S. Army left the U.K. in May.", "Good."]),
    (" ", ["He lives in the U.S.", "She does not."]),
    (" ", ["Washington, D.C. is hot.", "Go there."]),
    (" ", ["He works at Apple Inc. in Cupertino.", "Fine."]),
    (" ", ["She joined Jones & Co.", "The firm failed."]),
    (" ", ["It opens at 9 a.m. and shuts at 5 p.m. daily.", "Come early."]),
    (" ", ["It ended at 5 p.m.", "Then we left."]),
    (" ", ["On Jan. 5 and Sept. 11 it snowed.", "In May it did not."]),
    (" ", ["She has a Ph.D. in physics.", "He has none."]),
    # Numbers
    (" ", ["See Fig. 3, Eqs. 4-5 and Sec. II.", "Then stop."]),
    (" ", ["See No. 5 and Nos. 6 to 9.", "Are they right?"]),
    (" ", ["Was it right?", "No.", "It was wrong."]),
    (" ", ["Read pp. 3-5 and p. 9 of Vol. 2, ch. 4.", "Sleep."]),
    (" ", ["It is 3.5 m, 1,000.25 kg or $.99.", "Choose."]),
    (" ", ["Version 2.4.1. of 10.5.2024 is out.", "Get it."]),
    (" ", ["The address is 192.168.0.1.", "Ping it."]),
    # Abbreviations of text
    (" ", ["Use a format, e.g. JSON, i.e. text, cf. Sect. 2.", "Done."]),
    (" ", ["Smith et al. found it.", "Others did not."]),
    (" ", ["Smith et al. [12] found it.", "Others did not. [3]"]),
    (" ", ["Bring pens, paper, etc.", "We have none."]),
    (" ", ["It takes approx. 5 min. at most.", "Wait."]),
    # Names with marks
    (" ", ["Yahoo! is a firm.", "Use it."]),
    (" ", ["Open config.toml in Node.js or .NET.", "Save."]),
    (" ", ["Go to https://example.org/a.b?c=d. or leave.", "Stay."]),
    (" ", ["Call obj.method(). then return.", "Bye."]),
    # Quotations and brackets
    (" ", ["“Stop!” he said.", "She stopped."]),
    (" ", ['"Why?" she asked.', "Nobody knew."]),
    (" ", ["He said ‘No.’", "She said ‘Yes.’"]),
    (" ", ["«Allez!»", "Il part."]),
    (" ", ["(It rained.)", "We left."]),
    (" ", ["He left (why?) and came back.", "Good."]),
    (" ", ["“Stop!” — he cried.", "“Go on.”"]),
    (" ", ["**Note.**", "_It works._", "`It ran.`", "Yes."]),
    (" ", ["What?!", "No!!!", "Yes..."]),
    # Ellipses
    (" ", ["Wait... there is more.", "Good."]),
    (" ", ["Wait...", "There is more."]),
    (" ", ["He said … nothing.", "She left…", "Why?"]),
    (" ", ["one… two… three.", "Go."]),
    # Chinese
    ("", ["他问：“为什么？”", "没有人知道。"]),
    ("", ["真的吗？！", "是的！！"]),
    ("", ["我……我不知道。", "他也不知道。"]),
    ("", ["他说：“我不知道……”", "她走了。"]),
    ("", ["圆周率约为3.14。", "光速为299,792.458千米每秒。"]),
    ("", ["见《论语》（第三章）。", "子曰。"]),
    ("", ["版本v2.0.1已发布。", "请访问www.example.cn/a.html。"]),
    ("", ["（完。）", "下一篇。"]),
    # Japanese
    ("", ["「なぜ？」と彼は聞いた。", "誰も知らない。"]),
    ("", ["「行こう。」", "彼らは行った。"]),
    ("", ["これはペンである．", "次に進む。"]),
    ("", ["ｶﾅです｡", "そうです｡"]),
    ("", ["彼は「嫌だ！」って言った。", "本当？"]),
    # Others
    (" ", ["यह सच है।", "ठीक है।"]),
    (" ", ["هل هذا صحيح؟", "نعم."]),
]


@pytest.mark.parametrize(("between", "sentences"), HARD, ids=[each[1][0] for each in HARD])
def test_hard_cases(between: str, sentences: list[str]) -> None:
    assert split(between.join(sentences)) == sentences


def test_wrapped_lines_are_one_sentence() -> None:
    assert split("It is 330 metres\ntall and stands\nin Paris. It is old.") == [
        "It is 330 metres\ntall and stands\nin Paris.",
        "It is old.",
    ]


def test_blank_lines_end_a_sentence_without_a_stop() -> None:
    assert split("no stop here\n\nnor here\n \nend") == ["no stop here", "nor here", "end"]


def test_markdown_lines_stand_by_themselves() -> None:
    text = (
        "# Title\nFirst text\nwrapped.\n- one item\n- another\n  wrapped item\n1. numbered\n"
        "| a | b |\n| 1 | 2 |\n> quoted"
    )
    assert split(text) == [
        "# Title",
        "First text\nwrapped.",
        "- one item",
        "- another\n  wrapped item",
        "1. numbered",
        "| a | b |",
        "| 1 | 2 |",
        "> quoted",
    ]


def test_a_part_of_a_text_is_split_with_spans_of_the_whole() -> None:
    text = "Before. One here. Two here. After."
    start, end = text.index("One"), text.index(" After")
    spans = list(sentence_spans(text, start, end))
    assert [text[a:b] for a, b in spans] == ["One here.", "Two here."]
    assert spans[0][0] == start


@pytest.mark.parametrize("text", ["", " ", "\n\n \t"])
def test_nothing_but_white_space_has_no_sentence(text: str) -> None:
    assert split(text) == []


_FRAGMENTS = (
    '. ¦! ¦? ¦.¦。¦；¦… ¦...¦\n¦\n\n¦ ¦Dr. ¦e.g. ¦a¦A¦3.5¦[1]¦[12] ¦”¦"¦)¦'
    "# ¦- ¦1. ¦| x |\n¦| ¦```¦> ¦中文¦\t¦\u2028"
)
_BITS = st.sampled_from(_FRAGMENTS.split("¦"))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(_BITS, st.text(max_size=3)), max_size=25).map("".join))
def test_sentences_are_trimmed_in_order_and_leave_out_nothing_but_white_space(text: str) -> None:
    spans = list(sentence_spans(text))
    at = 0
    for start, end in spans:
        assert at <= start < end
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip()
        at = end
    assert not text[at:].strip()
