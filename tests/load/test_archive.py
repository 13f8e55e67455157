"""Archives as folders: what is in them comes out once, named safely, within limits."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import stat
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from ragcli.load import Means, load_file
from ragcli.load import file as loading
from ragcli.load.archive import pieces
from ragcli.types import Document, Failure

from .known import SEEDS, known
from .support import SHARED, check, check_failure, load

FILES = {
    "a.md": b"# Harbour\n\nwords of a",
    "folder/b.txt": b"words of b",
    "c/\xe6\x96\x87.txt": b"words of c",
}
NAMED = {name.encode("latin-1").decode() if "\xe6" in name else name: data for name, data in FILES.items()}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w:gz", form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def seven_zipped(files: dict[str, bytes], password: str | None = None) -> bytes:
    import py7zr

    out = io.BytesIO()
    filters = [{"id": py7zr.FILTER_DEFLATE}]
    with py7zr.SevenZipFile(out, "w", filters=None if password else filters, password=password) as archive:
        for name, data in files.items():
            archive.writestr(data, name)
    return out.getvalue()


def contents(folder: Path, name: str, data: bytes) -> dict[str, str]:
    """Path → text of all that is in it; nothing fails."""
    found = {}
    for item in load(folder, name, data):
        assert isinstance(item, Document), item
        check(item)
        assert item.file == name
        found[item.path] = item.text
    return found


def failures(folder: Path, name: str, data: bytes) -> dict[str, str]:
    """Path → error of all that could not be read."""
    items = [item for item in load(folder, name, data) if isinstance(item, Failure)]
    for item in items:
        check_failure(item)
    return {item.path: item.error for item in items}


_WRITERS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "a.zip": zipped,
    "stored.zip": lambda files: zipped(files, zipfile.ZIP_STORED),
    "bz2.zip": lambda files: zipped(files, zipfile.ZIP_BZIP2),
    "a.tar": lambda files: tarred(files, "w:"),
    "ustar.tar": lambda files: tarred(files, "w:", tarfile.USTAR_FORMAT),
    "gnu.tar": lambda files: tarred(files, "w:", tarfile.GNU_FORMAT),
    "a.tar.gz": tarred,
    "a.tgz": tarred,
    "a.tar.bz2": lambda files: tarred(files, "w:bz2"),
    "a.tar.xz": lambda files: tarred(files, "w:xz"),
    "a.7z": seven_zipped,
    "no suffix": tarred,
    "really a zip.7z.tar": lambda files: tarred(files, "w:xz"),
}


@pytest.mark.parametrize("name", _WRITERS)
def test_each_kind_gives_its_files(name: str, tmp_path: Path) -> None:
    found = contents(tmp_path, name, _WRITERS[name](NAMED))
    assert found == {f"{name}/{inner}": data.decode() for inner, data in NAMED.items()}


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz", "a.tar.bz2", "a.tar.xz", "a.7z"])
def test_generated_archives(name: str, tmp_path: Path) -> None:
    for seed in SEEDS[:: 4 if name == "a.7z" else 1]:  # whose writing takes its time
        chance = random.Random(seed)
        files = {
            f"{'folder/' * chance.randint(0, 3)}{number}{'é' * (chance.random() < 0.3)}.txt": "\n\n".join(
                piece.text for piece in known(seed * 7 + number, ("paragraph",)).pieces
            ).encode()
            for number in range(4 if name == "a.7z" else chance.randint(1, 4))
        }
        found = contents(tmp_path, name, _WRITERS[name](files))
        assert found == {f"{name}/{inner}": data.decode() for inner, data in files.items()}


@pytest.mark.parametrize("pack", [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_a_single_packed_file_loses_its_suffix(
    pack: tuple[str, Callable[[bytes], bytes]], tmp_path: Path
) -> None:
    suffix, compress = pack
    twice = compress(b"# Harbour\n") + compress(b"words")  # streams that follow one another are one file
    [item] = load(tmp_path, f"notes.md.{suffix}", twice)
    assert isinstance(item, Document)
    assert (item.path, item.format, item.text) == (
        f"notes.md.{suffix}/notes.md",
        "markdown",
        "# Harbour\nwords",
    )


def test_what_a_folder_walk_passes_over_is_passed_over(tmp_path: Path) -> None:
    names = [".hidden", "__MACOSX/._a.txt", "x/.git/config", "__pycache__/a.pyc", ".DS_Store", "kept.txt"]
    files = dict.fromkeys(names, b"words")
    for name in ("a.zip", "a.tgz", "a.7z"):
        assert list(contents(tmp_path, name, _WRITERS[name](files))) == [f"{name}/kept.txt"]


def test_names_do_not_lead_out(tmp_path: Path) -> None:
    files = {
        "/etc/passwd.txt": b"one",
        "../../up.txt": b"two",
        "..\\back.txt": b"three",
        "a/../b.txt": b"four",
    }
    for name in ("a.zip", "a.tgz"):
        found = contents(tmp_path, name, _WRITERS[name](files))
        inner = {"etc/passwd.txt": "one", "up.txt": "two", "back.txt": "three", "a/b.txt": "four"}
        assert found == {f"{name}/{path}": text for path, text in inner.items()}


def test_members_of_the_same_name_are_all_read(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "one")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.txt", "two")
    assert contents(tmp_path, "a.zip", out.getvalue()) == {"a.zip/a.txt": "one", "a.zip/a (2).txt": "two"}


def test_links_and_devices_are_left_out(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, kind in (("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("null", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("kept.txt")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"words"))
    assert contents(tmp_path, "a.tgz", out.getvalue()) == {"a.tgz/kept.txt": "words"}
    with zipfile.ZipFile(out := io.BytesIO(), "w") as archive_:
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive_.writestr(link, "/etc/passwd")
        archive_.writestr("kept.txt", "words")
    assert contents(tmp_path, "a.zip", out.getvalue()) == {"a.zip/kept.txt": "words"}


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "shift_jis"])
def test_names_in_the_packer_s_own_encoding(encoding: str, tmp_path: Path) -> None:
    name = {"shift_jis": "テスト文書のファイル.txt"}.get(encoding, "审计文件检索测试.txt")
    raw = name.encode(encoding)
    # zipfile marks such names as UTF-8: the mark and the name are written anew.
    data = zipped({"x" * len(raw): b"words"}).replace(b"x" * len(raw), raw)
    assert contents(tmp_path, "a.zip", data) == {f"a.zip/{name}": "words"}
    tar = tarred({"x" * len(raw): b"words"}, "w:")
    head = bytearray(tar[:512].replace(b"x" * len(raw), raw))
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    assert contents(tmp_path, "a.tar", bytes(head) + tar[512:]) == {f"a.tar/{name}": "words"}


def test_archives_within_archives(tmp_path: Path) -> None:
    inner = tarred({"deep/a.txt": b"words"})
    data = seven_zipped({"in.zip": zipped({"in.tgz": inner})})
    assert contents(tmp_path, "a.7z", data) == {"a.7z/in.zip/in.tgz/deep/a.txt": "words"}


def test_an_archive_that_goes_too_deep(tmp_path: Path) -> None:
    data = b"words"
    for depth in range(10):
        data = zipped({"a.zip": data, "beside.txt": f"beside {depth}".encode()})
    items = load(tmp_path, "a.zip", data)
    assert [item.error for item in items if isinstance(item, Failure)] == ["too-deep"] * 2
    assert len(items) > 5


@pytest.mark.skipif(not (SHARED / "files").is_dir(), reason="the shared files are not here")
@pytest.mark.parametrize("name", ["droste.zip", "quine.gz"])
def test_an_archive_that_contains_itself(name: str) -> None:
    items = list(load_file(SHARED / "files" / "nasty-archive" / name, path=name))
    assert "it contains itself" in [item.message for item in items if isinstance(item, Failure)]


@pytest.mark.parametrize("name", ["a.zip", "a.7z"])
def test_passwords(name: str, tmp_path: Path) -> None:
    if name == "a.7z":
        data = seven_zipped({"a.txt": b"words that are hidden"}, password="right")
    else:
        data = _encrypted_zip(b"words that are hidden", b"right")
    file = tmp_path / name
    file.write_bytes(data)
    for passwords, told in (((), "needs a password"), (("wrong", "also wrong"), "none of the passwords")):
        [failed] = load_file(file, path=name, means=Means(passwords))
        assert isinstance(failed, Failure)
        assert failed.error == "encrypted"
        assert told in failed.message
        assert "--password" in failed.message
    [item] = load_file(file, path=name, means=Means(("wrong", "right")))
    assert isinstance(item, Document)
    assert item.text == "words that are hidden"


def _encrypted_zip(data: bytes, password: bytes) -> bytes:
    """A zip archive with the old encryption (APPNOTE.TXT 6.1), which zipfile reads but does not write."""
    plain = zipped({"a.txt": data}, zipfile.ZIP_STORED)
    crc = zlib.crc32(data)
    table = [_crc_step(number) for number in range(256)]
    key = [0x12345678, 0x23456789, 0x34567890]

    def update(byte: int) -> None:
        key[0] = key[0] >> 8 ^ table[(key[0] ^ byte) & 0xFF]
        key[1] = ((key[1] + (key[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        key[2] = key[2] >> 8 ^ table[(key[2] ^ key[1] >> 24) & 0xFF]

    for byte in password:
        update(byte)
    sealed = bytearray()
    for byte in bytes(11) + bytes([crc >> 24]) + data:
        mask = key[2] | 2
        sealed.append(byte ^ (mask * (mask ^ 1) >> 8 & 0xFF))
        update(byte)
    body = plain.replace(data, bytes(sealed))
    size = struct.pack("<LL", len(sealed), len(data))
    old = struct.pack("<LL", len(data), len(data))
    marked = bytearray(body.replace(old, size))
    marked[6] |= 1
    directory = marked.index(b"PK\x01\x02")
    marked[directory + 8] |= 1
    end = marked.index(b"PK\x05\x06")
    marked[end + 16 : end + 20] = struct.pack("<L", directory)
    return bytes(marked)


def _crc_step(number: int) -> int:
    for _ in range(8):
        number = number >> 1 ^ 0xEDB88320 if number & 1 else number >> 1
    return number


_LONG = {f"{number}.txt": (f"words of {number} " * 200).encode() for number in range(8)}


@pytest.mark.parametrize("name", ["a.zip", "stored.zip", "a.tar", "a.tgz", "a.tar.bz2", "a.tar.xz"])
def test_of_an_archive_cut_short_the_rest_comes(name: str, tmp_path: Path) -> None:
    chance = random.Random(1)
    files = {f"{number}.txt": chance.randbytes(3000).hex().encode() for number in range(8)}
    whole = _WRITERS[name](files)
    items = load(tmp_path, name, whole[: len(whole) * 6 // 10])
    got = [item for item in items if isinstance(item, Document)]
    assert len(got) >= (0 if name.endswith(("bz2", "xz")) else 4)
    for item in got:
        assert files[item.path.rpartition("/")[2]].startswith(item.text.encode())
    assert "damaged" in [item.error for item in items if isinstance(item, Failure)]


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zst"])
def test_of_a_broken_stream_what_stands_before_the_break_comes(suffix: str, tmp_path: Path) -> None:
    second = bytearray(packed(suffix, random.Random(1).randbytes(3000).hex().encode()))
    second[len(second) // 2 :] = bytes(len(second) - len(second) // 2)
    page, failure = load(tmp_path, f"a.txt.{suffix}", packed(suffix, b"words that came through") + second)
    assert isinstance(page, Document)
    assert page.text.startswith("words that came through")
    assert isinstance(failure, Failure)
    assert failure.error == "damaged"


def packed(suffix: str, data: bytes) -> bytes:
    if suffix == "zst":
        zstd = pytest.importorskip("backports.zstd" if sys.version_info < (3, 14) else "compression.zstd")
        packed: bytes = zstd.compress(data)
        return packed
    return {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[suffix](data)


def test_a_tar_archive_with_a_broken_header_says_so(tmp_path: Path) -> None:
    whole = bytearray(tarred(_LONG, "w:"))
    at = whole.index(b"4.txt")
    whole[at : at + 100] = b"\xff" * 100
    items = load(tmp_path, "a.tar", bytes(whole))
    assert len([item for item in items if isinstance(item, Document)]) == 4
    assert [item.error for item in items if isinstance(item, Failure)] == ["damaged"]


def test_a_broken_member_does_not_take_the_others(tmp_path: Path) -> None:
    whole = bytearray(zipped(_LONG))
    at = whole.index(b"3.txt") + 20
    whole[at : at + 4] = b"\xff\xff\xff\xff"
    items = load(tmp_path, "a.zip", bytes(whole))
    good = {item.path for item in items if isinstance(item, Document)}
    assert good >= {f"a.zip/{number}.txt" for number in range(8) if number != 3}
    [failed] = [item for item in items if isinstance(item, Failure)]
    assert (failed.error, "3.txt" in failed.message) == ("damaged", True)


@pytest.mark.parametrize("name", ["a.zip", "a.tgz", "a.tar.xz", "a.7z"])
def test_a_bomb_is_not_unpacked(name: str, tmp_path: Path) -> None:
    size = 25_000_000 if ".t" in name else 110_000_000
    data = _WRITERS[name]({"a.txt": b"words", "bomb.txt": bytes(size), "z.txt": b"more"})
    items = load(tmp_path, name, data)
    assert [item.text for item in items if isinstance(item, Document)] == ["words", "more"]
    [failed] = [item for item in items if isinstance(item, Failure)]
    assert (failed.path, failed.error) == (f"{name}/bomb.txt", "too-large")
    assert "MB" in failed.message


@pytest.mark.parametrize("pack", [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_a_bomb_alone(pack: tuple[str, Callable[[bytes], bytes]], tmp_path: Path) -> None:
    suffix, compress = pack
    assert failures(tmp_path, f"a.txt.{suffix}", compress(bytes(25_000_000))) == {
        f"a.txt.{suffix}": "too-large"
    }


def test_a_member_larger_than_its_directory_says(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.txt": bytes(30_000_000)}))
    size = struct.pack("<L", 30_000_000)
    data = data.replace(size, struct.pack("<L", 100))
    assert failures(tmp_path, "a.zip", bytes(data)) == {"a.zip/a.txt": "too-large"}


def test_members_that_overlap_are_read_once(tmp_path: Path) -> None:
    """As David Fifield's "better zip bomb" has it: many entries of the directory for the same bytes."""
    plain = zipped({"a.txt": b"words " * 1000})
    directory = plain.index(b"PK\x01\x02")
    end = plain.index(b"PK\x05\x06")
    entry = plain[directory:end]
    entries = b"".join(entry.replace(b"a.txt", b"%05d" % number) for number in range(50))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 50, 50, len(entries), directory, 0)
    items = load(tmp_path, "a.zip", plain[:directory] + entries + tail)
    assert len([item for item in items if isinstance(item, Document)]) == 1
    [failed] = [item for item in items if isinstance(item, Failure)]
    assert "49 members overlap" in failed.message


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz", "a.tar.xz", "a.7z"])
def test_a_file_has_a_limit_for_all_that_lies_within(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "_MOST_BYTES", 1_000_000)
    chance = random.Random(1)
    files = {f"{number}.txt": chance.randbytes(100_000).hex().encode() for number in range(8)}
    items = load(tmp_path, f"outer.{name}", _WRITERS[name](files))
    errors = [item for item in items if isinstance(item, Failure)]
    assert [item.error for item in errors] == ["too-large"]
    assert "more than 1 MB" in errors[0].message
    assert name == "a.7z" or len(items) > 3


def test_an_archive_of_many_files_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_MOST_MEMBERS", 5)
    items = load(tmp_path, "a.zip", zipped(_LONG))
    assert len([item for item in items if isinstance(item, Document)]) == 5
    assert [item.error for item in items if isinstance(item, Failure)] == ["too-large"]


def test_absurd_headers_are_refused(tmp_path: Path) -> None:
    long_name = tarfile.TarInfo("././@LongLink")
    long_name.type, long_name.size = tarfile.GNUTYPE_LONGNAME, 50_000_000
    data = gzip.compress(long_name.tobuf(tarfile.GNU_FORMAT) + bytes(50_000_000))
    assert failures(tmp_path, "a.tgz", data) == {"a.tgz": "damaged"}
    lzma2 = bytearray(seven_zipped({"a.txt": b"words " * 100}))
    assert failures(tmp_path, "a.7z", bytes(lzma2[:40])) == {"a.7z": "damaged"}


@pytest.mark.parametrize("suffix", ["zip", "tar", "tgz", "gz", "bz2", "xz", "7z"])
def test_nothing_makes_it_raise(suffix: str, tmp_path: Path) -> None:
    chance = random.Random(2)
    writers = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
    single = writers.get(suffix)
    whole = single(b"words " * 500) if single else _WRITERS[f"a.{suffix}"](_LONG)
    for _ in range(150):
        broken = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        if chance.random() < 0.3:
            del broken[chance.randrange(len(broken)) :]
        for item in load(tmp_path, f"a.{suffix}", bytes(broken)):
            if isinstance(item, Failure):
                check_failure(item)
            else:
                check(item)


def test_memory_for_a_dictionary_is_limited() -> None:
    assert pieces.MOST_OF_A_MEMBER <= 200_000_000
    from ragcli.load.archive.sevenzip import _memory_of

    assert _memory_of(b"\x21", bytes([40])) > 2 << 30
    assert _memory_of(b"\x21", bytes([18])) == 1 << 21
