"""Text -> findings, in the order of the text."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cache

from graphs.compliance.folding import Folded, fold
from graphs.compliance.rules import Rule, ShopRule, extended, shipped
from graphs.compliance.sounds import Guard
from graphs.compliance.wordings import Wording
from models.types import Language

_SENTENCE_END = re.compile(r"[。!?;\n]|\.(?=\s|$)")
_INSTEAD: dict[Language, str] = {"zh": "可改为“{}”。", "en": 'For example "{}". '}
_LEFT_OUT: dict[Language, str] = {"zh": "可直接删去。", "en": "It can simply be left out. "}


@dataclass(frozen=True, slots=True)
class Finding:
    rule: str
    start: int  # Unicode code points of the text as given; `text[start:end]` is what was found
    end: int
    text: str
    suggestion: str  # a replacement where there is one, and what to do
    instead: str | None = None  # the replacement alone; "" when the words can be left out


@dataclass(frozen=True, slots=True)
class Compliance:
    passed: bool  # nothing was found but notes
    findings: tuple[Finding, ...]  # in the order of the text, never overlapping


class Rulebook:
    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self._guard = Guard(word for rule in self.rules for word in rule.guarded)

    def extended(self, additions: Iterable[ShopRule]) -> "Rulebook":
        """With a shop's own words and exceptions. Raises ValueError."""
        return Rulebook(extended(self.rules, additions))

    def check(self, text: str, language: Language) -> Compliance:
        """Find what the rules mind. Both languages' rules always apply; `language` is that of the suggestions.

        Widths, letter case, traditional characters, separators, invisible and look-alike characters, rare homophones, pinyin among
        characters and digits among letters do not hide a wording. Takes time linear in the text.

        >>> [(f.rule, f.text) for f in shipped_rules().check("全场最 好的锅，原价199元", "zh").findings]
        [('absolute_term', '最 好'), ('price_basis', '原价199元')]
        """
        folded = self._guard.restored(fold(text))
        found = [_placed(hit, folded) for rule in self.rules for hit in _hits(rule, folded)]
        kept = list(_apart(sorted(found, key=lambda hit: (hit.start, -hit.end))))
        findings = tuple(_finding(hit, text, language) for hit in kept)
        return Compliance(passed=all(hit.rule.severity == "note" for hit in kept), findings=findings)


@cache
def shipped_rules() -> Rulebook:
    return Rulebook(shipped())


_in_force: ContextVar[Rulebook | None] = ContextVar("livecart_rulebook", default=None)


def enforce(rules: Rulebook) -> None:
    """From here on `check` uses these rules, in this task and in the tasks that it starts; elsewhere nothing changes."""
    _in_force.set(rules)


def check(text: str, language: Language) -> Compliance:
    """`Rulebook.check` with the rules in force here: those that the ingress was configured with, else the shipped ones."""
    return (_in_force.get() or shipped_rules()).check(text, language)


@dataclass(frozen=True, slots=True)
class _Hit:
    """What a rule minds."""

    rule: Rule
    start: int
    end: int
    instead: str | None


def _hits(rule: Rule, folded: Folded) -> Iterator[_Hit]:
    found = [(w, match) for w in rule.wordings for match in w.search(folded)]
    if not found:
        return
    excepted = _Spans(match.span() for w in rule.exceptions for match in w.search(folded))
    excused = _Spans(_sentences_with(rule.unless, folded) if rule.unless else ())
    for w, match in found:
        if not excepted.touch(*match.span()) and not excused.touch(*match.span()):
            yield _Hit(rule, *match.span(), instead=_filled(w.instead, match))


def _filled(instead: str | None, match: re.Match[str]) -> str | None:
    return None if instead is None else instead.format(**match.groupdict(""))


def _sentences_with(wording: Wording, folded: Folded) -> Iterator[tuple[int, int]]:
    ends = [0, *(end.end() for end in _SENTENCE_END.finditer(folded.text)), len(folded.text)]
    for match in wording.search(folded):
        at = min(bisect_right(ends, match.start()), len(ends) - 1)
        yield ends[at - 1], ends[at]


def _placed(hit: _Hit, folded: Folded) -> _Hit:
    """The hit of the folded text, in the text as given."""
    start, end = folded.origin(hit.start, hit.end)
    return replace(hit, start=start, end=end)


def _apart(hits: Iterable[_Hit]) -> Iterator[_Hit]:
    """The first of those that overlap."""
    end = 0
    for hit in hits:
        if hit.start >= end:
            end = hit.end
            yield hit


def _finding(hit: _Hit, text: str, language: Language) -> Finding:
    replacement = "" if hit.instead is None else _INSTEAD[language].format(hit.instead) if hit.instead else _LEFT_OUT[language]
    return Finding(hit.rule.name, hit.start, hit.end, text[hit.start : hit.end], replacement + hit.rule.advice[language], hit.instead)


class _Spans:
    """Stretches of a text; asks whether one touches another in logarithmic time."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self._starts: Sequence[int]
        ordered = sorted(set(spans))
        self._starts = [start for start, _ in ordered]
        self._reach: list[int] = []  # the farthest end of the spans so far
        for _, end in ordered:
            self._reach.append(max(end, self._reach[-1] if self._reach else 0))

    def touch(self, start: int, end: int) -> bool:
        """Whether a span shares a character with `start` to `end`."""
        before = bisect_right(self._starts, end - 1)
        return before > 0 and self._reach[before - 1] > start
