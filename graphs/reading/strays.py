"""Is a figure of a statement of what a question asks for? Where none is asked for, a figure is said only beside what is."""

import re
from collections.abc import Sequence

from graphs.checking.grounding import ungrounded
from graphs.reading.asking import AskedConcept, asked_concepts, measures, spread, tells
from graphs.reading.question import Question, asks_for_a_figure
from graphs.reading.statements import Statement
from graphs.reading.words import holds_all, units

CLAUSE = re.compile(r"[，,；;、]")
_FIRST_FIGURE = re.compile(r"\d")
_OF_THE_STORE = frozenset({"price", "stock"})  # amounts of money and pieces stand beside many a matter


def is_stray_figure(question: Question, statement: Statement, told: Sequence[AskedConcept], left: frozenset[str]) -> bool:
    """Whether a statement has a figure that is asked for neither in so many words nor as a measure, nor is of what is asked.

    It is of what is asked where all words of the question beside `told` (`left`) stand in the statement's name or stored question, open
    it, or fill a clause without figures; where the value's name, or a clause without figures, tells it and no word is left. And where no
    clause with a figure tells another measure, and each tells what is asked (it climbs thresholds up to 20 mm) or the stored question
    asks for it and no word is left.
    """
    if asks_for_a_figure(question.text):
        return False
    strays = _figure_clauses(question, statement)
    if not strays:
        return False
    keys = frozenset(asked.concept.key for asked in told)
    plain = [clause for clause in _clauses(statement) if clause not in strays]
    if left:
        start = _FIRST_FIGURE.split(spread(statement.text), maxsplit=1)[0][: len(question.text) + 2]
        beside = (statement.name, statement.question, start, *plain)
        if any(holds_all(units(spread(said)), left) for said in beside if said):
            return False
    elif told and (statement.name is not None or any(tells(key, clause) for key in keys for clause in plain)):
        return False
    within = keys.union(_OF_THE_STORE, *(asked.concept.over for asked in told))
    if any(_tells_another_measure(clause, within) for clause in strays):
        return True
    is_asked = not left and any(asked.concept.key in keys for asked in asked_concepts(statement.question or ""))
    return not is_asked and not all(any(tells(key, clause) for key in keys) for clause in strays)


def is_in_each_clause(question: Question, statement: Statement) -> bool:
    """Whether every clause of a statement holds a figure that the question does not."""
    return len(_figure_clauses(question, statement)) == len(_clauses(statement))


def _clauses(statement: Statement) -> list[str]:
    return [clause for clause in CLAUSE.split(statement.value or statement.text) if clause.strip()]


def _figure_clauses(question: Question, statement: Statement) -> list[str]:
    return [clause for clause in _clauses(statement) if ungrounded(clause, [question.text])]


def _tells_another_measure(clause: str, within: frozenset[str]) -> bool:
    return any(tells(key, clause) for key in measures() if key not in within)
