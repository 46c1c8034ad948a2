"""Does a statement answer a question? By what the question asks for, and by every word of it that the statement leaves open.

A statement answers surely when it tells what is asked and no word of the question points elsewhere: the weight of a kettle does not
answer how heavy its lid is. What is left of a question, beside the wording that names what it asks for, the names of the product and
words that point at nothing, must stand in the statement.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graphs.checking.grounding import figures
from graphs.reading.asking import AskedConcept, asked_concepts, head_of, measures, narrower, normalised, spread, tells
from graphs.reading.characters import CJK
from graphs.reading.neutral import without_neutral, wording
from graphs.reading.quantities import asks_how_much, is_of_asked_kind
from graphs.reading.question import Question, asks_for_a_figure
from graphs.reading.statements import Statement
from graphs.reading.strays import CLAUSE, is_in_each_clause, is_stray_figure
from graphs.reading.words import STEM, holds_all, is_in, units

_FIGURE_WEIGHT = 2.0  # of a figure where it is asked how much
_OWN_LANGUAGE = 0.5  # of a statement in the language of the question: decides between equals
_BY_NAME = 3.0  # of a value or a stored answer whose name or question is what is asked for, before one that says it in passing
_FIGURE = re.compile(r"\d|[一二两三四五六七八九十百半][^\s一]")
_OF_THE_STORE = frozenset({"price", "stock"})  # names of values that tell nothing else
_COUNTED = re.compile(
    r"\b(?:after|within|every|lasts?)\s+(?:about |around |up to )?\d[\d.,]*\s+[a-z]+", re.IGNORECASE
)  # how often, no matter


@dataclass(frozen=True, slots=True)
class Match:
    statement: Statement
    told: frozenset[str]  # concepts asked for that it tells
    of_parts: frozenset[str]  # those that parts have too, such as a weight
    open: frozenset[str]  # words of the question that it leaves open
    held: frozenset[str]  # words of the question that it holds
    weight: float
    is_of_part_named: bool  # it is no statement on a part that the question does not name
    fits: bool  # nor one of the store that is not asked for, nor another measure
    is_stray_figure: bool  # it holds a figure, none is asked for, and nothing says that it is of what is asked
    is_bare_figure: bool  # such a one in each clause, under no name that tells what is asked

    @property
    def is_sure(self) -> bool:
        """It tells what is asked and leaves no word open; on a matter that is no property of parts, one word may stay open.

        A figure that nobody asks for is said only by a statement that does both: 20 washes are no answer to whether it is to be washed.
        """
        if not self.fits or not (self.told or any(len(unit) > 1 and not unit[0].isdigit() for unit in self.held)):
            return False
        if self.is_stray_figure:
            return False
        return not self.open or (self.is_all_told and _is_one_word(self.open))

    @property
    def is_on_matter(self) -> bool:
        """It tells what is asked, and that is no property of parts, of which a word left open would name another."""
        return self.fits and bool(self.told) and not self.of_parts

    @property
    def is_all_told(self) -> bool:
        """It is on the matter, and no measure that the question names is left untold."""
        return self.is_on_matter and self.open.isdisjoint(f"#{key}" for key in measures())


def matches(question: Question, statements: Sequence[Statement]) -> tuple[Match, ...]:
    """How each statement meets the question, best first; in their order where they meet it alike."""
    return tuple(sorted((match(question, statement) for statement in statements), key=lambda found: (-found.is_sure, -found.weight)))


def sure_matches(question: Question, statements: Sequence[Statement]) -> tuple[Match, ...]:
    """The statement that surely answers a question; two when it asks for two things; none when unsure, or when several fit alike."""
    ranked = matches(question, statements)
    sure = [found for found in ranked if found.is_sure]
    if sure:
        rivals = [found for found in sure[1:] if found.weight == sure[0].weight and found.statement.text != sure[0].statement.text]
        return (sure[0],) if not rivals or sure[0].statement.name is None else ()
    return _both(question, ranked)


def _both(question: Question, ranked: Sequence[Match]) -> tuple[Match, ...]:
    """The best statement on each of two things asked for, when together they leave no word open."""
    best = [next((found for found in ranked if asked.concept.key in found.told and found.fits), None) for asked in question.asked]
    found = {each.statement.text: each for each in best if each is not None}
    if len(found) != 2 or None in best:
        return ()
    left = _left(question, question.asked)
    return tuple(found.values()) if all(any(unit in each.held for each in found.values()) for unit in left) else ()


def match(question: Question, statement: Statement) -> Match:
    """How one statement meets a question."""
    told = tuple(asked for asked in question.asked if _tells(statement, question, asked, asked.concept.key))
    near = (
        ()
        if told
        else tuple(asked for asked in question.asked if any(_tells(statement, question, asked, key) for key in asked.concept.near))
    )
    meant = told or near
    left = _left(question, (*meant, *(asked for asked in question.asked if asked.is_weak)))
    known = units(spread(statement.whole))
    held = frozenset(unit for unit in left if is_in(unit, known))
    part = _part(statement)
    fits = _covers(question, part) or bool(held & units(spread(statement.value or "")))
    weight = _OWN_LANGUAGE if bool(CJK.search(statement.text)) == bool(CJK.search(question.text)) else 0.0
    weight += _BY_NAME * bool(_heads(statement) & {asked.concept.key for asked in told})
    weight += sum(asked.weight for asked in told) + 0.3 * sum(asked.weight for asked in near) + (len(part) if fits and part else 0.0)
    is_stray = is_stray_figure(question, statement, meant, left)
    return Match(
        statement,
        told=frozenset(asked.concept.key for asked in meant),
        of_parts=frozenset(asked.concept.key for asked in meant if asked.concept.is_of_parts),
        open=frozenset(unit for unit in left - held if not (meant and unit[0].isdigit())) | _untold(question, meant, known),
        held=held,
        weight=weight + 2.0 * len(held) + len(question.words & known) + _FIGURE_WEIGHT * _figure_beside(question, statement, told),
        is_of_part_named=fits,
        fits=fits and not _is_of_store(statement, meant) and not _is_no_measure(question, statement, meant),
        is_stray_figure=is_stray,
        is_bare_figure=is_stray and not (meant and statement.name is not None) and is_in_each_clause(question, statement),
    )


def _untold(question: Question, told: Sequence[AskedConcept], known: frozenset[str]) -> frozenset[str]:
    """The concepts asked for that are neither told, nor another reading of words that ask for one told, nor said word for word."""
    read = [span for asked in told for span in asked.spans]
    text = spread(question.text)
    return frozenset(
        f"#{asked.concept.key}"
        for asked in question.asked
        if asked not in told
        and not asked.is_weak
        and not all(any(start < b - 1 and a < end - 1 for a, b in read) for start, end in asked.spans)
        and (asked.concept.is_measure or not holds_all(known, units(" ".join(text[start:end] for start, end in asked.spans))))
    )


def _figure_beside(question: Question, statement: Statement, told: Sequence[AskedConcept]) -> bool:
    """Whether it is asked how much, and the clause that tells what is asked holds a figure."""
    if not asks_how_much(question.text):
        return False
    clauses = [clause for clause in CLAUSE.split(statement.text) if re.search(r"\d", clause)]
    return any(tells(asked.concept.key, clause) for asked in told for clause in clauses)


def _is_of_store(statement: Statement, told: Sequence[AskedConcept]) -> bool:
    """Whether a statement is the price or the stock and neither is asked for: other words for them may mean another price."""
    return not told and statement.name in _OF_THE_STORE


def _is_no_measure(question: Question, statement: Statement, told: Sequence[AskedConcept]) -> bool:
    """Whether a statement is none on how much is asked: it holds no figure of that kind, or is another measure than the one asked for."""
    is_price = any(asked.concept.key == "price" for asked in told)  # asked for in words that are units elsewhere: 要多少米
    if not is_price and not is_of_asked_kind(question.text, statement.value or statement.text):
        return True
    if not asks_how_much(question.text):
        return False
    if told:
        return any(asked.concept.is_measure for asked in told) and not _FIGURE.search(statement.text)
    concept = head_of(statement.name)[0] if statement.name is not None else None
    return concept is not None and concept.is_measure


def _is_one_word(open_units: frozenset[str]) -> bool:
    """One word of English, or a Chinese one of up to three characters."""
    characters = {c for unit in open_units for c in unit}
    return len(open_units) == 1 or (all(map(CJK.match, characters)) and len(characters) <= 3)


def _kept(text: str) -> frozenset[str]:
    """The units of a question that are no part of a phrase that points at nothing: of 质保多少年, no 少年."""
    return units(without_neutral(spread(text)))


def _left(question: Question, told: Iterable[AskedConcept]) -> frozenset[str]:
    """The words of a question beside those that name what a statement tells, beside titles and words that point at nothing."""
    text = spread(question.text)
    for asked in told:
        for start, end in asked.spans:
            text = text[:start] + "\0" * (end - start) + text[end:]
    rest = units(without_neutral(text.replace("\0", " "))) & _kept(question.text)
    return frozenset(unit for unit in rest if not _is_called(unit, question))


def _is_called(unit: str, question: Question) -> bool:
    """Whether a unit is only what the product is called: a word of its names, the end of one (pack of backpack), characters of them."""
    if CJK.match(unit):
        return all(c in question.title_characters or c in wording().light_characters - wording().container_characters for c in unit)
    return is_in(unit, question.titles) or (len(unit) >= STEM and any(name.endswith(unit) for name in question.titles))


def _tells(statement: Statement, question: Question, asked: AskedConcept, key: str) -> bool:
    """By the name of a value, or by what the value says of itself; else by the stored question, or by the sentence."""
    if statement.name is not None and statement.name in _OF_THE_STORE:
        return key == statement.name
    if statement.name is not None:
        concept, _ = head_of(statement.name)
        if concept is None:
            return _unknown_tells(statement, question, key)
        if concept.key == key or normalised(statement.name) in (*asked.concept.zh, *asked.concept.en):
            return True
        is_open = not asked.concept.is_measure and not concept.is_measure
        return (is_open or concept.key == "pieces") and tells(key, statement.value or "")
    if statement.question is not None and any(found.concept.key == key for found in asked_concepts(statement.question)):
        return True
    text = statement.text if asks_for_a_figure(question.text) else _COUNTED.sub(" ", statement.text)
    return any(tells(key, clause) and not _is_on_narrower(clause, key, question.keys) for clause in CLAUSE.split(text))


def _unknown_tells(statement: Statement, question: Question, key: str) -> bool:
    """By a name that is no property's: a figure under it may be of anything, unless the question names it."""
    name, value = statement.name or "", statement.value or ""
    return tells(key, name) or (tells(key, value) and (not figures(value) or _covers(question, name)))


def _is_on_narrower(clause: str, key: str, meant: frozenset[str]) -> bool:
    return any(tells(special, clause) for special in narrower(key) if special not in meant)


def _heads(statement: Statement) -> frozenset[str]:
    """The keys of the concepts that a value is named by, or that a stored question asks for."""
    if statement.name is None:
        return frozenset(asked.concept.key for asked in asked_concepts(statement.question or ""))
    concept = head_of(statement.name)[0]
    return frozenset({concept.key} if concept is not None else ())


def _part(statement: Statement) -> str:
    """What a named value is a property of, when that is not the product itself."""
    concept, part = head_of(statement.name) if statement.name is not None else (None, "")
    return part if concept is not None else ""


def _covers(question: Question, part: str) -> bool:
    """Whether the question names the part; a part in the product's own name needs no naming."""
    named = units(without_neutral(spread(part)))
    return all(is_in(unit, question.words) or _is_called(unit, question) for unit in named)
