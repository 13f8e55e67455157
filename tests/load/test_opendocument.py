"""OpenDocument: texts, sheets and slides, zipped and flat."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
import zlib
from pathlib import Path

import odfdo
import pytest

from ragcli.load import load_file
from ragcli.load.parsed import Means
from ragcli.types import Document, Failure

from .known import SEEDS, Known, Piece, check_known, known
from .support import document, failure, load, texts

_BATCHES = [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)]
_SPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in [
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("draw", "drawing"),
        ("style", "style"),
        ("presentation", "presentation"),
        ("svg", "svg-compatible"),
        ("form", "form"),
        ("meta", "meta"),
        ("manifest", "manifest"),
    ]
)
_SPACES += ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'


def _saved(made: odfdo.Document) -> bytes:
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _table(piece: Piece, name: str) -> odfdo.Table:
    table = odfdo.Table(name)
    for cells in piece.rows:
        row = odfdo.Row()
        row.set_values(list(cells))
        table.append_row(row)
    return table


def _element(piece: Piece) -> odfdo.Element:
    if piece.kind == "heading":
        return odfdo.Header(piece.level, piece.text)
    if piece.kind == "list":
        return odfdo.List([row[0] for row in piece.rows])
    if piece.kind == "table":
        return _table(piece, "T")
    return odfdo.Paragraph(piece.text)


@pytest.mark.parametrize("seeds", _BATCHES)
def test_text(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = known(seed)
        made = odfdo.Document("text")
        made.body.clear()
        made.meta.title = content.title
        for piece in content.pieces:
            made.body.append(_element(piece))
        check_known(tmp_path, "a.odt", _saved(made), content, title=True)


@pytest.mark.parametrize("seeds", _BATCHES)
def test_sheets(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = known(seed, ("table",), pages=2)
        made = odfdo.Document("spreadsheet")
        made.body.clear()
        for number, page in enumerate(content.pages, 1):
            made.body.append(_table(page[0], f"Sheet {number}"))
        body = tuple((Piece("table", rows=page[0].rows[1:]),) for page in content.pages)
        item = check_known(tmp_path, "a.ods", _saved(made), Known("", body), paged=True, once=False)
        for page in content.pages:
            header, *rows = page[0].rows
            for at, row in enumerate(rows):
                line = "; ".join(f"{name}: {cell}" for name, cell in zip(header, row, strict=True))
                assert line in item.text
                assert item.lines is not None
                assert item.lines.at(item.text.index(line)) == at + 2


@pytest.mark.parametrize("seeds", _BATCHES)
def test_slides(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        whole = known(seed, pages=2, levels=1)
        pages = tuple(
            tuple(piece for at, piece in enumerate(page) if at == 0 or piece.kind != "heading")
            for page in whole.pages
        )
        made = odfdo.Document("presentation")
        made.body.clear()
        for number, page in enumerate(pages, 1):
            slide = odfdo.DrawPage(f"d{number}", name=f"Part {number}")
            for piece in page:
                if piece.kind == "table":
                    frame = odfdo.Frame(size=("9cm", "9cm"))
                    frame.append(_table(piece, "T"))
                elif piece.kind == "heading":
                    frame = odfdo.Frame.text_frame(odfdo.Paragraph(piece.text), presentation_class="title")
                else:
                    frame = odfdo.Frame.text_frame(_element(piece))
                slide.append(frame)
            made.body.append(slide)
        item = check_known(tmp_path, "a.odp", _saved(made), Known("", pages), paged=True)
        assert item.pages is not None
        assert item.pages.labels == ("Part 1", "Part 2")


def flat_document(kind: str, body: str, rest: str = "") -> str:
    mime = f"application/vnd.oasis.opendocument.{kind}"
    return (
        f'<?xml version="1.0"?><office:document {_SPACES} office:mimetype="{mime}">{rest}'
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document>"
    )


def _zipped(content: str, **others: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("content.xml", content)
        for name, part in others.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), part)
    return out.getvalue()


def test_flat_text_is_told_by_its_content(tmp_path: Path) -> None:
    page = document(tmp_path, "a.xml", flat_document("text", "<text:p>one<text:s text:c='2'/>two</text:p>"))
    assert (page.format, texts(page)) == ("odt", [("paragraph", "one  two")])


def test_notes_and_comments_stand_after_their_paragraph(tmp_path: Path) -> None:
    body = (
        "<text:p>Before<text:note><text:note-citation>1</text:note-citation><text:note-body>"
        "<text:p>A note.</text:p></text:note-body></text:note> after<office:annotation><dc:creator>Ann"
        "</dc:creator><dc:date>2020-01-01</dc:date><text:p>Why?</text:p></office:annotation>.</text:p>"
        "<text:p>Next.</text:p>"
    )
    page = document(tmp_path, "a.fodt", flat_document("text", body))
    assert [words for _, words in texts(page)] == ["Before[1] after.", "[1] A note.", "Ann: Why?", "Next."]


def test_deleted_text_is_left_out_and_inserted_text_is_not(tmp_path: Path) -> None:
    body = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion>"
        "</text:changed-region></text:tracked-changes><text:p>stays <text:change-start/>new</text:p>"
    )
    assert document(tmp_path, "a.fodt", flat_document("text", body)).text == "stays new"


def test_lists_are_numbered_nested_and_go_on(tmp_path: Path) -> None:
    styles = (
        "<office:automatic-styles><text:list-style style:name='L'><text:list-level-style-number "
        "text:level='1' style:num-format='1'/><text:list-level-style-bullet text:level='2'/>"
        "</text:list-style></office:automatic-styles>"
    )
    item = "<text:list-item><text:p>{}</text:p>{}</text:list-item>"
    inner = f"<text:list>{item.format('inner', '')}</text:list>"
    first = f"<text:list text:style-name='L'>{item.format('one', inner)}{item.format('two', '')}</text:list>"
    again = f"<text:list text:style-name='L' text:continue-numbering='true'>{item.format('three', '')}</text:list>"
    body = f"{first}<text:p>Between.</text:p>{again}"
    page = document(tmp_path, "a.fodt", flat_document("text", body, styles))
    assert texts(page) == [
        ("list", "1. one\n  - inner\n2. two"),
        ("paragraph", "Between."),
        ("list", "3. three"),
    ]


def test_headers_and_footers_once_without_page_numbers(tmp_path: Path) -> None:
    page_style = (
        "<style:master-page style:name='{}'><style:header><text:p>The company</text:p></style:header>"
        "<style:footer><text:p>Page <text:page-number>1</text:page-number></text:p></style:footer>"
        "</style:master-page>"
    )
    styles = f"<office:master-styles>{page_style.format('A')}{page_style.format('B')}</office:master-styles>"
    page = document(tmp_path, "a.fodt", flat_document("text", "<text:p>Body.</text:p>", styles))
    assert [words for _, words in texts(page)] == ["Body.", "The company"]


def test_text_boxes_alternative_texts_and_form_fields(tmp_path: Path) -> None:
    body = (
        "<office:forms><form:form><form:text form:id='c1' form:current-value='Alice'/></form:form>"
        "</office:forms><text:p>Figure:<draw:frame><draw:text-box><text:p>In the box</text:p></draw:text-box>"
        "</draw:frame><draw:frame><draw:image xlink:href='http://example.org/a.png'/><svg:desc>A hill"
        "</svg:desc></draw:frame><draw:control draw:control='c1'/></text:p>"
    )
    page = document(tmp_path, "a.fodt", flat_document("text", body))
    assert [words for _, words in texts(page)] == ["Figure:", "In the box", "A hill", "Alice"]


def test_a_document_that_is_one_formula(tmp_path: Path) -> None:
    space = 'xmlns="http://www.w3.org/1998/Math/MathML"'
    math = f"<math {space}><semantics><mi>a</mi><annotation>a over b</annotation></semantics></math>"
    assert document(tmp_path, "a.odf", _zipped(math)).text == "a over b"


def test_pages_where_the_text_marks_them(tmp_path: Path) -> None:
    body = "<text:p>one</text:p><text:soft-page-break/><text:p>two</text:p>"
    page = document(tmp_path, "a.fodt", flat_document("text", body))
    assert page.pages is not None
    assert [page.pages.at(block.start) for block in page.blocks] == [1, 2]


def test_repeated_rows_and_cells_are_bounded_and_counted(tmp_path: Path) -> None:
    empty = '<table:table-row table:number-rows-repeated="1000000"><table:table-cell/></table:table-row>'
    wide = '<table:table-cell table:number-columns-repeated="16000000"/>'
    cell = "<table:table-cell office:value-type='string'><text:p>{}</text:p></table:table-cell>"
    rows = "".join(
        f"<table:table-row>{cell.format(name)}{cell.format(value)}{wide}</table:table-row>{empty}"
        for name, value in (("name", "age"), ("Ann", "31"), ("Bob", "27"))
    )
    page = document(
        tmp_path, "a.fods", flat_document("spreadsheet", f"<table:table table:name='S'>{rows}</table:table>")
    )
    kinds = [
        ("heading", "S"),
        ("table", "name; age"),
        ("table", "name: Ann; age: 31"),
        ("table", "name: Bob; age: 27"),
    ]
    assert texts(page) == kinds
    assert page.lines is not None
    assert page.lines.at(page.text.index("Bob")) == 2_000_003


def test_notes_of_slides_stand_on_their_slide(tmp_path: Path) -> None:
    slide = (
        "<draw:page draw:name='{0}'><draw:frame><draw:text-box><text:p>Body {0}</text:p></draw:text-box>"
        "</draw:frame><draw:frame presentation:class='title'><draw:text-box><text:p>Title {0}</text:p>"
        "</draw:text-box></draw:frame><presentation:notes><draw:page-thumbnail/><draw:frame "
        "presentation:class='notes'><draw:text-box><text:p>Say {0}</text:p></draw:text-box></draw:frame>"
        "</presentation:notes></draw:page>"
    )
    page = document(tmp_path, "a.fodp", flat_document("presentation", slide.format("A") + slide.format("B")))
    assert page.pages is not None
    assert [(page.pages.at(b.start), page.text[b.start : b.end]) for b in page.blocks] == [
        (1, "Title A"),
        (1, "Body A"),
        (1, "Say A"),
        (2, "Title B"),
        (2, "Body B"),
        (2, "Say B"),
    ]


def test_embedded_sheet_is_written_in_place_and_embedded_file_is_a_member(tmp_path: Path) -> None:
    frame = "<draw:frame><draw:object xlink:href='./{}'/></draw:frame>"
    body = f"<text:p>Look:{frame.format('Object 1')}{frame.format('note.txt')}</text:p><text:p>End.</text:p>"
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    row = f"<table:table-row>{cell.format('a')}{cell.format('b')}</table:table-row>"
    inner = flat_document(
        "spreadsheet", f"<table:table table:name='In'>{row}{row.replace('>a<', '>c<')}</table:table>"
    )
    data = _zipped(
        flat_document("text", body), **{"Object 1__content_xml": inner, "note.txt": "A file of its own."}
    )
    whole, member = load(tmp_path, "a.odt", data)
    assert [words for _, words in texts(whole)] == ["Look:", "In", "a: c; b: b", "End."]  # type: ignore[arg-type]
    assert (member.path, member.text) == ("a.odt/note.txt", "A file of its own.")  # type: ignore[union-attr]


def _protected(password: str) -> bytes:
    """As LibreOffice protects it: deflated, then AES-256 in CBC mode, the key by PBKDF2."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    salt, vector = bytes(range(16)), bytes(range(16, 32))
    key = hashlib.pbkdf2_hmac("sha1", hashlib.sha256(password.encode()).digest(), salt, 1000, 32)
    deflating = zlib.compressobj(wbits=-15)
    plain = (
        deflating.compress(flat_document("text", "<text:p>A secret.</text:p>").encode()) + deflating.flush()
    )
    padding = 16 - len(plain) % 16
    closing = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    closed = closing.update(plain + bytes([padding]) * padding) + closing.finalize()
    manifest = (
        f"<manifest:manifest {_SPACES}><manifest:file-entry manifest:full-path='content.xml'>"
        "<manifest:encryption-data><manifest:algorithm manifest:initialisation-vector="
        f"'{base64.b64encode(vector).decode()}' "
        "manifest:algorithm-name='http://www.w3.org/2001/04/xmlenc#aes256-cbc'/>"
        "<manifest:start-key-generation manifest:start-key-generation-name="
        "'http://www.w3.org/2000/09/xmldsig#sha256'/><manifest:key-derivation manifest:key-size='32' "
        f"manifest:iteration-count='1000' manifest:salt='{base64.b64encode(salt).decode()}'/>"
        "</manifest:encryption-data></manifest:file-entry></manifest:manifest>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", closed)
    return out.getvalue()


def test_password(tmp_path: Path) -> None:
    file = tmp_path / "a.odt"
    file.write_bytes(_protected("tulip"))
    for passwords, told in (((), "--password"), (("rose",), "none of")):
        [item] = load_file(file, path="a.odt", means=Means(passwords))
        assert isinstance(item, Failure)
        assert item.error == "encrypted"
        assert told in item.message
    [item] = load_file(file, path="a.odt", means=Means(("rose", "tulip")))
    assert isinstance(item, Document)
    assert item.text == "A secret."


def test_entities_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("top secret")
    flat = flat_document("text", "<text:p>seen &x;&a;</text:p>").replace(
        '<?xml version="1.0"?>',
        f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}"><!ENTITY a "aaaa">]>',
    )
    assert "secret" not in document(tmp_path, "a.fodt", flat).text


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_cut_off_is_damaged(tmp_path: Path, share: float) -> None:
    whole = _zipped(flat_document("text", "<text:p>words</text:p>" * 50))
    assert failure(tmp_path, "a.odt", whole[: int(share * len(whole))]).error == "damaged"
