"""The figures of a text: prices, percentages, counts and numbers with units, each as a value in one unit of its kind."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

# canonical unit -> (factor, names); names are compared after NFKC and lower-casing
_UNITS: Mapping[str, Sequence[tuple[float, str]]] = {
    "mm": (
        (1, "mm|毫米|millimet(?:er|re)s?"),
        (10, "cm|厘米|公分|centimet(?:er|re)s?"),
        (25.4, "inch(?:es)?|英寸|寸"),
        (1000, "m|米|met(?:er|re)s?"),
    ),
    "g": ((0.001, "mg|毫克"), (1, "g|克|grams?"), (500, "斤"), (1000, "kg|公斤|千克|kilos?|kilograms?")),
    "ml": ((1, "ml|毫升|millilit(?:er|re)s?"), (1000, "l|升|lit(?:er|re)s?")),
    "s": (
        (0.001, "ms|毫秒|milliseconds?"),
        (1, "s|秒钟?|seconds?|secs?"),
        (60, "min|分钟|minutes?|mins?"),
        (3600, "h|个?小时|hours?|hrs?"),
        (86400, "天|日|days?"),
    ),
    "week": ((1, "周|个?星期|weeks?"),),
    "month": ((1, "个月|months?"), (12, "年|years?|yrs?")),
    "w": ((1, "w|瓦|watts?"), (1000, "kw|千瓦")),
    "v": ((1, "v|伏|volts?"),),
    "mah": ((1, "mah|毫安时?"), (1000, "ah")),
    "wh": ((1, "wh|瓦时"),),
    "db": ((1, "db|分贝|decibels?"),),
    "°c": ((1, "°c|摄氏度|度"),),
    "k": ((1, "k"),),
    "%": ((1, "%|percent|per cent"),),
    "折": ((1, "折"),),
    "cny": ((1, "元|块钱?|cny|rmb|人民币"),),
    "usd": ((1, "美元|美金|dollars?|usd"),),
    "eur": ((1, "欧元|euros?|eur"),),
    "kcal": ((1, "kcal|千卡|大卡"),),
    "m2": ((1, "m2|平方?米?|平米"),),
    "pieces": ((1, "双|袋|包|盒|片|抽|支|瓶|条|颗|粒|枚|张|卷|层|档|罐|桶|箱|杯|根|把|码|键"),),
}


def _names_of(*canonical: str) -> str:
    """A pattern for all names of these units, longer ones first."""
    return "|".join(sorted((names for unit in canonical for _, names in _UNITS[unit]), key=len, reverse=True))


_SIGNS = {"¥": "cny", "$": "usd", "€": "eur", "cny": "cny", "rmb": "cny", "usd": "usd", "eur": "eur"}
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_POWERS = {"十": 10, "百": 100, "千": 1000, "万": 10000}

_JOIN = re.compile(r"\s?(?:[-~–—至到×x*]|\bto\b)\s?")
_SPAN = re.compile(
    r"(?P<numbers>\d+(?:\.\d+)?(?:\s?(?:[-~–—至到×x*]|to)\s?\d+(?:\.\d+)?){1,3})\s?"
    rf"(?P<unit>{_names_of('mm', 'g', 'ml', 's', 'month', 'w', 'v', '°c', 'cny')}|岁)(?![a-z])"
)
MONEY = re.compile(rf"[¥$€£]|{_names_of('折', 'cny', 'usd', 'eur')}")
_IDIOMS = re.compile(r"十分(?!钟)|百分百|一块(?!钱|\d)|一天到晚|四季|万一")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its unit, if it has one."""

    text: str  # as it stands in the (NFKC) text
    value: float  # in the canonical unit
    unit: str | None


def folded(text: str) -> str:
    """NFKC and lower case, one sign for yuan, no separators between thousands: what figures are read off."""
    plain = unicodedata.normalize("NFKC", text).replace("￥", "¥").replace("㎡", "m2").lower()
    return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", plain)


def with_each_unit(text: str) -> str:
    """The text with the unit behind every number of a range or a product of sizes.

    >>> with_each_unit("120-140 cm"), with_each_unit("50×52×82 cm"), with_each_unit("2026-11-22")
    ('120 cm - 140 cm', '50 cm × 52 cm × 82 cm', '2026-11-22')
    """
    return _SPAN.sub(lambda span: _JOIN.sub(lambda join: f" {span['unit']} {join[0].strip()} ", span["numbers"]) + f" {span['unit']}", text)


@cache
def _number_pattern() -> re.Pattern[str]:
    units = unit_names()
    signs = "|".join(re.escape(sign) for sign in _SIGNS)
    return re.compile(
        rf"(?P<sign>{signs})?\s?(?<![a-z\d.])(?P<number>\d+(?:\.\d+)?)(?:\s?(?P<unit>{units})(?![a-z]))?"
        rf"|(?P<percent>百分之)(?P<share>[零〇一二两三四五六七八九十百]+)"
        rf"|(?P<chinese>[零〇一二两三四五六七八九十百千万]+)(?P<measure>{units})(?![a-z])",
    )


def figures_in(text: str) -> Iterator[Figure]:
    """The figures of a folded text, in their order; ways of speaking (一天到晚) are none."""
    for match in _number_pattern().finditer(_IDIOMS.sub(lambda idiom: "，" * len(idiom[0]), text)):
        figure = _figure(match)
        if figure is not None:
            yield figure


def _figure(match: re.Match[str]) -> Figure | None:
    if match["number"]:
        factor, unit = (1.0, _SIGNS[match["sign"]]) if match["sign"] else unit_of(match["unit"])
        return Figure(match[0].strip(), float(match["number"]) * factor, unit)
    if match["percent"]:
        return Figure(match[0], float(_chinese_value(match["share"])), "%")
    if match["chinese"] == "一":  # 一天, 一年四季: a way of speaking
        return None
    factor, unit = unit_of(match["measure"])
    return Figure(match[0], _chinese_value(match["chinese"]) * factor, unit)


def plain_values(text: str) -> Iterator[float]:
    """Every number as written, for texts that leave the unit away or name it in other words."""
    for match in _number_pattern().finditer(text):
        if match["number"]:
            yield float(match["number"])


@cache
def unit_names() -> str:
    """A pattern for the names of all units, longer ones first."""
    return _names_of(*_UNITS)


@cache
def unit_of(name: str | None) -> tuple[float, str | None]:
    """A unit by one of its names: the factor to its canonical unit, and that one's name; (1, None) for any other word."""
    if name is None:
        return 1.0, None
    for unit, rows in _UNITS.items():
        for factor, pattern in rows:
            if re.fullmatch(pattern, name):
                return factor, unit
    return 1.0, None


def _chinese_value(numeral: str) -> int:
    """
    >>> _chinese_value("三百五十"), _chinese_value("十二"), _chinese_value("两万")
    (350, 12, 20000)
    """
    if not any(c in _POWERS for c in numeral):
        return int("".join(str(_DIGITS[c]) for c in numeral))
    total = section = digit = 0
    for c in numeral:
        if c == "万":
            total, section, digit = (total + section + digit) * _POWERS[c], 0, 0
        elif c in _POWERS:
            section, digit = section + (digit or 1) * _POWERS[c], 0
        else:
            digit = _DIGITS[c]
    return total + section + digit
