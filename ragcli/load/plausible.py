"""How plausible a decoded text is: the judge between legacy encodings.

Each character that is not ASCII earns between -1 (never seen in such text) and 1 (typical of it),
from its class and its neighbours; the mean decides. A wrong multi-byte decoding gives rare
ideographs, a wrong single-byte decoding gives letters and case in impossible places.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

CANDIDATES = (
    "gb18030",
    "big5",
    "cp932",
    "euc_jp",
    "cp949",
    "cp1252",
    "cp1250",
    "iso8859_2",
    "cp1254",
    "cp1251",
    "koi8-r",
    "cp866",
    "cp1253",
    "cp1255",
    "cp1256",
    "cp500",
)

_HAN_COMMON = frozenset(
    "的一是不了在人有我他这中大来上国和地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事"
    "成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日军者意无力它与长把机十民"
    "第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西"
    "斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活"
    "尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决"
    "治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术"
    "這個們來說時會過後國學對發開關問題應請檔測試業務員費號電話無與為從動長現實點間經機將還進東車書見馬龍語"
    "文档配置数据索引服务器系统使用安装运行测试文件用户信息网络编码格式内容标题段落答案检索"
)
_CJK_MARKS = frozenset("，。、：；？！“”‘’（）《》「」『』【】…—·　～％")
_TYPOGRAPHY = frozenset("’‘“”„‚–—…€£°«»©®•§¿¡ \xa0")
# The letters beyond ASCII of each language that is written in an encoding; those of one text are of one.
_WESTERN = (
    "àâæçéèêëîïôœùûüÿ",
    "äöüß",
    "áéíóúüñ",
    "áâãàçéêíóôõú",
    "àèéìíòóùú",
    "æøåéó",
    "åäöé",
    "áðéíóúýþæö",
    "éëïöüèó",
)
_CENTRAL = ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíľĺňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž")
_TURKISH = ("çğıİöşüâî",)
_MIXED = 0.85  # what a text earns at most that is of no one language
_FOREIGN_FEW = 4
_SYLLABLES = frozenset(
    "이다는에의가을를은로고하지도서리기사자아나어한시라인그대스해으여일있들부전수정것게보만제과와면상주장안구성"
    "네거없내요니까습때문마모소오우원유적중치트파터데조경국공계관동물방법비생선설실신심야연영용위음재저절점종진"
    "차체출통표학행현호화확회후된된되됩입합않를녕세험오두며던므로된년월분초번호품명개업무작업환경변경"
)
_BOX = re.compile(r"[\u2500-\u259f]")
_HIGH = re.compile(r"[^\x00-\x7f]")


def plausibility(text: str, encoding: str) -> float:
    """The mean over the non-ASCII characters of ``text``, decoded with ``encoding``; 0 without any.

    ``encoding`` is one of CANDIDATES, or ``utf-16`` for text beyond Latin in it.
    """
    if encoding == "cp500":
        return _ebcdic(text)
    padded = f" {text} "
    places = [found.start() for found in _HIGH.finditer(padded)]
    if not places:
        return 0.0
    if encoding in _LATIN:
        return _latin(padded, places, _LATIN[encoding])
    judge = _JUDGES[encoding]
    mean = sum(judge(padded, at) for at in places) / len(places)
    if encoding in _SCRIPTS and len(places) < _FOREIGN_FEW:
        # A letter or two of another script amid Latin words are an accented letter misread.
        ascii_letters = sum(map(_is_ascii_letter, padded))
        return mean * 0.3 if ascii_letters > 2 * len(places) else mean
    return mean


def _ebcdic(text: str) -> float:
    # Most of EBCDIC text is ASCII once decoded, so that all characters count.
    good = sum(
        char.isalnum() or char in " \n\r\x85.,;:-'\"()<>/="
        for char in text
        if char < "\x7f" or char == "\x85"
    )
    spaces = text.count(" ") / max(1, len(text))
    return 2 * good / len(text) - 1.05 if text and 0.05 < spaces < 0.5 else -1.0


def _broken_or_private(char: str) -> bool:
    return char == "\ufffd" or "\x80" <= char <= "\x9f" or "\ue000" <= char <= "\uf8ff" or char > "\uffff"


@cache
def _level_one(codec: str, first: int, last: int) -> frozenset[str]:
    """The everyday ideographs of a national standard, which come first in it."""
    pairs = (bytes((high, low)) for high in range(first, last + 1) for low in range(0x40, 0xFF))
    return frozenset("".join(pair.decode(codec, "ignore") for pair in pairs if pair[1] != 0x7F))


def _han(char: str, everyday: frozenset[str]) -> float:
    if char in _HAN_COMMON:
        return 1.0
    return 0.55 if char in everyday else -0.4


def _is_han(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff"


def _is_kana(char: str) -> bool:
    return "\u3041" <= char <= "\u309f" or "\u30a1" <= char <= "\u30ff"


def _between_letters(text: str, at: int) -> bool:
    return _is_ascii_letter(text[at - 1]) or _is_ascii_letter(text[at + 1])


def _is_ascii_letter(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _chinese(text: str, at: int, everyday: frozenset[str]) -> float:
    char = text[at]
    if _is_han(char):
        # A single ideograph stuck to Latin letters is an accented letter misread.
        alone = _between_letters(text, at) and not (_HIGH.match(text[at - 1]) or _HIGH.match(text[at + 1]))
        return _han(char, everyday) - (1.0 if alone else 0.0)
    if char in _CJK_MARKS or "\uff01" <= char <= "\uff5e":
        return 0.8
    if _broken_or_private(char):
        return -2.0
    return 0.0 if "\u2010" <= char <= "\u32ff" and not _is_kana(char) else -0.5


def _simplified(text: str, at: int) -> float:
    return _chinese(text, at, _level_one("gb2312", 0xB0, 0xD7))


def _traditional(text: str, at: int) -> float:
    return _chinese(text, at, _level_one("big5", 0xA4, 0xC6))


def _japanese(text: str, at: int) -> float:
    char = text[at]
    if _is_kana(char):
        return 1.0
    if _is_han(char):
        return _han(char, _level_one("euc_jp", 0xB0, 0xCF)) - 0.25
    if char in _CJK_MARKS or "\uff01" <= char <= "\uff5e":
        return 0.8
    return -2.0 if _broken_or_private(char) else -0.7


def _korean(text: str, at: int) -> float:
    char = text[at]
    if "\uac00" <= char <= "\ud7a3":
        return 1.0 if char in _SYLLABLES else 0.2
    if char in _CJK_MARKS:
        return 0.8
    return -2.0 if _broken_or_private(char) else -0.7


def _latin(text: str, places: list[int], languages: tuple[frozenset[str], ...]) -> float:
    """The score of the language that fits best, or of all together, which is worth a little less."""
    every = _union(languages)
    earned = {at: _latin_letter(text, at, every) for at in places}
    total = sum(earned.values())
    best = _MIXED * total if total > 0 else total
    for letters in languages:
        strange = sum(
            earned[at] + 0.5
            for at in places
            if text[at] in every and text[at] not in letters and earned[at] > 0
        )
        best = max(best, total - strange)
    return best / len(places)


@cache
def _union(languages: tuple[frozenset[str], ...]) -> frozenset[str]:
    return frozenset().union(*languages)


def _latin_letter(text: str, at: int, letters: frozenset[str]) -> float:
    char = text[at]
    if char in _TYPOGRAPHY:
        return 0.6
    if _broken_or_private(char):
        return -2.0
    before, after = text[at - 1], text[at + 1]
    if char in letters and not char.isupper():
        beside = _is_ascii_letter(before) or _is_ascii_letter(after)
        crowd = _HIGH.match(before) and _HIGH.match(after)
        lone = before in " \n" and after in " \n"
        return (
            -0.6
            if crowd
            else 0.9
            if beside or before in letters or after in letters
            else 0.4
            if lone
            else 0.0
        )
    if char.isalpha() and (char in letters or char.lower() in letters):
        crowd = _HIGH.match(before) and _HIGH.match(after)
        return -0.8 if (before.islower() and before.isascii()) or crowd else 0.6
    return -0.7


def _semitic(text: str, at: int, first: str, last: str, common: frozenset[str], final: str) -> float:
    """Scripts without case; ``final`` letters end words."""
    char, before, after = text[at], text[at - 1], text[at + 1]
    if first <= char <= last:
        if _is_ascii_letter(before) or _is_ascii_letter(after):
            return -0.8
        if char in final and first <= after <= last:
            return -1.0
        return 1.0 if char in common else 0.5 if char.isalpha() else -0.2
    if char in _TYPOGRAPHY or char in "،؛؟":
        return 0.4
    return -2.0 if _broken_or_private(char) else -0.7


_HEBREW_COMMON = frozenset("יוהלאתמרבנשדחםקע")
_ARABIC_COMMON = frozenset("اليمونرتبةعدسفهكقأحجإ")


def _hebrew(text: str, at: int) -> float:
    return _semitic(text, at, "\u05d0", "\u05ea", _HEBREW_COMMON, "ךםןףץ")


def _arabic(text: str, at: int) -> float:
    return _semitic(text, at, "\u0621", "\u0652", _ARABIC_COMMON, "ةى")


@dataclass(frozen=True, slots=True)
class _Alphabet:
    """Letters of a script with case, apart from Latin; ``common`` make up half of any text."""

    first: str
    last: str
    known: frozenset[str]
    common: frozenset[str]

    def judge(self, text: str, at: int) -> float:
        char, before, after = text[at], text[at - 1], text[at + 1]
        if self.first <= char <= self.last:
            if _is_ascii_letter(before) or _is_ascii_letter(after):
                return -0.8
            if (char == "ς" and after.isalpha()) or (
                char == "σ" and before.isalpha() and not after.isalpha()
            ):
                return -1.0
            if char.isupper():
                return -0.8 if before.islower() else 0.4 if after.islower() or not after.isalpha() else 0.1
            if before.isupper() and text[at - 2].isupper():
                return -0.5
            return 1.0 if char in self.common else 0.5 if char in self.known else -0.4
        if char in _TYPOGRAPHY or char in "№·":
            return 0.4
        return -2.0 if _broken_or_private(char) else -0.3 if _BOX.match(char) else -0.7


_RUSSIAN = _Alphabet(
    "\u0400", "\u045f", frozenset("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"), frozenset("оеаинтсрвлкм")
)
_GREEK = _Alphabet(
    "\u0386", "\u03ce", frozenset("αοιετσνηυρπκμλςωδγθφχβξζψάέήίόύώϊ"), frozenset("αοιετσνηυρπκμλς")
)


def _wide(text: str, at: int) -> float:
    if text[at] < "\u0700":
        judges = (_RUSSIAN.judge, _GREEK.judge, _hebrew, _arabic)
        return max(judge(text, at) for judge in judges)
    return max(_simplified(text, at), _traditional(text, at), _japanese(text, at), _korean(text, at))


_JUDGES = {
    "gb18030": _simplified,
    "big5": _traditional,
    "cp932": _japanese,
    "euc_jp": _japanese,
    "cp949": _korean,
    "cp1251": _RUSSIAN.judge,
    "koi8-r": _RUSSIAN.judge,
    "cp866": _RUSSIAN.judge,
    "cp1253": _GREEK.judge,
    "cp1255": _hebrew,
    "cp1256": _arabic,
    "utf-16": _wide,
}
_SCRIPTS = frozenset(["cp1251", "koi8-r", "cp866", "cp1253", "cp1255", "cp1256"])
_LATIN = {
    encoding: tuple(map(frozenset, languages))
    for encoding, languages in (
        ("cp1252", _WESTERN),
        ("cp1250", _CENTRAL),
        ("iso8859_2", _CENTRAL),
        ("cp1254", _TURKISH),
    )
}
