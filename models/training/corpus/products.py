"""Invented products with the facts that a shop would hold about them."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.training.corpus.lexicon import Family, Lexicon, Spec, fill
from models.types import Passage

_BEFORE_UNIT = re.compile(r"(?<=\d)(?=[^\W\d_])")


@dataclass(frozen=True, slots=True)
class Fact:
    """A specification (with `name` and `value`) or a statement of the shop (a whole sentence without its full stop as `value`)."""

    name: str | None
    value: str
    questions: tuple[str, ...]  # ways to ask without the name
    needs_question: bool = False  # a statement that says too little without the stored question


@dataclass(frozen=True, slots=True)
class Invented:
    title: str
    family: Family
    facts: tuple[Fact, ...]  # no two with one name or one matter


def invent(lexicon: Lexicon, rng: random.Random, *, fact_count: int, held_out: bool) -> Invented:
    """A product of a random family with `fact_count` different facts in random order."""
    family = rng.choice(lexicon.held_out_families if held_out else lexicon.families)
    facts: dict[object, Fact] = {}
    while len(facts) < fact_count:
        key, fact = invent_fact(lexicon, family, rng, held_out=held_out)
        facts.setdefault(key, fact)
    return Invented(title=_title(lexicon, family, rng), family=family, facts=tuple(facts.values()))


def _title(lexicon: Lexicon, family: Family, rng: random.Random) -> str:
    brand = fill(lexicon.brand, lexicon.words, rng).title()
    return fill(rng.choice(lexicon.titles), {**lexicon.words, "brand": (brand,), "noun": family.nouns}, rng)


def invent_fact(lexicon: Lexicon, family: Family, rng: random.Random, *, held_out: bool) -> tuple[object, Fact]:
    """One fact with the key that tells what it is about."""
    draw = rng.random()
    if draw < 0.2:
        topic = rng.choice(lexicon.topics)
        return topic.statement, Fact(None, fill(topic.statement, lexicon.words, rng), topic.questions)
    if draw < 0.4:
        return _open_statement(lexicon, rng)
    spec = part_spec(lexicon, family, rng) if draw < 0.65 else rng.choice((lexicon.held_out_specs if held_out else ()) + lexicon.specs)
    value = fill(spec.value, lexicon.words, rng)
    return spec.name, Fact(spec.name, _BEFORE_UNIT.sub(" ", value) if rng.random() < 0.4 else value, spec.questions)


def _open_statement(lexicon: Lexicon, rng: random.Random) -> tuple[object, Fact]:
    """A sentence on any matter: it is found by the words that the question shares with it or with its stored question."""
    subject = fill("{subject}", lexicon.words, rng)
    questions = tuple(question.format(subject=subject) for question in rng.sample(lexicon.open_questions, 3))
    statement = fill(lexicon.open_statement, lexicon.words, rng)
    if rng.random() < 0.5:
        return subject, Fact(None, fill("{opener}", lexicon.words, rng) + statement, questions, needs_question=True)
    return subject, Fact(None, f"{subject} {statement}" if subject.isascii() else subject + statement, questions)


def part_spec(lexicon: Lexicon, family: Family, rng: random.Random) -> Spec:
    """A property of a part of such a product, such as the colour of its lid; now and then of a part that nobody has heard of."""
    part = rng.choice(family.parts) if rng.random() < 0.8 else fill("{odd_part}", lexicon.words, rng)
    kind = rng.choice(lexicon.properties)
    return Spec(lexicon.part_name.format(part=part, property=kind.name), kind.value)


def passages(product: Invented, lexicon: Lexicon, rng: random.Random, *, with_title: bool) -> list[Passage]:
    """The product's facts as the retriever would hand them over: specifications, stored questions, texts."""
    form = lexicon.titled_form if with_title else rng.choice(lexicon.fact_forms)
    return [_passage(fact, form.replace("{title}", product.title), lexicon, rng) for fact in product.facts]


def _passage(fact: Fact, form: str, lexicon: Lexicon, rng: random.Random) -> Passage:
    if fact.name is not None:
        name = fact.name.capitalize() if form.startswith("{name}") and rng.random() < 0.3 else fact.name
        return Passage("", "spec", form.format(name=name, value=fact.value), 1.0)
    sentence = fact.value + lexicon.full_stop
    if fact.needs_question or rng.random() < 0.5:
        stored = rng.choice(fact.questions).rstrip("?？") + lexicon.question_mark
        return Passage("", "qa", stored, 1.0, question=stored, answer=sentence)
    return Passage("", "document", sentence, 1.0)


def texts(shown: Sequence[Passage]) -> list[str]:
    """The passages as lines for a script."""
    return [passage.answer or passage.text for passage in shown]
