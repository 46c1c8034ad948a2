"""What a text states about a product, and whether the evidence states it too: figures, properties, effects, offers, comparisons.

A statement is a wording of `graphs/data/claims.json` with its polarity (不含酒精 is not 含酒精), a figure, or the lack of something.
Wordings of one row mean the same in both languages, so evidence in one supports a text in the other.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Literal, NamedTuple, Protocol, cast

from graphs.checking.grounding import ungrounded
from graphs.reading.asking import normalised
from graphs.reading.characters import HAN
from graphs.reading.figures import MONEY

AssertionKind = Literal["figure", "property", "effect", "offer", "comparison", "absence"]

_CLAUSE_END = re.compile(r"[，；;。！？!?\n]|,(?=\s)|\.(?=\s|$)")
_DENIED_BEFORE = re.compile(
    r"(?:不|无|没|未|非|免|零|别|(?<!\d)0)(?:是|含有?|会|能|用|添加|有|加|需要?|可以?|建议|支持)?(?:任何|用|放进?)?\s*$"
    r"|\b(?:not|no|non|never|without|zero|cannot|free of|\w+n't|should not|avoid)\b[\s-]*(?:\w+[\s-]+){0,2}$"
)
_DENIED_AFTER = re.compile(r"[\s-]*free\b|\s*[:：是]?\s*(?:none\b|no\b|无(?!线)|否|没有)|\s*[:：]\s*[不未非]|\s*不(?:可以?|能|行)(?!少)")
_ABSENCE = re.compile(
    rf"(?:不含|不添加|零添加|0添加|无添加|不加)\s*(?P<zh>(?:[a-z0-9]+|[{HAN}]){{1,8}})"
    r"|\b(?P<en>[a-z]{3,})[- ]free\b(?! (?:shipping|delivery|returns?|gift))"
    r"|\b(?:free of|contains? no|does not contain|no added) (?P<of>[a-z]{3,})"
)


_ONES = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred")
_NUMBERS = {word: n for n, word in enumerate(_ONES, start=2)} | {word: 10 * n for n, word in enumerate(_TENS, start=2)} | {"fifteen": 15}
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(_NUMBERS)})\b", re.IGNORECASE)


_LABELLED = (
    "(?:^|[^a-z" + HAN + r"]|[的看到说其]|\b(?:the|its) ){label}(?:这一项)?[，,]?\s*(?:it )?"
    r"(?:是|为|：|:|\b(?:is|are)\b)\s*(?P<said>[^，。；;!?！？]+)"
)
_EQUATED = re.compile(r"(?:是|为|：|:|\b(?:is|are)\b)\s*(?=(?P<said>[^。；;!?！？]+))")


class Stated(Protocol):
    """A value under a label."""

    @property
    def label(self) -> str: ...
    @property
    def value(self) -> str: ...


class _Concept(NamedTuple):
    kind: AssertionKind
    words: tuple[str, ...]  # folded, of both languages


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a text states at one place."""

    kind: AssertionKind
    words: str  # as it stands in the folded text
    denied: bool
    same: tuple[str, ...]  # wordings that state the same; of a figure none: figures are compared by value


def clauses_of(text: str) -> list[str]:
    """The text cut behind its clauses; joined they are the text."""
    ends = [match.end() for match in _CLAUSE_END.finditer(text)]
    cuts = [0, *ends, len(text)]
    return [text[start:end] for start, end in pairwise(cuts) if start < end]


def assertions_in(text: str) -> tuple[Assertion, ...]:
    """All that a text states, figures first.

    >>> [(s.kind, s.words, s.denied) for s in assertions_in("12 W, not waterproof, no added sugar")]
    [('figure', '12 w', False), ('property', 'waterproof', True), ('property', 'no added sugar', False), ('absence', 'sugar', True)]
    """
    folded = normalised(text)
    figures = (Assertion("figure", figure, False, ()) for figure in ungrounded(_in_digits(text), ()))
    return (*figures, *_wordings(folded), *_absences(folded))


def unsupported_assertions(text: str, evidence: Sequence[str]) -> tuple[str, ...]:
    """The statements of `text` that no evidence makes, in their words. Raises nothing; without evidence all are unsupported.

    >>> unsupported_assertions("不含酒精，防水，保修3年", ["酒精：不含酒精", "保修期是 3 年", "不防水"])
    ('防水',)
    """
    folded = [normalised(piece) for piece in evidence]
    missing = [*ungrounded(_in_digits(text), [_in_digits(piece) for piece in evidence])]
    missing += [s.words for s in assertions_in(text) if s.kind != "figure" and not any(_states(piece, s) for piece in folded)]
    return tuple(dict.fromkeys(missing))


def misstated(text: str, stated: Sequence[Stated]) -> tuple[str, ...]:
    """What a text states wrongly: labels with another value than the one stated (产地是北京 where it is 浙江), values under another label.

    A part of the value is no other value; of several values under one label one is enough.
    """
    plain = normalised(text)
    wrong: dict[str, bool] = {}
    for each in stated:
        label = normalised(each.label)
        for match in re.finditer(_LABELLED.format(label=re.escape(label)), plain) if label else ():
            said, value = _squeezed(match["said"]), _squeezed(normalised(each.value))
            wrong[label] = wrong.get(label, True) and value not in said and not (len(said) > 1 and said in value)
    return tuple(dict.fromkeys((*(label for label, is_wrong in wrong.items() if is_wrong), *_mislabelled(plain, stated))))


def _mislabelled(plain: str, stated: Sequence[Stated]) -> Iterator[str]:
    """Values that a text gives to something else than what they are values of: 产地是 36 个月."""
    for match in _EQUATED.finditer(plain):
        said = {_squeezed(match["said"]), _squeezed(re.split("[，,]", match["said"])[0])}
        labels = [normalised(each.label) for each in stated if each.label and _squeezed(normalised(each.value)) in said]
        if labels and not any(label in plain for label in labels):
            yield match["said"].strip()


def tells_money(text: str) -> bool:
    """Whether a text holds an amount of money, or a share of a price.

    >>> tells_money("满99元包邮"), tells_money("It is $5."), tells_money("保修 3 年")
    (True, True, False)
    """
    return any(MONEY.search(figure) for figure in ungrounded(text, ()))


def _wordings(folded: str) -> Iterator[Assertion]:
    for match in _any_word().finditer(folded):
        concept = _by_word()[match["word"]]
        yield Assertion(concept.kind, match["word"], _is_denied(folded, match.start(), match.end()), concept.words)


def _absences(folded: str) -> Iterator[Assertion]:
    for match in _ABSENCE.finditer(folded):
        what = next(group for group in match.groups() if group)
        if not any(what.startswith(word) for word in _by_word()):  # else it is a wording that is denied
            yield Assertion("absence", what, True, (what,))


def _states(folded: str, statement: Assertion) -> bool:
    """Whether a piece of evidence holds one of the wordings with the same polarity."""
    for word in statement.same:
        for match in re.finditer(_edged(word), folded):
            if _is_denied(folded, match.start(), match.end()) == statement.denied:
                return True
    return False


def _is_denied(folded: str, start: int, end: int) -> bool:
    return bool(_DENIED_BEFORE.search(folded[max(0, start - 24) : start]) or _DENIED_AFTER.match(folded, end))


def _squeezed(text: str) -> str:
    return re.sub(r"[\s.。]+", "", text)


def _in_digits(text: str) -> str:
    """English number words as digits, for figures are compared as such; `one` is a way of speaking.

    >>> _in_digits("Three days for one of them")
    '3 days for one of them'
    """
    return _NUMBER_WORD.sub(lambda match: str(_NUMBERS[match[0].lower()]), text)


def _edged(word: str) -> str:
    """A pattern for a wording: Latin ones as whole words, plurals included."""
    return rf"(?<![a-z0-9]){re.escape(word)}s?(?![a-z0-9])" if word.isascii() else re.escape(word)


@cache
def _any_word() -> re.Pattern[str]:
    words = sorted(_by_word(), key=len, reverse=True)
    chinese = "|".join(re.escape(word) for word in words if not word.isascii())
    latin = "|".join(re.escape(word) for word in words if word.isascii())
    return re.compile(rf"(?P<word>{chinese}|(?<![a-z0-9])(?:{latin})(?=s?(?![a-z0-9])))")


@cache
def _by_word() -> Mapping[str, _Concept]:
    text = resources.files("graphs").joinpath("data", "claims.json").read_text(encoding="utf-8")
    rows = cast(list[dict[str, object]], json.loads(text))
    concepts = (
        _Concept(cast(AssertionKind, row["kind"]), tuple(normalised(w) for w in (*cast(list[str], row["zh"]), *cast(list[str], row["en"]))))
        for row in rows
    )
    return {word: concept for concept in concepts for word in concept.words}
