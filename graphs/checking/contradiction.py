"""Does a text turn round what the evidence says: by a negation, by yes or no, or by giving a figure to another property?

Figures and words that the evidence does not hold at all are found in `graphs.checking.grounding` and `graphs.checking.support`; here
everything said is in the evidence and still wrong.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from graphs.checking.grounding import figures, ungrounded
from graphs.reading.asking import asked_concepts, head_of, measures, normalised, says, spread, tells
from graphs.reading.statements import named_value
from graphs.reading.words import units

_CLAUSE = re.compile(r"[，。！？；,!?;\n]|\.(?!\d)|\b(?:but|and|while)\b|但是?|而且|并且|不过")
_NEGATION = re.compile(
    r"(?:不(?:可以|能|会|是|可|宜|要|得)?|没有?|无法?|非|未|勿|别)|\b(?:not|no|never|without|cannot|neither|nor|non)\b|n't\b"
)
_NO_NEGATION = re.compile(
    r"不锈钢|不粘|不仅|不但|不错|不超过|不低于|不少于|不高于|不小于|不大于|不到|不同|不过|不管|不论|不只|差不多|非常|无线|无人机|无论|无纺|未来|别致|特别|个别|区别|分别"
    r"|\bno (?:more|less|fewer) than\b|\bnot only\b|\bno\.? ?\d|\bnonstick\b|\bnon-stick\b"
)
_YES = re.compile(r"^\s*(?:是的?|对的?|可以的?|能的?|有的?|会的?|支持的?|yes|yeah|yep|sure|correct)(?=[，。！,!.\s]|$)", re.IGNORECASE)
_NO = re.compile(r"^\s*(?:不是的?|不对|不可以|不能|没有|不会|不支持|不行|no|nope)(?=[，。！,!.\s]|$)", re.IGNORECASE)
_ALIKE = 0.5  # share of a clause's content from which on another one is on the same


def contradicts(text: str, evidence: Sequence[str], question: str = "") -> bool:
    """Whether a text, all of whose figures and words are in the evidence, says something else than the evidence does.

    >>> contradicts("It is waterproof.", ["The watch is not waterproof."]), contradicts("它可以机洗。", ["不可以机洗。"])
    (True, True)
    >>> contradicts("The capacity is 1.2 kg.", ["Weight: 1.2 kg", "Capacity: 500 ml"])
    True
    >>> contradicts("Yes, the capacity is 500 ml.", ["Capacity: 500 ml"], "is the capacity 700 ml?")
    True
    """
    known = [clause for piece in evidence for clause in _clauses(piece)]
    if any(_is_turned(clause, known) for clause in _clauses(text)):
        return True
    return _is_wrong_yes_or_no(text, evidence, question) or bool(misplaced(text, evidence, question))


def misplaced(text: str, evidence: Sequence[str], question: str = "") -> tuple[str, ...]:
    """The figures of a text that the evidence states of another property than the text, or the question, takes them for."""
    lines = [clause for piece in evidence for clause in _clauses(piece)]
    names = frozenset(name for line in lines if (name := _name_of(line)) is not None)
    asked = frozenset(asked.concept.key for asked in asked_concepts(question) if asked.concept.is_measure and not asked.is_weak)
    near = frozenset(key for asked in asked_concepts(question) for key in asked.concept.near)
    return tuple(
        figure
        for clause in _clauses(text)
        for figure in figures(clause)
        if _is_of_another_name(figure, f"{clause} {normalised(question)}", lines, names)
        or _is_misplaced(figure, clause, lines, asked, near)
    )


def _is_of_another_name(figure: str, said: str, lines: Sequence[str], names: frozenset[str]) -> bool:
    """Whether a value that has a name in the evidence is said or asked for, and its line holds another figure."""
    meant = {name for name in names if says(said, name)}
    meant -= {name for name in meant if any(name != other and name in other for other in meant)}
    return bool(meant) and all(ungrounded(figure, [line]) for line in lines if _name_of(line) in meant or line.strip() in said)


@lru_cache(maxsize=8192)
def _name_of(line: str) -> str | None:
    named = named_value(line.strip())
    return normalised(named[0]) if named is not None else None


def _is_misplaced(figure: str, clause: str, lines: Sequence[str], asked: frozenset[str], near: frozenset[str]) -> bool:
    stated = [_measures_of(line) for line in lines if not ungrounded(figure, [line])]
    if not stated or not all(stated):  # nowhere, or somewhere without a name: no telling what it is of
        return False
    of = frozenset[str]().union(*stated)
    said = _measures_of(clause)
    return bool(said and not said & of) or bool(not said and asked and not (asked | near) & of)


@lru_cache(maxsize=8192)
def _measures_of(clause: str) -> frozenset[str]:
    """The measures that a clause states, by the name of its value or by its wording."""
    named = named_value(clause.strip())
    concept = head_of(named[0])[0] if named else None
    told = {concept.key} if concept is not None and concept.key in measures() else set()
    return frozenset(told or (key for key in measures() if tells(key, clause)))


def _clauses(text: str) -> Iterator[str]:
    return (clause for clause in _CLAUSE.split(normalised(text)) if clause.strip())


def _is_turned(clause: str, known: Iterable[str]) -> bool:
    """Whether every clause of the evidence on the same content says no where this one says yes, or the other way round."""
    content = units(spread(_plain(clause)))
    if not content:
        return False
    alike = [other for other in known if len(content & units(spread(_plain(other)))) >= _ALIKE * len(content)]
    return bool(alike) and all(_is_negated(other) != _is_negated(clause) for other in alike)


def _plain(clause: str) -> str:
    """The clause without its negations, which would be parts of words otherwise."""
    return _NEGATION.sub(" ", clause) if _is_negated(clause) else clause


def _is_negated(clause: str) -> bool:
    return len(_NEGATION.findall(_NO_NEGATION.sub(" ", clause))) % 2 == 1


def _is_wrong_yes_or_no(text: str, evidence: Sequence[str], question: str) -> bool:
    """Whether a yes stands before another figure than the one asked about, a no before the same one, or either stands alone."""
    says_yes, says_no = _YES.search(text), _NO.search(text)
    if not (says_yes or says_no):
        return False
    wanted = figures(question)
    if wanted and figures(text):
        is_so = all(not ungrounded(figure, [text]) for figure in wanted)
        return bool(says_yes) != is_so
    return bool(wanted) and bool(says_yes) and bool(ungrounded(question, list(evidence)))
