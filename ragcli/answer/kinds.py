"""What kind of thing a question asks for, and whether a sentence has one: in English and Chinese.

Coarse on purpose: a sentence with a year in it may answer "when", one without can hardly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["person", "time", "place", "number", "reason", "manner", "definition", "name"]

_PERSON_EN = (
    "person|man|woman|king|queen|emperor|president|player|actor|actress|singer|author|scientist|leader"
)
_TIME_EN = "year|years|date|day|month|decade|century|season|time|era|period"
_PLACE_EN = (
    "city|cities|country|countries|state|states|county|town|village|place|region|province|continent|island|river|"
    "location|area|nation|street|district"
)
_NUMBER_EN = (
    "number|percentage|percent|population|amount|price|cost|size|height|weight|length|age|speed|rate|score"
)
# The first that fits is meant.
_PATTERNS: tuple[tuple[Kind, str], ...] = (
    ("reason", r"\b(?:why|how come|what (?:\w+ )?(?:reason|cause[sd]?|purpose))\b"
               r"|为什么|为何|為什麼|為何|原因|何以"),
    ("number", rf"\bhow (?:many|much|long|far|old|tall|high|deep|large|big|often|fast|wide|heavy)\b"
               rf"|\b(?:what|which) (?:\w+ ){{0,3}}(?:{_NUMBER_EN})\b"
               r"|多少|几[个個人种種次名位岁歲座层層部本条條家所届屆天月年点點支款只]|多[大长長高远遠久重深宽寬]"),
    ("time", rf"\bwhen\b|\b(?:what|which) (?:\w+ )?(?:{_TIME_EN})\b|\bhow (?:early|late|recently)\b"
             r"|什么时[候间]|什麼時[候間]|何时|何時|哪[一]?[年天日月]|何年|几[年月日]|时间|時間|年代|日期|年份"),
    ("person", rf"\b(?:who|whom|whose)\b|\b(?:what|which) (?:\w+ )?(?:{_PERSON_EN})\b"
               r"|谁|誰|哪位|哪一位|何人|什么人"),
    ("place", rf"\bwhere\b|\b(?:what|which) (?:\w+ )?(?:{_PLACE_EN})\b"
              r"|哪里|哪裡|哪儿|何处|何處|什么地方|什麼地方|哪[个個一座]{0,2}(?:国家|國家|城市|省|市|县|縣|州"
              r"|地区|地區|岛|島|区)"),
    ("definition", r"\bwhat (?:is|are|was|were) (?:an? |the )?[\w-]+(?: [\w-]+)?\s*\??$"
                   r"|\b(?:mean|meaning|definition|stand for|define[ds]?|called|known as)\b"
                   r"|什么是|何谓|是什么意思|指什么|是指|又称|称为|叫什么|别名"),
    ("manner", r"\bhow\b|怎么|怎麼|怎样|怎樣|如何"),
    ("name", r"\b(?:what|which)\b (?:\w+ ){0,2}(?:name|title|company|team|band|organization|group|language|"
             r"religion|book|film|movie|song|party|school|university|club)\b|名字|哪[个個家一]|哪些"),
)  # fmt: skip
_ASKS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS)

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_WORD_NUMBER = (
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fifteen|twenty|thirty|forty|fifty|sixty|"
    r"hundred|hundreds|thousand|thousands|million|billion|dozen|half|third|quarter|once|twice|several"
)
_HAN_NUMBER = "[一二三四五六七八九十百千万萬亿億两兩〇零]"
_HAS: dict[Kind, re.Pattern[str]] = {
    "time": re.compile(
        rf"\b(?:1\d|20)\d\ds?\b|\b\d+(?:st|nd|rd|th)[ -]centur|\b(?:bc|bce|ad|ce)\b"
        rf"|\b{_MONTH} \d|\b\d{{1,2}} {_MONTH}\b"
        r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\bcentury\b|\b(?:spring|summer|autumn|winter)\b"
        r"|\b\d+ (?:years|days|months)\b"
        rf"|\d+\s*[年月日]|{_HAN_NUMBER}[年月日]|世纪|世紀|公元|年间|年間|[清明宋元唐汉漢]朝|时期|時期",
        re.IGNORECASE,
    ),
    "number": re.compile(rf"\d+(?:[.,]\d+)*|\b(?:{_WORD_NUMBER})\b|{_HAN_NUMBER}", re.IGNORECASE),
    "place": re.compile(
        r"\b(?:in|at|from|near|to|of|on|around|between|off) (?:the )?(?:\w+ ){0,2}?[A-Z]\w"
        r"|位于|位於|地处|地處|分布|产于|產於|坐落|[省市县縣区區州国國岛島镇鎮村洲港湾灣山路街]"
    ),
    "reason": re.compile(
        r"\b(?:because|due to|since|so that|in order to|as a result|owing to|thus|therefore|caused?|reason|led to"
        r"|resulted?|thanks to|to (?:avoid|prevent|protect|reduce|ensure|allow|make))\b"
        r"|因|由于|由於|所以|为了|為了|原因|使得|导致|導致|故|从而|從而",
        re.IGNORECASE,
    ),
    "manner": re.compile(
        r"\b(?:by|through|using|via|with|as)\b|通过|通過|利用|采用|採用|借|以|经|經|用", re.IGNORECASE
    ),
    "definition": re.compile(
        r"\b(?:is|are|was|were) (?:an?|the|one|any)\b|\b(?:refers? to|known as|called|named|means?|meaning|defined as"
        r"|stands for|consists? of|termed)\b|是|指|称|稱|即|名为|名為|叫|为|為",
        re.IGNORECASE,
    ),
}  # fmt: skip
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d]+")
_CAPITAL = re.compile(r"\b[A-Z][\w'’.-]*")
_SURNAME = (
    "王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱高林何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮于董萧蕭程曹袁邓鄧许許傅沈曾彭吕"
    "呂苏蘇卢盧蒋蔣蔡贾賈丁魏薛叶葉余潘杜戴夏钟鍾汪田任姜范方石姚谭譚廖邹鄒熊金陆陸郝孔白崔康毛邱秦江史顾顧侯邵孟龙龍段雷"
    "钱錢汤湯尹黎易乔喬贺賀赖賴龚龔司欧歐"
)
_HAN_NAME = re.compile(
    rf"[\u4e00-\u9fff]·[\u4e00-\u9fff]|(?<![\u4e00-\u9fff])[{_SURNAME}][\u4e00-\u9fff]{{1,2}}"
    rf"|[由与與和、《][{_SURNAME}]"
)
_HAN_TITLE = re.compile(r"[《「“『]|、|名为|名為|称为|稱為|[A-Z]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question asks for; ``kind`` is None where its words do not tell."""

    kind: Kind | None
    own: frozenset[str]

    @classmethod
    def of(cls, question: str) -> Wanted:
        """Read a question."""
        kind = next((kind for kind, pattern in _ASKS if pattern.search(question)), None)
        return cls(kind, frozenset(_WORD.findall(question.casefold())))

    def fits(self, sentence: str) -> bool:
        """Whether a sentence has something of the kind that the question does not name itself."""
        if self.kind is None:
            return False
        if self.kind in ("person", "name"):
            return self._names(sentence)
        if self.kind in ("time", "number"):
            found = _HAS[self.kind].finditer(sentence)
            return any(self.own.isdisjoint(_WORD.findall(match.group().casefold())) for match in found)
        return _HAS[self.kind].search(sentence) is not None

    def _names(self, sentence: str) -> bool:
        """A capitalised word, not the sentence's first, or a Chinese name."""
        found = (match for match in _CAPITAL.finditer(sentence) if match.start() > 0)
        if any(
            match.group().casefold().strip(".'’-s") not in self.own and match.group() != "I"
            for match in found
        ):
            return True
        pattern = _HAN_NAME if self.kind == "person" else _HAN_TITLE
        return pattern.search(sentence) is not None if not sentence.isascii() else False
