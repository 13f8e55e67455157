from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .known import SEEDS, Known, Piece, check_known, known
from .support import document, texts

if TYPE_CHECKING:
    from pathlib import Path

_SRT = """1
00:00:01,000 --> 00:00:02,500
The harbour was

2
00:00:02,600 --> 00:00:04,000
<i>closed</i> for the
winter season, as it had been every year since the great flood
came over the old town and its houses.

3
01:10:05,000 --> 01:10:06,000
{\\an8}It opened again.
"""


def test_cues_become_sentences_with_their_times_and_lines(tmp_path: Path) -> None:
    page = document(tmp_path, "a.srt", _SRT)
    assert texts(page) == [
        (
            "paragraph",
            "00:00:01 The harbour was closed for the winter season, as it had been every year since"
            " the great flood came over the old town and its houses.",
        ),
        ("paragraph", "01:10:05 It opened again."),
    ]
    assert page.lines is not None
    assert [page.lines.at(page.text.index(word)) for word in ("harbour", "closed", "winter", "flood", "opened")] == [
        3, 7, 8, 8, 13,
    ]  # fmt: skip


def test_webvtt_keeps_header_notes_and_voices_and_drops_settings(tmp_path: Path) -> None:
    text = (
        "WEBVTT - Council meeting\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE checked by Ann\n\n"
        "intro\n00:01.000 --> 00:04.000 align:start\n<v.loud Bob Smith>Good <b>evening</b> &amp; welcome\n\n"
        "00:09:30.000 --> 00:09:31.000\n<00:09:30.500><c>Bye.</c>\n"
    )
    assert [words for _, words in texts(document(tmp_path, "a.vtt", text))] == [
        "Council meeting",
        "checked by Ann",
        "00:00:01 intro Bob Smith: Good evening & welcome",
        "00:09:30 Bye.",
    ]


def test_substation(tmp_path: Path) -> None:
    text = (
        "[Script Info]\nTitle: The lake\n\n[V4+ Styles]\nStyle: Default,Arial\n\n[Events]\n"
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,ANN,0,0,0,,{\\i1}One, two,\\Nthree.\n"
    )
    page = document(tmp_path, "a.ass", text)
    assert (page.title, page.text) == ("The lake", "00:00:01 ANN: One, two, three.")


def test_no_cues_no_subtitles(tmp_path: Path) -> None:
    assert document(tmp_path, "a.srt", "only\n\nwords\n").text.split() == ["only", "words"]


def test_cues_without_blank_lines_between(tmp_path: Path) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nOne.\n2\n00:00:21,000 --> 00:00:22,000\n1984\n\nTwo.\n"
    assert [words for _, words in texts(document(tmp_path, "a.srt", text))] == [
        "00:00:01 One.",
        "00:00:21 1984 Two.",
    ]


@pytest.mark.parametrize("suffix", ["srt", "vtt"])
def test_known_words_come_back(suffix: str, tmp_path: Path) -> None:
    for seed in SEEDS:
        words = " ".join(piece.text for piece in known(seed, ("paragraph",)).pieces).split()
        cues = [Piece("paragraph", " ".join(words[at : at + 4])) for at in range(0, len(words), 4)]
        lines = ["WEBVTT\n"] if suffix == "vtt" else []
        for number, cue in enumerate(cues):
            stamp = f"00:{number // 60:02}:{number % 60:02}{',' if suffix == 'srt' else '.'}"
            lines.append(f"{number}\n{stamp}000 --> {stamp}900\n{cue.text}\n")
        check_known(tmp_path, f"a.{suffix}", "\n".join(lines).encode(), Known("", (tuple(cues),)))
