"""Which links of the shelf a question names by their numbers (2号链接, number 2), and what is left of it to ask."""

import re
from typing import NamedTuple

from graphs.reading.asking import normalised, spread
from graphs.reading.matching import units
from graphs.reading.neutral import without_neutral

_ZH = r"[0-9]{1,3}|[一二两三四五六七八九十]{1,3}"
_EN_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_EN_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_EN = rf"[0-9]{{1,3}}|{'|'.join(_EN_NUMBERS)}"
_NTH = rf"(?:[0-9]{{1,2}}(?:st|nd|rd|th)|{'|'.join(_EN_ORDINALS)})"
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_UNIT_BEHIND = (
    r"(?![\d.,%]*\d)(?!\s*(?:%|[kmcµ]?[glmw]\b|kg|mah|inch|percent|pencil|pieces?\b|pcs|years?|months?|days?|hours?|usd|eur|dollars?))"
)
# What names a link and nothing else.
_SURE = re.compile(
    rf"第\s*(?P<a>{_ZH})\s*(?:个|号|款|条)?\s*(?:链接|商品|宝贝|产品|品)|(?:链接|商品|宝贝)\s*第?(?P<b>{_ZH})(?!\d*\s*(?:[年月日天件元块克斤升米岁]|个月))号?"
    rf"|(?<![0-9])(?P<c>{_ZH})\s*号?\s*链接|第\s*(?P<d>{_ZH})\s*[个款](?![月年小星礼工疗孩宝颜])"
    rf"|\b(?:link|item|product|position|slot)\s*(?:number|no\.?|#)?\s*(?P<e>{_EN})\b{_UNIT_BEHIND}"
    rf"|\b(?:the )?(?P<f>{_NTH})\s+(?:one|link|item|product|thing)\b"
    rf"|\b(?P<g>{_NTH})\s*[?!.]*$"
)
# What names one unless it stands beside what else is numbered: sizes, shades, dates, batteries, models.
_LIKELY = re.compile(
    rf"(?<![0-9a-z.])(?P<h>[1-9][0-9]?|[一二两三四五六七八九十]{{1,3}})号(?![色码线电机楼口门发到送前后之以开上下播直卡])"
    rf"|\b(?:number|no\.)\s*(?P<i>{_EN})\b{_UNIT_BEHIND}|#\s*(?P<j>[1-9][0-9]?)\b{_UNIT_BEHIND}"
)
_PAIR = re.compile(rf"({_ZH})(\s*(?:和|跟|与|、)\s*(?:{_ZH})\s*号)")  # 2和3号
_NUMBERED_ELSE = re.compile(
    r"月|发货|能发|到货|送到|开播|直播|活动|截止|色号|尺码|码|电池|型号|色|今天|明天"
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
    text = _PAIR.sub(r"\1号\2", normalised(question))
    if _ELSE.search(text):
        return NamedLinks((), question)
    places: list[int] = []
    patterns = (_SURE,) if _NUMBERED_ELSE.search(text) else (_SURE, _LIKELY)
    for pattern in patterns:
        for match in pattern.finditer(text):
            place = _number(next(group for group in match.groups() if group))
            if pattern is _SURE or not match["h"] or 1 <= place <= shelf_size:
                places.append(place)
        text = pattern.sub(" ", text) if places else text
    return NamedLinks(tuple(dict.fromkeys(places)), " ".join(text.split())) if places else NamedLinks((), question)


def _number(written: str) -> int:
    """
    >>> [_number(each) for each in ("12", "十二", "二十", "third", "3rd", "two")]
    [12, 12, 20, 3, 3, 2]
    """
    digits = re.match(r"\d+", written)
    if digits:
        return int(digits[0])
    for words in (_EN_ORDINALS, _EN_NUMBERS):
        if written in words:
            return words.index(written) + 1
    tens, ten, ones = written.partition("十")
    return (_DIGITS.get(tens, 1) if ten else 0) * 10 + (_DIGITS[ones[-1:]] if ones else 0) if ten else _DIGITS[written[-1]]
