"""Does a stored question ask what a viewer asks? By what both ask for, by the words they share, and by how near the models find them."""

from collections.abc import Sequence

from graphs.reading.asking import AskedConcept, spread
from graphs.reading.neutral import without_neutral
from graphs.reading.question import Question, read_question
from graphs.reading.words import units
from models.types import Passage

RELEVANT = 0.7  # probability that a passage answers from which on the re-ranker is believed; see docs/answers.md
IN_SIGHT = 0.15  # similarity of the questions below which words in the stored answer are chance


def agreement(question: Question, stored: Passage, titles: Sequence[str]) -> float:
    """How far a stored question asks the same as a question, 0 to 1; `titles` are no part of what is asked.

    1 where both ask for the same property or matter, or where the stored answer says every word that is asked. 0 where the stored
    question asks for something else by name, unless the re-ranker is sure and the question itself names nothing. Else the mean of the
    likeness of their vectors and of the better of relevance and shared words: either alone is high for questions that are alike in form
    (怎么用, 怎么联系客服) or in one word (how do I pay, who pays for the return).
    """
    other = read_question(stored.question or "", titles)
    relevance = stored.relevance if stored.relevance is not None else stored.score
    if _ask_the_same(question.asked, other.asked):
        return 1.0
    if _names_something(other) and (relevance < RELEVANT or _names_something(question)):
        return 0.0
    if stored.score >= IN_SIGHT and (words := _words(question)) and words <= units(spread(stored.answer or "")):
        return 1.0
    return min(1.0, max(0.0, (stored.score + max(relevance, _shared(question, other))) / 2))


def _names_something(question: Question) -> bool:
    return any(not asked.is_weak for asked in question.asked)


def _ask_the_same(asked: Sequence[AskedConcept], others: Sequence[AskedConcept]) -> bool:
    """Whether a concept of the one is asked for by the other: the same, or a near or a wider one of it."""
    return any(
        each.concept.key == other.concept.key
        or other.concept.key in (*each.concept.near, *each.concept.over)
        or each.concept.key in other.concept.near
        for each in asked
        for other in others
    )


def _shared(question: Question, other: Question) -> float:
    """Dice's coefficient of the words of two questions."""
    words, others = _words(question), _words(other)
    return 2 * len(words & others) / (len(words) + len(others)) if words and others else 0.0


def _words(question: Question) -> frozenset[str]:
    """The words of a question that point at something, names aside."""
    return units(without_neutral(spread(question.text))) - question.titles
