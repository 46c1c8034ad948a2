"""The rules as data: `graphs/data/compliance.json`, and what a shop adds to them."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Literal, NotRequired, TypedDict, cast, get_args

from graphs.compliance.wordings import Wording, phrase, wording
from models.types import Language

Severity = Literal["forbidden", "unproven", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)  # not at all; not without the proof in the same sentence; told, but it passes
_OWN_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class WordingRow(TypedDict):
    pattern: str
    needs: Sequence[str]  # see `Wording`; a test says what they have to be
    instead: NotRequired[str]


class RuleRow(TypedDict):
    """A shipped rule."""

    rule: str
    severity: Severity
    about: Mapping[Language, str]
    law: Mapping[Language, Sequence[str]]
    advice: Mapping[Language, str]
    wordings: Sequence[WordingRow]
    guarded: Sequence[str]  # words that are found in pinyin and in rare homophones too
    exceptions: Sequence[str]  # patterns: what they cover is no finding of this rule
    unless: NotRequired[str]  # pattern: lawful when this stands in the same sentence
    examples: Mapping[Literal["found", "fine"], Sequence[str]]


@dataclass(frozen=True, slots=True)
class ShopRule:
    """Words that a shop minds or excepts: a rule of its own, or an addition to a shipped one of that name. Words, not patterns."""

    rule: str
    words: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    severity: Severity | None = None  # None: as shipped; `forbidden` for a rule of its own
    advice: Mapping[Language, str] | None = None  # None: as shipped; one of its own has to say it
    instead: Mapping[str, str] | None = None  # word -> what may stand in its place


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    severity: Severity
    advice: Mapping[Language, str]
    wordings: tuple[Wording, ...]
    exceptions: tuple[Wording, ...] = ()
    unless: Wording | None = None
    guarded: tuple[str, ...] = ()


def rule_rows() -> Sequence[RuleRow]:
    """The shipped rules as they are written down."""
    text = resources.files("graphs").joinpath("data", "compliance.json").read_text(encoding="utf-8")
    return cast(Sequence[RuleRow], json.loads(text))


@cache
def shipped() -> tuple[Rule, ...]:
    return tuple(_rule(row) for row in rule_rows())


def extended(rules: Iterable[Rule], additions: Iterable[ShopRule]) -> tuple[Rule, ...]:
    """`rules` with a shop's additions. Raises ValueError that names the rule and what is wrong with it."""
    named = {rule.name: rule for rule in rules}
    for addition in additions:
        base = named.get(addition.rule)
        try:
            named[addition.rule] = _own_rule(addition) if base is None else _added(base, addition)
        except ValueError as error:
            raise ValueError(f"rule `{addition.rule}`: {error}") from error
    return tuple(named.values())


def _rule(row: RuleRow) -> Rule:
    return Rule(
        name=row["rule"],
        severity=row["severity"],
        advice=row["advice"],
        wordings=tuple(wording(w["pattern"], w["needs"], w.get("instead")) for w in row["wordings"]),
        exceptions=tuple(map(wording, row["exceptions"])),
        unless=wording(row["unless"]) if "unless" in row else None,
        guarded=tuple(row["guarded"]),
    )


def _own_rule(addition: ShopRule) -> Rule:
    if not _OWN_NAME.fullmatch(addition.rule):
        raise ValueError("a name is small Latin letters, digits and underscores, a letter first")
    if not addition.words:
        raise ValueError("no shipped rule has this name, and it lists no `words`")
    if addition.advice is None:
        raise ValueError("a rule of a shop's own needs a `suggestion` in zh and en")
    return _added(Rule(addition.rule, "forbidden", addition.advice, ()), addition)


def _added(base: Rule, addition: ShopRule) -> Rule:
    instead = addition.instead or {}
    strange = sorted(set(instead) - set(addition.words))
    if strange:
        raise ValueError(f"`instead` replaces {strange[0]!r}, which is not among its `words`")
    return replace(
        base,
        severity=addition.severity or base.severity,
        advice=addition.advice or base.advice,
        wordings=(*base.wordings, *(phrase(word, instead.get(word)) for word in addition.words)),
        exceptions=(*base.exceptions, *map(phrase, addition.exceptions)),
        guarded=(*base.guarded, *addition.words),
    )
