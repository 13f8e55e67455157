from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.load import CannotRead, decode
from ragcli.load.encoding import looks_binary

from .languages import LEGACY, passage

SHORT = [
    ("gb18030", "你好，世界"),
    ("gb18030", "本文介绍如何配置服务器。"),
    ("gb18030", "订单编号: 123"),
    ("gb18030", "名称,价格\n苹果,3\n"),
    ("gb18030", "重要通知 Important notice 请注意"),
    ("gb18030", "产品X100的电池寿命为12小时"),
    ("big5", "這是繁體中文的測試文件，請檢查編碼。"),
    ("cp932", "これは日本語のテストです。"),
    ("cp932", "データベースの設定方法について説明します。"),
    ("euc_jp", "これは日本語のテストです。"),
    ("cp949", "이것은 한국어 시험입니다."),
    ("cp949", "안녕하세요"),
    ("cp1252", "Größe für Straße und Tür"),
    ("cp1252", "Le café est fermé à Noël"),
    ("cp1252", "Éclair à la crème brûlée"),
    ("cp1252", "El niño comió piñas. ¿Qué pasó?"),
    ("cp1252", "São Paulo é a maior cidade"),
    ("cp1252", "naïve"),
    ("cp1252", "Price: 5 €"),
    ("cp1251", "Привет, мир"),
    ("koi8-r", "Это тестовый файл на русском языке."),
    ("cp866", "Однажды, в студеную зимнюю пору"),
    ("cp1253", "Αυτό είναι ένα αρχείο δοκιμής στα ελληνικά"),
    ("cp1250", "Zażółć gęślą jaźń"),
    ("cp1256", "هذا ملف اختبار باللغة العربية"),
    ("cp500", "The quick brown fox jumps over the lazy dog, twice."),
]


@pytest.mark.parametrize(("name", "text"), SHORT)
def test_short_legacy_text_comes_right(name: str, text: str) -> None:
    assert decode(text.encode(name))[0] == text


@pytest.mark.parametrize(("name", "language"), LEGACY)
def test_legacy_encodings_are_told_apart(name: str, language: str) -> None:
    for size, share in ((30, 0.8), (100, 0.98), (1000, 1.0)):
        chance = random.Random(size)
        texts = [passage(language, name, size, chance) for _ in range(50 if size < 1000 else 10)]
        right = [text for text in texts if decode(text.encode(name))[0] == text]
        assert len(right) >= share * len(texts), size


@pytest.mark.parametrize("name", ["utf-8-sig", "utf-16", "utf-32"])
def test_marks_are_believed_and_removed(name: str) -> None:
    assert decode("é 世界\n".encode(name))[0] == "é 世界\n"


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["hello world\r\n", "这是一个测试文件\n这是第二行", "Grüße aus Köln\n"])
def test_utf16_without_a_mark(name: str, text: str) -> None:
    assert decode(text.encode(name)) == (text, name)
    assert not looks_binary(text.encode(name), named_as_text=False)


def test_utf8_with_a_few_broken_bytes_stays_utf8() -> None:
    data = "依赖项是固定的函数".encode() + b"\xff" + "或类，也可以参数化。".encode()
    assert decode(data) == ("依赖项是固定的函数\ufffd或类，也可以参数化。", "utf-8")


def test_late_first_foreign_character_in_a_long_file() -> None:
    text = "plain ascii line\n" * 3000 + "Der Schlüssel fällt unter die Tür.\n" * 3
    assert decode(text.encode("cp1252"))[0] == text


def test_stray_bytes_in_ascii_cost_only_themselves() -> None:
    data = b"plain words " * 20 + b"\x9d\x81" + b" go on" * 20
    assert decode(data)[0] == "plain words " * 20 + "\ufffd\ufffd" + " go on" * 20


def test_nothing_fits() -> None:
    with pytest.raises(CannotRead) as caught:
        decode(bytes(range(0x80, 0x100)) * 3)
    assert caught.value.error == "encoding"


@given(st.text())
def test_utf8_is_always_taken_as_such(text: str) -> None:
    assert decode(text.encode() + "€".encode())[0].endswith("€") or "\0" in text or text.startswith("\ufeff")


@given(st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"]), min_size=1))
def test_utf8_round_trip(text: str) -> None:
    if not text.startswith("\ufeff"):
        assert decode(text.encode()) == (text, "utf-8")


@given(st.binary(max_size=400))
def test_decode_gives_text_or_says_that_it_cannot(data: bytes) -> None:
    try:
        text, name = decode(data)
    except CannotRead:
        return
    assert name
    text.encode("utf-8")


@pytest.mark.parametrize(
    ("data", "named", "binary"),
    [
        (b"plain text", False, False),
        (b"", False, False),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\xff", True, True),
        (b"text with one \0 in it", False, True),
        (b"text with one \0 in it", True, False),
        (bytes(range(256)), True, True),
        ("日本語".encode("cp932"), False, False),
        (b"\x1b[31mred\x1b[0m log line\n", False, False),
    ],
)
def test_looks_binary(data: bytes, named: bool, binary: bool) -> None:
    assert looks_binary(data, named_as_text=named) is binary
