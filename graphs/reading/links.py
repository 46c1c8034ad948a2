"""Which links of the shelf a question names by their numbers (2号链接, number 2), and what is left of it to ask."""

import re
from typing import NamedTuple

from graphs.reading.asking import normalised, spread
from graphs.reading.neutral import without_neutral
from graphs.reading.words import units

_CHINESE = "一二两三四五六七八九十"
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_EN_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_EN_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NO_PLACE = 10**9  # what a number of more digits is read as
_MOST_IN_RANGE = 20
_ZH = rf"-?[0-9]+|[{_CHINESE}]{{1,3}}"
_EN = rf"-?[0-9]+|{'|'.join(_EN_NUMBERS)}"
_NTH = rf"(?:[0-9]+(?:st|nd|rd|th)|{'|'.join(_EN_ORDINALS)})"
_UNIT = (
    r"(?:%|[kmcµ]?[glmw]\b|kg|mah|inch|percent|pencil|pieces?\b|pcs|years?|months?|days?|hours?|usd|eur|dollars?"
    r"|in[ -](?:1|one)\b|size|sided|tone|ways?\b|times?\b|packs?\b|of\b|people|persons?\b)"
)
_UNIT_BEHIND = rf"(?![\d.,%]*\d)(?!\s*{_UNIT})(?!-[a-z])"
# Chinese figures that end there: no 商品一般, no 宝贝两周. Behind 链接 fewer words begin so.
_ENDED = rf"[{_CHINESE}]{{1,3}}(?=号|\s|[?!.。,、和跟与]|$|多少|几[块元钱]|价|怎么|有货|有没有|还|能|可以|是|的|呢|吗|在|讲|介绍|什么)"
_BEHIND_LINK = r"[二三四五六七八九十]{1,3}(?![二三四五六七八九十个件天分周次款条种年月元块岁百千万全足点])"
_NO_NUMBER_BEHIND = r"(?![色码线电机楼口门发到送前后之以开上下播直卡])"
# What names a link and nothing else.
_SURE = re.compile(
    rf"第\s*(?P<a>{_ZH})\s*(?:个|号|款|条)?\s*(?:链接|商品|宝贝|产品|品)"
    rf"|(?:链接|商品|宝贝)\s*第\s*(?P<b>{_ZH})号?|链接\s*(?P<k>{_BEHIND_LINK})号?"
    rf"|(?:链接|商品|宝贝)\s*(?P<l>-?[0-9]+(?![\d.]*\s*(?:[年月日天件元块克斤升米岁]|个月))|{_ENDED})号?"
    rf"|(?<![0-9.-])(?P<c>{_ZH})\s*号?\s*链接|第\s*(?P<d>{_ZH})\s*[个款](?![月年小星礼工疗孩宝颜])"
    rf"|\b(?:link|item|product|position|slot)\s*(?:number|no\.?|#)?\s*(?P<e>{_EN})\b{_UNIT_BEHIND}"
    rf"|\b(?:the )?(?P<f>{_NTH})\s+(?:one|link|item|product|thing)\b"
    rf"|\b(?P<g>{_NTH})\s*[?!.]*$"
    r"|^\s*(?P<m>[1-9][0-9]?)[\s?!.。~]*$"
)
# What names one unless it stands beside what else is numbered: sizes, shades, dates, batteries, models.
_LIKELY = re.compile(
    rf"(?<![0-9a-z.])(?P<h>[1-9][0-9]?|[{_CHINESE}]{{1,3}})号{_NO_NUMBER_BEHIND}"
    rf"|\b(?:number|no\.)\s*(?P<i>{_EN})\b{_UNIT_BEHIND}|#\s*(?P<j>[1-9][0-9]?)\b{_UNIT_BEHIND}"
)
_HAO = rf"\s*(?:号?\s*(?P<link>链接)|号{_NO_NUMBER_BEHIND})"
_LIST = re.compile(rf"(?<![0-9.-])(?P<places>(?:(?:{_ZH})\s*(?:和|跟|与|、|,)\s*)+(?:{_ZH})){_HAO}")  # 2和3号
_EN_LIST = re.compile(
    rf"\b(?P<noun>link|item|product|number|position|slot)s?\s+"
    rf"(?P<places>(?:{_EN})(?:(?:\s*,\s*(?:and\s+)?|\s+(?:and|or)\s+|\s*&\s*)(?:{_EN}))+)\b{_UNIT_BEHIND}"
)
_RANGE = re.compile(
    rf"(?<![0-9.-])(?P<a>[0-9]+)\s*号?\s*[-~到至]\s*(?P<b>[0-9]+){_HAO}"
    r"|(?P<noun>链接|\b(?:link|item|product|number))s?\s*(?P<c>[0-9]+)\s*(?:[-~到至]|to)\s*(?P<d>[0-9]+)\b"
)
_BEFORE_DATE = re.compile(
    r"\b(?:by|on|until|till|before|after|from|since|to|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)(?: the)?\s*$"
)
_NUMBERED_ELSE = re.compile(
    r"月|今年|发货|能发|能到|到货|送到|开播|直播|活动|截止|色号|尺码|码|电池|型号|色|今天|明天"
    r"|\b(?:model|serial|order|phone|tracking|part|sizes?|shades?|colou?rs?|batch|version|spf|article|lot|gen|generation)\b"
)
_ELSE = re.compile(r"半价|打折|第[一二三]个(?:月|年|小时)|second hand|first time|\bfirst (?:wash|use|order)")


class NamedLinks(NamedTuple):
    """`places` on the shelf, from 1, as the question names them; `rest` of it without them."""

    places: tuple[int, ...]
    rest: str

    @property
    def asks_more(self) -> bool:
        """Whether something is asked beside what the link is."""
        return bool(units(without_neutral(spread(self.rest))) or re.search(r"多少|几|how|where|when|why|吗|价", self.rest))


def named_links(question: str, shelf_size: int) -> NamedLinks:
    """The links that a question names; none where a number is another one: a weight, a model, a size, a date.

    A number before 号 alone that no link of the shelf has names none; 7号链接 and `number 7` do, to be told that there is none.

    >>> named_links("链接2多少钱", 5), named_links("how much is number 2", 5).places, named_links("iPhone 15 多少钱", 5).places
    (NamedLinks(places=(2,), rest='多少钱'), (2,), ())
    >>> named_links("37号有吗", 5).places, named_links("what's the second one?", 5).places, named_links("is it 2 kg", 5).places
    ((), (2,), ())
    """
    text = _each_alone(normalised(question))
    if _ELSE.search(text):
        return NamedLinks((), question)
    places: list[int] = []

    def read(match: re.Match[str]) -> str:
        groups = match.groupdict()
        place = _number(next(group for group in groups.values() if group))
        if (groups.get("h") and not 1 <= place <= shelf_size) or (groups.get("g") and _BEFORE_DATE.search(text[: match.start()])):
            return match[0]
        places.append(place)
        return " "

    for pattern in (_SURE,) if _NUMBERED_ELSE.search(text) else (_SURE, _LIKELY):
        text = pattern.sub(read, text)
    return NamedLinks(tuple(dict.fromkeys(places)), " ".join(text.split())) if places else NamedLinks((), question)


def _each_alone(text: str) -> str:
    """A text in which each number of a list or a range is named by itself.

    >>> _each_alone("2-4号"), _each_alone("1,2号链接"), _each_alone("links 1 and 2")
    ('2号 3号 4号', '1号链接,2号链接', 'link 1 link 2')
    """
    text = _RANGE.sub(_counted, text)
    text = _LIST.sub(lambda found: re.sub(rf"({_ZH})", rf"\1号{found['link'] or ''}", found["places"]), text)
    return _EN_LIST.sub(lambda found: " ".join(f"{found['noun']} {place}" for place in re.findall(_EN, found["places"])), text)


def _counted(found: re.Match[str]) -> str:
    """The numbers of a range one by one; the range as it stands where it is none, or far too long."""
    start, end = (_number(found[a] or found[b]) for a, b in (("a", "c"), ("b", "d")))
    if not start < end <= start + _MOST_IN_RANGE:
        return found[0]
    each = (f"{found['noun']} {place}" if found["noun"] else f"{place}号{found['link'] or ''}" for place in range(start, end + 1))
    return " ".join(each)


def _number(written: str) -> int:
    """
    >>> [_number(each) for each in ("12", "十二", "二十", "third", "3rd", "two")]
    [12, 12, 20, 3, 3, 2]
    """
    digits = re.match(r"-?\d+", written)
    if digits:
        return int(digits[0]) if len(digits[0]) < len(str(_NO_PLACE)) else _NO_PLACE
    for words in (_EN_ORDINALS, _EN_NUMBERS):
        if written in words:
            return words.index(written) + 1
    tens, ten, ones = written.partition("十")
    return (_DIGITS.get(tens, 1) if ten else 0) * 10 + (_DIGITS[ones[-1:]] if ones else 0) if ten else _DIGITS[written[-1]]
