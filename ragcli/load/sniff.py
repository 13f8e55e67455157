"""What the content of a file says about its format, where that is surer than its name."""

from __future__ import annotations

import io
import re
import zipfile

from ragcli.load.archive.zipentries import local_entries
from ragcli.load.code.shebang import language_of_shebang
from ragcli.load.office.ole import MAGIC as OLE
from ragcli.load.office.ole import ole_kind

_MAGIC = (
    (b"%PDF-", "pdf"),
    (b"{\\rtf", "rtf"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
)
_ZIP = b"PK\x03\x04"
# Excel 2 to 4 wrote no container: the stream begins with its BOF record, [MS-XLS] 2.4.21 and before.
_BIFF = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08\x08\x00\x00\x05")
_MIMETYPES = {
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.oasis.opendocument.graphics": "odg",
    "application/vnd.oasis.opendocument.formula": "odf",
    "application/epub+zip": "epub",
}
_OOXML = (("word/", "docx"), ("ppt/", "pptx"), ("xl/", "xlsx"))
_FLAT = re.compile(rb"<pkg:package\b.*?pkg:name=[\"']/(word|ppt|xl)/", re.DOTALL)
# What is packed this way may be a format of its own, which a name that is not read tells.
_PACKED = (
    (b"\x1f\x8b\x08", "gz"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
)
_USTAR_AT = 257
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
_HEAD = 16_384
_MBOX = re.compile(rb"From (?=[^\n]*\d\d:\d\d)[^\n]*\b\d{4}\b[^\n]*\r?\n(?:[!-9;-~]+:|\r?\n)")
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:|[ \t]")
_ENOUGH = 3
_KNOWN_FIELDS = """
From To Subject Date Sent Cc Received Message-ID Message-Id MIME-Version Mime-Version Return-Path
Delivered-To Newsgroups
"""
# The roots of office files that are a single XML; their prefix may be any.
_ROOTS = (
    (re.compile(rb"<\w+:wordDocument\b"), "wordml"),
    (re.compile(rb"<(?:\w+:)?Workbook\b[^>]*urn:schemas-microsoft-com:office:spreadsheet"), "spreadsheetml"),
)
_FLAT_ODF = re.compile(rb"<office:document\b[^>]*office:mimetype\s*=\s*[\"']([\w./+-]+)")
_ODF_KINDS = {b"text": "odt", b"spreadsheet": "ods", b"presentation": "odp", b"graphics": "odg"}


def sniff(data: bytes, named: str | None) -> str | None:
    """The format that the content tells, else ``named``, what the name told (None: nothing)."""
    for magic, format_ in _MAGIC:
        if data.startswith(magic):
            return format_
    if data.startswith(OLE):
        return _ole(data, named)
    if data.startswith(_ZIP):
        kind = zip_kind(data)
        # Many formats are zips that are told apart by their names alone.
        return named if kind == "zip" and named not in {None, "text"} else kind
    if data.startswith(_BIFF):
        return "xls"
    flat = _FLAT.search(data[:_HEAD]) if data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") else None
    if flat:
        return {b"word": "docx", b"ppt": "pptx"}.get(flat[1], "xlsx")
    if office := _office_xml(data[:_HEAD]):
        return office
    if named == "unsupported":
        return named
    return _packed(data) or named or language_of_shebang(data) or _mail(data)


def _mail(data: bytes) -> str | None:
    """Begins with the fields of a letter: all its lines are fields up to a blank one, and it is from someone.

    Settings in YAML and the heads of HTTP answers look alike, so only well-known fields count.
    """
    head = data[:_HEAD]
    if _MBOX.match(head):
        return "mbox"
    lines = head.partition(b"\n\n")[0].partition(b"\r\n\r\n")[0].split(b"\n")
    if len(head) == _HEAD:
        lines.pop()  # it may be cut in two
    if not lines or not all(_FIELD.match(line) for line in lines) or lines[0][:1].isspace():
        return None
    names = {line.split(b":")[0].strip().decode("ascii") for line in lines if not line[:1].isspace()}
    known = len(names.intersection(_KNOWN_FIELDS.split()))
    return "mail" if known >= _ENOUGH and "From" in names else None


def zip_kind(data: bytes) -> str:
    """What a zip file is, by the names of its members and its ``mimetype``; else ``zip``."""
    names, mimetype = _members(data)
    for known, format_ in _MIMETYPES.items():
        if mimetype == known or mimetype == f"{known}-template":
            return format_
    # Names are compared in lower case and with slashes: some writers keep neither.
    plain = [name.replace("\\", "/").lstrip("/").lower() for name in names]
    if "[content_types].xml" in plain or "_rels/.rels" in plain:
        for folder, format_ in _OOXML:
            if any(name.startswith(folder) for name in plain):
                return format_
    return "zip"


def _members(data: bytes) -> tuple[list[str], str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            names = opened.namelist()
            mimetype = ""
            if "mimetype" in names:
                with opened.open("mimetype") as member:
                    mimetype = member.read(200).decode("latin-1").strip()
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        return _members_of_broken(data)
    return names, mimetype


def _members_of_broken(data: bytes) -> tuple[list[str], str]:
    entries = list(local_entries(data))
    first = data[entries[0].start : entries[0].end][:200] if entries else b""
    mimetype = first.decode("latin-1").strip() if entries and entries[0].name == "mimetype" else ""
    return [entry.name for entry in entries], mimetype


def _ole(data: bytes, named: str | None) -> str | None:
    kind = ole_kind(data)
    if kind == "ooxml" and named in {"docx", "pptx", "xlsx"}:
        return named
    return kind or named


def _packed(data: bytes) -> str | None:
    for magic, format_ in _PACKED:
        if data.startswith(magic):
            return format_
    if _BZIP2.match(data):
        return "bz2"
    if data[_USTAR_AT : _USTAR_AT + 5] == b"ustar":
        from ragcli.load.archive.tar import is_tar

        return "tar" if is_tar(data) else None
    return None


def _office_xml(head: bytes) -> str | None:
    """The format of an office file in one XML: Word or Excel 2003, or flat OpenDocument."""
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return None
    for root, format_ in _ROOTS:
        if root.search(head):
            return format_
    flat = _FLAT_ODF.search(head)
    kind = flat[1].rpartition(b".")[2].removesuffix(b"-template") if flat else b""
    return _ODF_KINDS.get(kind)
