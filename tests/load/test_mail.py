"""Mail: who wrote to whom and what about, the words once and in order, attachments as files."""

from __future__ import annotations

import base64
import mailbox
import random
import struct
from email.message import EmailMessage, Message
from email.policy import SMTP
from pathlib import Path

import pytest

from ragcli.load import load_file
from ragcli.load.mail.richtext import decompressed, html_in
from ragcli.load.office.compound import write_compound
from ragcli.types import Document, Failure

from .known import SEEDS, Known, Piece, check_known, known
from .support import SHARED, check, check_failure, document, load, texts

SHARED_MAIL = SHARED / "files" / "mail"
needs_shared = pytest.mark.skipif(not SHARED_MAIL.is_dir(), reason="the shared files are not here")


def _raw(head: str, body: str | bytes = "") -> bytes:
    """A letter with CRLF line ends, as they travel."""
    content = body if isinstance(body, bytes) else body.encode()
    return f"From: Anna <a@example.org>\n{head}\n\n".encode().replace(b"\n", b"\r\n") + content


def _new(content: Known) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Jörg Berg <joerg@example.org>"
    message["To"] = "anna@example.org, 文 <wen@example.org>"
    message["Subject"] = content.title
    message["Date"] = "Fri, 11 Jul 2003 21:00:37 -0700"
    return message


def _html(content: Known) -> str:
    out = []
    for piece in content.pieces:
        if piece.kind == "heading":
            out.append(f"<h{piece.level}>{piece.text}</h{piece.level}>")
        elif piece.kind == "list":
            out.append("<ul>" + "".join(f"<li>{row[0]}</li>" for row in piece.rows) + "</ul>")
        elif piece.kind == "table":
            out.append("<table>" + "".join(f"<tr>{_cells(row)}</tr>" for row in piece.rows) + "</table>")
        else:
            out.append(f"<p>{piece.text}</p>")
    return f"<html><body>{''.join(out)}</body></html>"


def _cells(row: tuple[str, ...]) -> str:
    return "".join(f"<td>{cell}</td>" for cell in row)


def _plain(pieces: list[Piece]) -> str:
    return "\n\n".join(piece.text for piece in pieces) + "\n"


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
def test_generated_letters(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        chance = random.Random(seed)
        rich = seed % 2 == 0
        content = known(seed, ("heading", "paragraph", "list", "table") if rich else ("paragraph",))
        message = _new(content)
        cte = chance.choice(["base64", "quoted-printable", "8bit"])
        charset = chance.choice(["utf-8", "gb18030"])
        if rich:
            message.set_content(_html(content), subtype="html", cte=cte, charset=charset)
        else:
            message.set_content(_plain(content.pieces), cte=cte, charset=charset)
            if chance.random() < 0.5:
                message.add_alternative("<p>" + _plain(content.pieces) + "</p>", subtype="html")
        if chance.random() < 0.5:
            message["X-Noise"] = "noise " * 30
        raw = message.as_bytes(policy=SMTP) if chance.random() < 0.5 else message.as_bytes()
        item = check_known(tmp_path, "a.eml", raw, content, title=True)
        assert item.metadata == {
            "from": "Jörg Berg <joerg@example.org>",
            "to": "anna@example.org, 文 <wen@example.org>",
            "date": "2003-07-12T04:00:37Z",
        }
        assert (item.lines is not None) == (cte == "8bit")


def test_generated_mailboxes(tmp_path: Path) -> None:
    for start in range(0, len(SEEDS), 5):
        file = tmp_path / f"{start}.mbox"
        box = mailbox.mbox(file)
        contents = [known(seed, ("paragraph",)) for seed in range(start, start + 5)]
        for content in contents:
            message = _new(content)
            message.set_content("From here on quoted\n\n" + _plain(content.pieces), cte="8bit")
            box.add(message)
        box.close()
        source = file.read_text("utf-8").split("\n")
        items = list(load_file(file, path="a.mbox"))
        assert len(items) == 5
        for number, (item, content) in enumerate(zip(items, contents, strict=True), 1):
            assert isinstance(item, Document)
            check(item)
            assert (item.path, item.title) == (f"a.mbox/{number} {content.title}", content.title)
            assert "\nFrom here on quoted\n" in item.text
            assert item.lines is not None
            at = 0
            for piece in content.pieces:
                at = item.text.index(piece.text, at)
                assert piece.text in source[item.lines.at(at) - 1]


def test_the_lines_are_those_of_the_file(tmp_path: Path) -> None:
    raw = _raw("X-A: folded\n over\n lines\nSubject: Harbour", "one\r\n\r\ntwo\r\n> quoted\r\n\r\nthree")
    item = document(tmp_path, "a.eml", raw)
    assert texts(item) == [
        ("paragraph", "From: Anna <a@example.org>\nSubject: Harbour"),
        ("paragraph", "one"),
        ("paragraph", "two\n> quoted"),
        ("paragraph", "three"),
    ]
    assert item.lines is not None
    for words, line in (("From", 1), ("Subject", 5), ("one", 7), ("two", 9), ("> quoted", 10), ("three", 12)):
        assert item.lines.at(item.text.index(words)) == line


def test_lines_in_a_letter_of_several_parts(tmp_path: Path) -> None:
    raw = _raw(
        "Content-Type: multipart/mixed; boundary=b",
        "unseen\n--b\n\nplain words\n--b\nContent-Type: text/html\n\n<p>first</p>\n<p>second</p>\n--b--\n",
    )
    item = document(tmp_path, "a.eml", raw)
    assert item.text.endswith("plain words\n\nfirst\n\nsecond")
    assert item.lines is not None
    assert [item.lines.at(item.text.index(word)) for word in ("plain", "first", "second")] == [7, 11, 12]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("=?ISO-8859-1?Q?Keld_J=F8rn?=", "Keld Jørn"),
        ("=?utf-8?B?5Lit5paH?= =?utf-8?B?5paH5Lu2?=", "中文文件"),
        ("=?utf-8?B?5Lit5g==?=\n =?utf-8?B?lofku7Y=?=", "中文件"),  # a character cut in two
        ("=?gb2312?B?1tDOxA==?= and more", "中文 and more"),
        ("=?utf-8*en?Q?with_language?=", "with language"),
        ("=?x-unknown?Q?caf=C3=A9?=", "café"),
        ("=?utf-8?B?broken", "=?utf-8?B?broken"),
        ("a =?utf-8?Q?b?= c", "a b c"),
        ("Grüße", "Grüße"),
    ],
)
def test_headers(header: str, expected: str, tmp_path: Path) -> None:
    item = document(tmp_path, "a.eml", _raw(f"Subject: {header}", "words"))
    assert item.title == expected
    assert f"Subject: {expected}\n" in f"{item.text}\n"


@pytest.mark.parametrize("charset", ["gb18030", "cp1252", "koi8-r", "utf-8"])
def test_raw_headers_in_an_old_encoding(charset: str, tmp_path: Path) -> None:
    subject = {
        "gb18030": "会议记录的文件内容",
        "cp1252": "Größe für Straße",
        "koi8-r": "Протокол нашего собрания в порту",
        "utf-8": "naïve café",
    }[charset]
    raw = b"From: a@example.org\nSubject: " + subject.encode(charset) + b"\n\nwords"
    assert document(tmp_path, "a.eml", raw).title == subject


@pytest.mark.parametrize(
    ("declared", "actual", "words"),
    [
        ("us-ascii", "utf-8", "naïve café"),
        ("iso-8859-1", "utf-8", "中文文件"),
        ("utf-8", "cp1252", "Größe für die Straße, naïve café"),
        ("gb2312", "gb18030", "朱镕基"),  # a character that GB 2312 does not have
        ("gb2312", "gb18030", "联通"),  # bytes that are UTF-8, too
        ("iso-8859-1", "cp1252", "“quoted” — words"),
        ("iso-2022-jp", "iso-2022-jp", "日本語の文書"),
        ("x-nonsense", "utf-8", "naïve café"),
        ("hex", "utf-8", "naïve café"),
    ],
)
def test_character_sets_declared_wrong_or_right(
    declared: str, actual: str, words: str, tmp_path: Path
) -> None:
    raw = _raw(f"Content-Type: text/plain; charset={declared}", words.encode(actual))
    assert document(tmp_path, "a.eml", raw).text.endswith(f"\n\n{words}")


def test_text_that_was_encoded_twice(tmp_path: Path) -> None:
    twice = "Então a partição".encode().decode("latin-1").encode()
    raw = _raw("Content-Type: text/plain; charset=utf-8", twice)
    assert document(tmp_path, "a.eml", raw).text.endswith("Então a partição")


def test_html_is_taken_where_the_plain_version_is_less(tmp_path: Path) -> None:
    message = EmailMessage()
    message["From"] = "a@example.org"
    message.set_content("Your program cannot show this.")
    message.add_alternative(f"<h1>Harbour</h1><p>{'words ' * 30}</p>", subtype="html")
    item = document(tmp_path, "a.eml", message.as_bytes())
    assert "cannot show" not in item.text
    assert [block.kind for block in item.blocks] == ["paragraph", "heading", "paragraph"]


def test_attachments_of_any_version_are_kept(tmp_path: Path) -> None:
    """As Apple's mail program writes: the file lies within the HTML version."""
    raw = _raw(
        "Content-Type: multipart/alternative; boundary=a",
        "--a\n\nplain words, enough of them\n--a\nContent-Type: multipart/mixed; boundary=b\n\n"
        "--b\nContent-Type: text/html\n\n<p>plain words, enough of them</p>\n"
        '--b\nContent-Type: text/csv\nContent-Disposition: attachment; filename="t.csv"\n\na,b\n1,2\n--b--\n--a--\n',
    )
    letter, table = load(tmp_path, "a.eml", raw)
    assert isinstance(letter, Document)
    assert letter.text.count("plain words") == 1
    assert isinstance(table, Document)
    assert (table.path, table.format) == ("a.eml/t.csv", "csv")


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename=notes.md", "notes.md"),
        ("attachment; filename*=utf-8''%E6%96%87.md", "文.md"),
        ('attachment; filename*0="long "; filename*1=name.md', "long name.md"),
        ('attachment; filename="=?utf-8?B?5paHLm1k?="', "文.md"),
        ('attachment; filename="C:\\\\docs\\\\notes.md"', "notes.md"),
        ('attachment; filename="../../notes.md"', "notes.md"),
        ("attachment", "attachment 1.md"),
    ],
)
def test_names_of_attachments(disposition: str, name: str, tmp_path: Path) -> None:
    raw = _raw(
        "Content-Type: multipart/mixed; boundary=b",
        f"--b\n\nwords\n--b\nContent-Type: text/markdown\nContent-Disposition: {disposition}\n"
        f"Content-Transfer-Encoding: base64\n\n{base64.b64encode(b'# Harbour').decode()}\n--b--\n",
    )
    _, item = load(tmp_path, "a.eml", raw)
    assert isinstance(item, Document)
    assert (item.path, item.title, item.file) == (f"a.eml/{name}", "Harbour", "a.eml")


def test_letters_within_letters(tmp_path: Path) -> None:
    inner = EmailMessage()
    inner["Subject"] = "About the/harbour"
    inner["From"] = "b@example.org"
    inner.set_content("inner words")
    inner.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="t.csv")
    outer = EmailMessage()
    outer["From"] = "a@example.org"
    outer.set_content("outer words")
    outer.add_attachment(inner)
    items = load(tmp_path, "a.eml", outer.as_bytes())
    assert [item.path for item in items] == [
        "a.eml",
        "a.eml/About the-harbour.eml",
        "a.eml/About the-harbour.eml/t.csv",
    ]
    assert isinstance(items[1], Document)
    assert items[1].text.endswith("inner words")


def test_a_delivery_report_says_what_it_says(tmp_path: Path) -> None:
    raw = _raw(
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        "--b\n\nNot delivered.\n--b\nContent-Type: message/delivery-status\n\nAction: failed\nStatus: 5.1.1\n"
        "--b\nContent-Type: text/rfc822-headers\n\nSubject: Harbour\n--b--\n",
    )
    text = document(tmp_path, "a.eml", raw).text
    assert text.endswith("Not delivered.\n\nAction: failed\nStatus: 5.1.1\n\nSubject: Harbour")


def test_uuencoded_files_in_the_text(tmp_path: Path) -> None:
    body = 'before\n\nbegin 644 notes.md\n*(R!(87)B;W5R"@  \n`\nend\n\nafter\n'
    letter, item = load(tmp_path, "a.eml", _raw("Subject: x", body))
    assert isinstance(letter, Document)
    assert isinstance(item, Document)
    assert letter.text.endswith("before\n\n\nafter")
    assert letter.lines is not None
    assert letter.lines.at(letter.text.index("after")) == 11
    assert (item.path, item.text.strip()) == ("a.eml/notes.md", "# Harbour")


def test_flowed_text(tmp_path: Path) -> None:
    kind = "Content-Type: text/plain; charset=utf-8; format=flowed"
    item = document(tmp_path, "a.eml", _raw(kind, " From me \nand you\n> quoted"))
    assert item.text.endswith("\n\nFrom me \nand you\n> quoted")
    item = document(tmp_path, "a.eml", _raw(f"{kind}; delsp=yes", "中文 \n文件\nend"))
    assert item.text.endswith("\n\n中文文件\nend")


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("Content-Type: application/pkcs7-mime; smime-type=enveloped-data", "MIIB"),
        (
            'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b',
            "--b\n\nx\n--b--",
        ),
        ("Subject: x", "-----BEGIN PGP MESSAGE-----\n\nhQEM\n-----END PGP MESSAGE-----\n"),
    ],
)
def test_encrypted_letters_say_so(head: str, body: str, tmp_path: Path) -> None:
    letter, failed = load(tmp_path, "a.eml", _raw(head, body))
    assert isinstance(letter, Document)
    assert letter.text.startswith("From: Anna")
    assert "BEGIN PGP" not in letter.text
    assert isinstance(failed, Failure)
    assert failed.error == "encrypted"


def test_signed_letters_are_read(tmp_path: Path) -> None:
    inner = b"Content-Type: text/plain\r\n\r\nsigned words"
    data = bytes.fromhex("06092a864886f70d010701") + b"\xa0" + bytes([len(inner) + 2, 4, len(inner)]) + inner
    opaque = b"\x30\x82\x01\x00" + bytes.fromhex("06092a864886f70d010702") + b"\xa0\x80\x30\x80" + data
    kind = "Content-Type: application/pkcs7-mime; smime-type=signed-data\nContent-Transfer-Encoding: base64"
    item = document(tmp_path, "a.eml", _raw(kind, base64.b64encode(opaque)))
    assert item.text.endswith("\n\nsigned words")
    clear = "--b\n\nsigned words\n--b\nContent-Type: application/pgp-signature\n\nx\n--b--"
    item = document(tmp_path, "b.eml", _raw("Content-Type: multipart/signed; boundary=b", clear))
    assert item.text.endswith("\n\nsigned words")


@pytest.mark.parametrize(
    "body",
    [
        "--b\n\nfirst\n--b\n\nsecond",  # not closed
        "--b\n\nfirst\n--b--\n--b\n\nafter the end",
        "no delimiter, first",
        "",
    ],
)
def test_letters_in_disorder(body: str, tmp_path: Path) -> None:
    item = document(tmp_path, "a.eml", _raw("Content-Type: multipart/mixed; boundary=b", body))
    assert ("first" in item.text) == ("first" in body)
    assert ("second" in item.text) == ("second" in body)


def test_parts_within_parts_without_end(tmp_path: Path) -> None:
    body = (
        "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(500)) + "\nwords\n"
    )
    item = document(tmp_path, "a.eml", b"From: a@example.org\n" + body.encode())
    assert "words" in item.text


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        ("From: a@example.org\nTo: b@example.org\nSubject: x\n\nwords", "mail"),
        ("Received: x\n by y\nFrom: a@example.org\nDate: z\n\nwords", "mail"),
        ("From a@example.org Mon Jun 01 10:00:00 2009\nSubject: x\n\nwords", "mbox"),
        ("Note: this is no letter\n\nwords", "text"),
        ("HTTP/1.1 200 OK\nDate: x\nServer: y\n\nwords", "text"),
        ("Date: x\nServer: y\nContent-Type: z\nContent-Length: 3\n\nwords", "text"),
        ("from: a\nto: b\nsubject: c\ndate: d\n", "text"),
        ("From: a\nTo: b\nwords that are no field\nSubject: x\n\nwords", "text"),
        ("From the beginning at 10:00 on\n\nwords", "text"),
    ],
)
def test_files_without_a_suffix(text: str, format_: str, tmp_path: Path) -> None:
    [item] = load(tmp_path, "letter", text)
    assert isinstance(item, Document)
    assert item.format == format_


def test_apple_mail_and_saved_pages(tmp_path: Path) -> None:
    letter = b"From: a@example.org\nSubject: Harbour\n\nwords\n"
    item = document(tmp_path, "1.emlx", b"%d \n%s<?xml version='1.0'?><plist/>\n" % (len(letter), letter))
    assert item.text == "From: a@example.org\nSubject: Harbour\n\nwords"
    assert item.lines is not None
    assert item.lines.at(item.text.index("words")) == 5
    page = (
        b"From: <Saved by a browser>\nSubject: x\nDate: Fri, 15 Feb 2008 15:01:15 -0800\n"
        b"Snapshot-Content-Location: https://example.org/p\nContent-Type: multipart/related; boundary=b\n\n"
        b"--b\nContent-Type: text/html; charset=gb2312\nContent-Transfer-Encoding: quoted-printable\n\n"
        b"<title>=D6=D0=CE=C4</title><h1>Harbour</h1>\n--b\nContent-Type: image/png\n"
        b"Content-Location: https://example.org/a.png\n\nx\n--b--\n"
    )
    item = document(tmp_path, "a.mhtml", page)
    assert (item.title, item.text, item.metadata) == (
        "中文",
        "Harbour",
        {"date": "2008-02-15T23:01:15Z", "url": "https://example.org/p"},
    )


def test_an_outlook_file_cut_within_its_last_sector(tmp_path: Path) -> None:
    words = {"__substg1.0_0037001F": "Harbour", "__substg1.0_1000001F": "Text of the letter."}
    whole = write_compound({(name,): text.encode("utf-16-le") for name, text in words.items()})
    assert "Text of the letter." in document(tmp_path, "a.msg", whole + b"rest").text
    # Fewer bytes than a compound file has must not be taken for the name of one.
    secret = tmp_path / "secret.msg"
    secret.write_bytes(whole)
    for content in (str(secret), f"\xd0{secret}"):
        assert "Text of the letter." not in str(load(tmp_path, "b.msg", content.encode("latin-1")))


def test_control_characters_stay_out_of_metadata(tmp_path: Path) -> None:
    page = b"Snapshot-Content-Location: https://\0e\x1b[31m\nContent-Type: text/html\n\n<p>words</p>"
    assert document(tmp_path, "a.mhtml", page).metadata == {"url": "https://e"}


def test_images_of_the_html_are_passed_over_and_others_told(tmp_path: Path) -> None:
    message = EmailMessage()
    message["From"] = "a@example.org"
    message.set_content("<p>words <img src='cid:x'></p>", subtype="html")
    message.add_related(b"image", "image", "png", cid="<x>")
    message.add_attachment(b"image", maintype="image", subtype="png", filename="photo.png")
    letter, photo = load(tmp_path, "a.eml", message.as_bytes())
    assert isinstance(letter, Document)
    assert isinstance(photo, Failure)
    assert (photo.path, photo.error) == ("a.eml/photo.png", "no-text")


def test_attachments_in_a_mailbox_stand_under_their_letter(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Subject"] = "Harbour"
    message.set_content("words")
    message.add_attachment("# Notes", subtype="markdown", filename="notes.md")
    raw = b"From a@example.org Mon Jun 01 10:00:00 2009\n" + message.as_bytes()
    assert [item.path for item in load(tmp_path, "a.mbox", raw + b"\n" + raw)] == [
        "a.mbox/1 Harbour",
        "a.mbox/1 Harbour/notes.md",
        "a.mbox/2 Harbour",
        "a.mbox/2 Harbour/notes.md",
    ]


def test_broken_mail_does_not_raise(tmp_path: Path) -> None:
    chance = random.Random(3)
    message = _new(known(1))
    message.set_content("words\n" * 20, cte="quoted-printable")
    message.add_alternative("<p>words</p>", subtype="html", cte="base64")
    message.add_attachment(b"x" * 500, maintype="application", subtype="zip", filename="a.zip")
    whole = message.as_bytes()
    for name in ("a.eml", "a.mbox", "a.mht", "a.emlx"):
        for _ in range(150):
            broken = bytearray(whole)
            for _ in range(chance.randint(1, 10)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            for item in load(tmp_path, name, bytes(broken[: chance.randrange(1, len(broken))])):
                if isinstance(item, Failure):
                    check_failure(item)
                else:
                    check(item)


def test_a_message_of_the_standard_library_is_not_needed_for_odd_types(tmp_path: Path) -> None:
    message = Message()
    message["From"] = "a@example.org"
    message["Content-Type"] = "text/x-unknown; charset=utf-8"
    message.set_payload("words")
    assert document(tmp_path, "a.eml", message.as_bytes()).text.endswith("words")


def test_compressed_rich_text() -> None:
    """The examples of MS-OXRTFCP, 3.1 and 3.2."""
    first = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert decompressed(first) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    second = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")
    assert decompressed(second) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"


def test_html_within_rich_text() -> None:
    rtf = (
        rb"{\rtf1\ansi\ansicpg936\fromhtml1 {\*\htmltag64 <p>}\htmlrtf {\b \htmlrtf0 caf\'a8\'a6 \u20013?"
        rb"{\*\htmltag84 <b>}\htmlrtf }\htmlrtf0 {\*\htmltag72 </p>}{\*\other hidden}}"
    )
    assert html_in(rtf) == "<p>café 中<b></p>"
    plain = rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 one\par two\tab\'93three\'94 \{x\}}"
    assert html_in(plain) == ""


def _message_of(rtf: bytes) -> bytes:
    """An Outlook letter that has its words in rich text alone."""
    stored = struct.pack("<II4sI", len(rtf) + 12, len(rtf), b"MELA", 0) + rtf
    streams = {
        "__properties_version1.0": b"\0" * 32,
        "__substg1.0_0037001F": "Tea".encode("utf-16-le"),
        "__substg1.0_10090102": stored,
    }
    return write_compound({(name,): data for name, data in streams.items()})


def test_rich_text_of_outlook_keeps_its_structure(tmp_path: Path) -> None:
    rows = rb"\trowd\intbl a\cell b\cell\row\trowd\intbl c\cell d\cell\row\pard"
    item = document(tmp_path, "tea.msg", _message_of(rb"{\rtf1\ansi one\par " + rows + rb" two\par}"))
    assert texts(item)[1:] == [("paragraph", "one"), ("table", "a | b\nc | d"), ("paragraph", "two")]


def test_broken_rich_text_of_outlook_is_told(tmp_path: Path) -> None:
    letter, problem = load(tmp_path, "tea.msg", _message_of(b"no rich text"))
    assert isinstance(letter, Document)
    assert letter.text == "Subject: Tea"
    assert isinstance(problem, Failure)
    assert problem.error == "damaged"


@needs_shared
@pytest.mark.parametrize(
    ("name", "words", "metadata"),
    [
        ("testMSG_chinese.msg", "恭喜 HQ 保全課", {"date": "2011-03-29T08:52:48Z"}),
        ("testMSG_forwarded.msg", "Original Body", {"to": "Paul Allan Hill <paul@metajure.com>"}),
        ("testMSG_Appointment.msg", "Location: under lazy dog\nStart: 2017-02-28T18:30:00Z\nEnd:", {}),
        ("testMSG_Contact.msg", "E-mail: quickbrown@gmail.com", {}),
        ("testMSG_Task.msg", "Due: 2017-03-10T00:00:00Z\nStatus: in progress", {}),
        ("testMSG_StickyNote.msg", "This is a note about the quick brown fox", {}),
        (
            "test-outlook2003.msg",
            "Junk E-mail Filter",
            {"from": "Microsoft Outlook 2003 Team <olteam@microsoft.com>"},
        ),
    ],
)
def test_outlook_items(name: str, words: str, metadata: dict[str, str]) -> None:
    [item] = load_file(SHARED_MAIL / name, path=name)
    assert isinstance(item, Document)
    check(item)
    assert words in item.text
    assert item.metadata.items() >= metadata.items()


@needs_shared
def test_outlook_items_within_items() -> None:
    items = list(load_file(SHARED_MAIL / "testMSG_att_msg.msg", path="a.msg"))
    assert [item.path for item in items] == [
        "a.msg",
        "a.msg/Test Attachment.msg",
        "a.msg/smbprn.00009008.KdcPjl.pdf",
    ]


@needs_shared
def test_broken_outlook_items_do_not_raise(tmp_path: Path) -> None:
    chance = random.Random(4)
    whole = (SHARED_MAIL / "testMSG_StickyNote.msg").read_bytes()
    for _ in range(150):
        broken = bytearray(whole)
        for _ in range(chance.randint(1, 20)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        for item in load(tmp_path, "a.msg", bytes(broken[: chance.randrange(len(broken) // 2, len(broken))])):
            if isinstance(item, Failure):
                check_failure(item)
            else:
                check(item)


@needs_shared
def test_shared_mail_is_read() -> None:
    for file in sorted(SHARED_MAIL.iterdir()):
        first, *rest = load_file(file, path=file.name)
        assert isinstance(first, Document), first
        check(first)
        for item in rest:
            if isinstance(item, Document):
                check(item)
