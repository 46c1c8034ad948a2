"""Does a question ask for a figure, and for one of which kind? A figure is no answer where none is asked for."""

import re
from collections.abc import Mapping
from functools import cache, reduce

from graphs.reading.asking import normalised, spread
from graphs.reading.figures import figures_in, folded, unit_names, unit_of, with_each_unit
from graphs.reading.neutral import without_neutral
from graphs.reading.words import units

_HOW_MUCH = re.compile(r"how (?:much|many|long|big|large|wide|tall|high|heavy|deep|thick)|多少|多[长大重高宽厚深]|几[个克斤米瓦升]")
_WANTS_A_FIGURE = re.compile(
    r"\bhow (?:much|many|long|big|large|wide|tall|high|heavy|deep|thick|old|often|far|fast|soon|quick(?:ly)?)\b"
    r"|\bhow (?:hot|cold|warm|strong|late|early|loud)\b|\bwhen\b|\bhours\b|\bcount\b|\d"
    r"|\bwhat (?:time|age|size|percent\w*|year|date|day|temperature|number)\b"
    r"|[几两]|多少|多[长大重高宽厚深久快远粗]|何时|时候|时间|啥时|哪[天年月日]|哪一[天年]|年龄|年纪"
)
_COUNTED = re.compile(r"\d\s?(?:[件人次本口台位]|个(?!小时|月|星期))")
_DEGREES = "°c"  # of heat or of alcohol
_IDLE_BESIDE = re.compile(r"\b(?:about|around|times?|just|least|most)\b|左右|大约|大概|约|次")  # say no more than the figure does
_KINDS: Mapping[str, str] = {"s": "time", "week": "time", "month": "time", "g": "content", "ml": "content"}  # that stand for each other


def asks_how_much(question: str) -> bool:
    """Whether a question asks for an amount in so many words."""
    return _HOW_MUCH.search(normalised(question)) is not None


def wants_a_figure(question: str) -> bool:
    """Whether a figure may be the point of an answer: it is asked how much, when, how often, or about a figure.

    >>> wants_a_figure("能用几天"), wants_a_figure("狗能吃吗"), wants_a_figure("do I wash it before using it")
    (True, False, False)
    """
    return _WANTS_A_FIGURE.search(normalised(question)) is not None


def is_of_asked_kind(question: str, text: str) -> bool:
    """Whether a text holds a figure of the kind that a question asks for by its unit: of time for 几个小时, of content for how many ml.

    A figure without a unit may be one; a text without any figure, and a question that names no unit, rule nothing out.

    >>> [is_of_asked_kind("充满要几个小时", text) for text in ("90 分钟", "还有352件", "很快")]
    [True, False, True]
    """
    asked = _asked_unit().search(normalised(question))
    plain = with_each_unit(folded(text))
    kinds = {_kind(figure.unit) or ("pieces" if _COUNTED.search(plain) else None) for figure in figures_in(plain)}
    kind = _kind(unit_of(asked["unit"])[1]) if asked is not None else None
    return kind in (None, _DEGREES) or not kinds or None in kinds or kind in kinds


def is_but_a_figure(text: str) -> bool:
    """Whether a text says a figure and no word beside it that tells anything.

    >>> is_but_a_figure("三天。"), is_but_a_figure("About 90 times."), is_but_a_figure("三天内吃完")
    (True, True, False)
    """
    rest = folded(text)
    found = [figure.text for figure in figures_in(rest)]
    rest = reduce(lambda said, figure: said.replace(figure, " ", 1), found, rest)
    return bool(found) and not units(_IDLE_BESIDE.sub(" ", without_neutral(spread(rest))))


@cache
def _asked_unit() -> re.Pattern[str]:
    """How much is asked with its unit, Chinese or English."""
    return re.compile(rf"(?:[几多]少?|\bhow many )\s?(?P<unit>{unit_names()})(?![a-z])")


def _kind(unit: str | None) -> str | None:
    return _KINDS.get(unit, unit) if unit is not None else None
