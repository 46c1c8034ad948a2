"""What a question asks, read once for all statements: concepts, words, and the names that point at nothing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from graphs.reading.asking import AskedConcept, asked_concepts, normalised, spread
from graphs.reading.characters import CJK, X_NOT_X
from graphs.reading.quantities import wants_a_figure
from graphs.reading.words import units

_A_NAME = 6  # characters from which on a title found in a question is taken out of it
_ASKS = re.compile(r"[几多什哪啥谁吗]|\b(?:how|what|which|who|where|when|is|are|does|do|can)\b")
_TWICE = re.compile(X_NOT_X)


@dataclass(frozen=True, slots=True)
class Question:
    """A question read once for all statements. `titles`: names of what it is about, which point at no statement."""

    text: str
    asked: tuple[AskedConcept, ...]
    words: frozenset[str]  # all of its words, what it asks for included
    titles: frozenset[str]  # words and pairs of characters
    title_characters: frozenset[str]

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(asked.concept.key for asked in self.asked)


def asks_for_a_figure(question: str) -> bool:
    """Whether a figure may be the point of an answer: it is asked for in so many words, or by the name of a measure.

    >>> asks_for_a_figure("重吗"), asks_for_a_figure("how many days"), asks_for_a_figure("狗能吃吗")
    (True, True, False)
    """
    return wants_a_figure(question) or any(asked.concept.is_measure for asked in asked_concepts(question))


def read_question(text: str, titles: Iterable[str]) -> Question:
    """What a question asks, given the names of the products it may be about."""
    names = [normalised(title) for title in titles]
    joined = " ".join(names)
    text = reduce(lambda said, name: said.replace(name, " ") if len(name) >= _A_NAME else said, names, normalised(text))
    title_units, characters = units(spread(joined)), frozenset(CJK.findall(joined))
    asked = tuple(each for each in asked_concepts(text) if not _only_calls(each, text, title_units, characters))
    text = text if asked else _TWICE.sub(r"\1", text)
    return Question(text, asked, units(spread(text)), title_units, characters)


def _only_calls(asked: AskedConcept, text: str, titles: frozenset[str], characters: frozenset[str]) -> bool:
    """Whether the words that would ask for something are the product's name: 帽子 of a hat asks for no hood."""
    said = spread(text)
    words = " ".join(said[start:end] for start, end in asked.spans)
    found = units(words)
    return (
        bool(found)
        and not _ASKS.search(words)
        and all(set(unit) <= characters | {"子"} if CJK.match(unit) else unit in titles for unit in found)
    )
