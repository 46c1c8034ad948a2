"""Invented products with the facts that a shop would hold about them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from models.training.corpus.lexicon import Family, Lexicon, Spec, fill
from models.types import Language, Passage


@dataclass(frozen=True, slots=True)
class Fact:
    """A specification (with `name` and `value`) or a statement of the shop (a whole sentence without its full stop as `value`)."""

    name: str | None
    value: str
    questions: tuple[str, ...]  # ways to ask without the name


@dataclass(frozen=True, slots=True)
class Invented:
    title: str
    family: Family
    facts: tuple[Fact, ...]  # no two with one name or one matter


def invent(lexicon: Lexicon, rng: random.Random, *, fact_count: int, held_out: bool) -> Invented:
    """A product of a random family with `fact_count` different facts in random order."""
    family = rng.choice(lexicon.held_out_families if held_out else lexicon.families)
    title = lexicon.title.format(
        brand=fill(lexicon.brand, lexicon.words, rng).title(), modifier=rng.choice(lexicon.words["modifier"]), noun=rng.choice(family.nouns)
    )
    facts: dict[object, Fact] = {}
    while len(facts) < fact_count:
        key, fact = invent_fact(lexicon, family, rng, held_out=held_out)
        facts.setdefault(key, fact)
    return Invented(title=title, family=family, facts=tuple(facts.values()))


def invent_fact(lexicon: Lexicon, family: Family, rng: random.Random, *, held_out: bool) -> tuple[object, Fact]:
    """One fact with the key that tells what it is about."""
    draw = rng.random()
    if draw < 0.3:
        topic = rng.choice(lexicon.topics)
        return topic.statement, Fact(None, fill(topic.statement, lexicon.words, rng), topic.questions)
    spec = part_spec(lexicon, family, rng) if draw < 0.6 else rng.choice((lexicon.held_out_specs if held_out else ()) + lexicon.specs)
    return spec.name, Fact(spec.name, fill(spec.value, lexicon.words, rng), spec.questions)


def part_spec(lexicon: Lexicon, family: Family, rng: random.Random) -> Spec:
    """A property of a part of such a product, such as the colour of its lid; now and then of a part that nobody has heard of."""
    part = rng.choice(family.parts) if rng.random() < 0.8 else fill(lexicon.words["odd_part"][0], lexicon.words, rng)
    kind = rng.choice(lexicon.properties)
    return Spec(lexicon.part_name.format(part=part, property=kind.name), kind.value)


def passages(product: Invented, language: Language, rng: random.Random, *, with_title: bool) -> list[Passage]:
    """The product's facts as the retriever would hand them over: specifications, stored questions, texts."""
    separator = rng.choice(("：", "：", ": ", " ")) if language == "zh" else ": "
    prefix = product.title + rng.choice((" ", "的", " · ") if language == "zh" else (" ", " · ", ", ")) if with_title else ""
    return [_passage(fact, prefix, separator, language, rng) for fact in product.facts]


def _passage(fact: Fact, prefix: str, separator: str, language: Language, rng: random.Random) -> Passage:
    if fact.name is not None:
        name = fact.name.capitalize() if not prefix and rng.random() < 0.5 else fact.name
        return Passage("", "spec", f"{prefix}{name}{separator}{fact.value}", 1.0)
    sentence = full(fact.value, language)
    if rng.random() < 0.5:
        stored = rng.choice(fact.questions) + ("？" if language == "zh" else "?")
        return Passage("", "qa", stored, 1.0, question=stored, answer=sentence)
    return Passage(
        "", "document", prefix.rstrip(" ·,的") + ("，" if prefix and language == "zh" else ": " if prefix else "") + sentence, 1.0
    )


def full(statement: str, language: Language) -> str:
    """The statement with its full stop."""
    return statement + ("。" if language == "zh" else ".")


def texts(shown: Sequence[Passage]) -> list[str]:
    """The passages as lines for a script."""
    return [passage.answer or passage.text for passage in shown]
