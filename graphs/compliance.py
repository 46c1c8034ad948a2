"""What the law on advertising and live commerce minds in a text; the rules are data (`graphs/data/compliance.json`).

The rules are a first, short set of our own after public law: absolute terms, effect claims, price comparisons without a basis,
sales figures, honours, urgency, trade off the platform. They find wordings, they do not replace a lawyer.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import NamedTuple, NotRequired, TypedDict, cast

from models.types import Language

_SENTENCE_END = re.compile(r"[。！？!?；;\n]|\.(?=\s|$)")
_FILLERS = re.compile(r"(?<=[\u3400-\u9fff])[ \t*._~·•|/-]+(?=[\u3400-\u9fff])")  # put there to slip past a check


@dataclass(frozen=True, slots=True)
class Finding:
    rule: str
    start: int  # Unicode code points of the text as given; `text[start:end]` is what was found
    end: int
    text: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class Compliance:
    passed: bool
    findings: tuple[Finding, ...]  # in the order of the text, never overlapping


class _RuleRow(TypedDict):
    rule: str
    patterns: list[str]
    unless: NotRequired[str]
    suggestion: Mapping[Language, str]


class _Rule(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None  # in the same sentence: makes the wording lawful
    suggestion: Mapping[Language, str]


class _Folded(NamedTuple):
    """A text in the form that rules are matched in, and where each of its characters came from."""

    text: str
    origins: Sequence[int]  # per folded character: index in the text as given


def check(text: str, language: Language) -> Compliance:
    """Find what the rules mind. Both languages' rules always apply; `language` is that of the suggestions.

    Full-width forms, letter case, zero-width characters and fillers between Chinese characters (最 好, 最*好) do not hide a wording.

    >>> [(f.rule, f.text) for f in check("全场最 好的锅，原价199元", "zh").findings]
    [('absolute_term', '最 好'), ('price_basis', '原价199元')]
    """
    folded = _fold(text)
    found = sorted(_matches(folded, text, language), key=lambda finding: (finding.start, finding.start - finding.end))
    kept: list[Finding] = []
    for finding in found:
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
    return Compliance(passed=not kept, findings=tuple(kept))


def _matches(folded: _Folded, text: str, language: Language) -> Iterator[Finding]:
    for rule in _rules():
        for match in rule.pattern.finditer(folded.text):
            if match.start() == match.end() or (rule.unless and rule.unless.search(_sentence_around(folded.text, match))):
                continue
            start, end = folded.origins[match.start()], folded.origins[match.end() - 1] + 1
            yield Finding(rule.name, start, end, text[start:end], rule.suggestion[language])


def _sentence_around(folded: str, match: re.Match[str]) -> str:
    begin = max((end.end() for end in _SENTENCE_END.finditer(folded, 0, match.start())), default=0)
    stop = _SENTENCE_END.search(folded, match.end())
    return folded[begin : stop.start() if stop else len(folded)]


def _fold(text: str) -> _Folded:
    """NFKC and lower case, character by character, without format characters and without fillers between Chinese characters."""
    characters: list[str] = []
    origins: list[int] = []
    for index, character in enumerate(text):
        if unicodedata.category(character) == "Cf":
            continue
        for folded in unicodedata.normalize("NFKC", character).lower().replace("’", "'"):
            characters.append(folded)
            origins.append(index)
    hidden = {i for run in _FILLERS.finditer("".join(characters)) for i in range(*run.span())}
    kept = [i for i in range(len(characters)) if i not in hidden]
    return _Folded("".join(characters[i] for i in kept), [origins[i] for i in kept])


@cache
def _rules() -> tuple[_Rule, ...]:
    text = resources.files("graphs").joinpath("data", "compliance.json").read_text(encoding="utf-8")
    return tuple(_rule(row) for row in cast(list[_RuleRow], json.loads(text)))


def _rule(row: _RuleRow) -> _Rule:
    unless = row.get("unless")
    return _Rule(
        name=row["rule"],
        pattern=re.compile("|".join(f"(?:{pattern})" for pattern in row["patterns"]), re.IGNORECASE),
        unless=re.compile(unless, re.IGNORECASE) if unless else None,
        suggestion=row["suggestion"],
    )
