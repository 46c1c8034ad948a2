"""Invented products with the facts that a shop would hold about them."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.training.corpus.lexicon import Family, Lexicon, Spec, fill
from models.types import Passage

_BEFORE_UNIT = re.compile(r"(?<=\d)(?=[^\W\d_])")


@dataclass(frozen=True, slots=True)
class Fact:
    """A specification (with `name` and `value`) or a statement of the shop (a whole sentence without its full stop as `value`)."""

    key: str  # what it is about
    name: str | None
    value: str
    questions: tuple[str, ...]  # ways to ask for it, those with another name for the same included
    like: tuple[str, ...] = ()  # keys that its questions may mean as well
    patterns: tuple[str, ...] = ()  # how its value might look as well
    stored: str | None = None  # the question that a statement is stored under


@dataclass(frozen=True, slots=True)
class Invented:
    title: str
    short_title: str  # brand and noun, as viewers call it
    noun: str
    family: Family
    facts: tuple[Fact, ...]  # no two with one name or one matter

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(fact.key for fact in self.facts)


def invent(lexicon: Lexicon, rng: random.Random, *, fact_count: int, held_out: bool, family: Family | None = None) -> Invented:
    """A product of a random family with `fact_count` different facts in random order."""
    family = family or rng.choice(lexicon.held_out_families if held_out else lexicon.families)
    facts: list[Fact] = []
    while len(facts) < fact_count:
        fact = invent_fact(lexicon, family, rng, held_out=held_out)
        if not any(_one_matter(fact, other) for other in facts):
            facts.append(fact)
    noun, brand = rng.choice(family.nouns), fill(lexicon.brand, lexicon.words, rng).title()
    title = fill(rng.choice(lexicon.titles), {**lexicon.words, "brand": (brand,), "noun": (noun,)}, rng)
    short = brand + noun if lexicon.full_stop == "。" else f"{brand} {noun}"
    return Invented(title, short, noun, family, tuple(facts))


def _one_matter(first: Fact, second: Fact) -> bool:
    return first.key == second.key or first.key in second.like or second.key in first.like or (first.name or "") == second.name


def invent_fact(lexicon: Lexicon, family: Family, rng: random.Random, *, held_out: bool) -> Fact:
    """A fact on a topic, on anything, on a part, of a name that nobody heard before, or on what many products have."""
    draw = rng.random()
    if draw < 0.18:
        topic = rng.choice(lexicon.topics)
        sentence = fill(rng.choice(topic.statements), lexicon.words, rng)
        return _stored(Fact(topic.questions[0], None, sentence, topic.questions, topic.like), lexicon, rng)
    if draw < 0.28:
        return open_statement(lexicon, rng)
    if draw < 0.38:
        return spec_fact(part_spec(lexicon, family, rng), lexicon, rng)
    if draw < 0.44:
        return spec_fact(odd_spec(lexicon, rng), lexicon, rng)
    if held_out and draw < 0.54:
        return spec_fact(rng.choice(lexicon.held_out_specs), lexicon, rng)
    spec = rng.choice(lexicon.specs)
    return spec_fact(spec, lexicon, rng) if draw < 0.82 else _told(spec, lexicon, rng)


def spec_fact(spec: Spec, lexicon: Lexicon, rng: random.Random) -> Fact:
    """A named value."""
    name = spec.key if rng.random() < 0.6 else rng.choice(spec.names)
    aliases = tuple(rng.choice(lexicon.name_questions).format(name=other) for other in spec.names if other != name)
    return Fact(spec.key, name, value_of(spec.values, lexicon, rng), spec.questions + aliases[:1], patterns=spec.values)


def value_of(patterns: Sequence[str], lexicon: Lexicon, rng: random.Random) -> str:
    """A value of one of the `patterns`, now and then with a space before the unit."""
    value = fill(rng.choice(patterns), lexicon.words, rng)
    return _BEFORE_UNIT.sub(" ", value, count=1) if rng.random() < 0.3 else value


def _told(spec: Spec, lexicon: Lexicon, rng: random.Random) -> Fact:
    """A specification in a sentence that does not name it."""
    if not spec.told:
        return spec_fact(spec, lexicon, rng)
    sentence = fill(rng.choice(spec.told).replace("{v}", value_of(spec.values, lexicon, rng)), lexicon.words, rng)
    named = tuple(question.format(name=spec.key) for question in rng.sample(lexicon.name_questions, 2))
    sentence = sentence[0].upper() + sentence[1:] if rng.random() < 0.8 else sentence
    return _stored(Fact(spec.key, None, sentence, spec.questions + named), lexicon, rng)


def _stored(fact: Fact, lexicon: Lexicon, rng: random.Random, *, share: float = 0.4) -> Fact:
    """The statement, under one of its questions or, more often, alone."""
    if rng.random() >= share:
        return fact
    return replace(fact, stored=rng.choice(fact.questions).rstrip("?？") + lexicon.question_mark)


def open_statement(lexicon: Lexicon, rng: random.Random) -> Fact:
    """A sentence on any matter: it is found by the words that the question shares with it or with its stored question."""
    subject = fill("{subject}", lexicon.words, rng)
    questions = tuple(question.format(subject=subject) for question in rng.sample(lexicon.open_questions, 3))
    statement = fill(lexicon.open_statement, lexicon.words, rng)
    if rng.random() < 0.5:
        return _stored(Fact(subject, None, fill("{opener}", lexicon.words, rng) + statement, questions), lexicon, rng, share=1.0)
    sentence = f"{subject} {statement}" if subject.isascii() else subject + statement
    return _stored(Fact(subject, None, sentence, questions), lexicon, rng)


def part_spec(lexicon: Lexicon, family: Family, rng: random.Random) -> Spec:
    """A property of a part of such a product, such as the colour of its lid; now and then of a part that nobody has heard of."""
    part = rng.choice(family.parts) if rng.random() < 0.8 else fill("{odd_part}", lexicon.words, rng)
    kind = rng.choice(lexicon.properties)
    return Spec((lexicon.part_name.format(part=part, property=kind.key),), kind.values)


def odd_spec(lexicon: Lexicon, rng: random.Random) -> Spec:
    """A specification with an invented name: what is asked can only be found by its name."""
    values = lexicon.words["odd_value"] if rng.random() < 0.7 else rng.choice(lexicon.specs).values
    return Spec((fill("{odd_name}", lexicon.words, rng),), values)


def passages(product: Invented, lexicon: Lexicon, rng: random.Random, *, with_title: bool) -> list[Passage]:
    """The product's facts as the retriever would hand them over: specifications, stored questions, texts."""
    usual = rng.choice(lexicon.fact_forms)
    mixed = (usual, usual, usual, rng.choice(lexicon.fact_forms))
    forms = [lexicon.titled_form if with_title else rng.choice(mixed) for _ in product.facts]
    shown = [_passage(fact, form.replace("{title}", product.title), lexicon, rng) for fact, form in zip(product.facts, forms, strict=True)]
    return shown if with_title or rng.random() < 0.7 else _run_together(shown, lexicon, rng)


def _run_together(shown: list[Passage], lexicon: Lexicon, rng: random.Random) -> list[Passage]:
    """The first two or three specifications on one line, and the first two or three sentences in one paragraph."""
    many = rng.randint(2, 3)
    specs = [passage for passage in shown if passage.kind == "spec"][:many]
    texts = [passage for passage in shown if passage.kind == "document"][:many]
    rest = [passage for passage in shown if passage not in specs and passage not in texts]
    if specs:
        rest.append(Passage("", "spec", lexicon.fact_join.join(passage.text.rstrip("。.") for passage in specs), 1.0))
    if texts:
        glue = "" if lexicon.full_stop == "。" else " "
        rest.append(Passage("", "document", glue.join(passage.text for passage in texts), 1.0))
    rng.shuffle(rest)
    return rest


def _passage(fact: Fact, form: str, lexicon: Lexicon, rng: random.Random) -> Passage:
    if fact.name is not None:
        name = fact.name.capitalize() if form.startswith("{name}") and rng.random() < 0.3 else fact.name
        return Passage("", "spec", form.format(name=name, value=fact.value), 1.0)
    sentence = fact.value + lexicon.full_stop
    if fact.stored is not None:
        return Passage("", "qa", fact.stored, 1.0, question=fact.stored, answer=sentence)
    return Passage("", "document", sentence, 1.0)


def texts(shown: Sequence[Passage]) -> list[str]:
    """The passages as lines for a script."""
    return [passage.answer or passage.text for passage in shown]
