"""Prompts with the answers that the writer should give."""

import random
from dataclasses import dataclass, replace
from typing import Literal

from models.prompts import answer_prompt, question_line
from models.training.corpus.lexicon import Lexicon, load_lexicon, narrowed
from models.training.corpus.products import Invented, invent, passages, value_of
from models.training.corpus.questions import Asked, QuestionKind, ask, compare, spoken
from models.training.corpus.scripts import copy, script
from models.types import Language, Prompt

Kind = Literal["spec", "pair", "check", "topic", "reply", "refusal", "compare", "script", "copy"]
Message = tuple[Literal["system", "user", "assistant"], str]
_QUESTIONS: tuple[QuestionKind, ...] = ("spec", "pair", "check", "topic", "reply", "refusal")
_QUESTION_SHARES = (0.34, 0.05, 0.07, 0.24, 0.03, 0.27)
_KINDS: tuple[Kind, ...] = (*_QUESTIONS, "compare", "script", "copy")
_SHARES = (0.28, 0.04, 0.05, 0.24, 0.02, 0.22, 0.03, 0.07, 0.05)
WRITTEN: frozenset[Kind] = frozenset({"script", "copy"})  # kinds that are answered in JSON sentences


@dataclass(frozen=True, slots=True)
class Example:
    kind: Kind
    language: Language
    prompt: Prompt
    answer: str
    values: tuple[str, ...]  # what a correct answer holds word for word


@dataclass(frozen=True, slots=True)
class Recipe:
    """What kind of example to make; `max_facts` grows over training, because copying is learnt first where little is said."""

    kind: Kind
    language: Language
    max_facts: int
    held_out: bool


def random_recipe(rng: random.Random, *, max_facts: int = 5, held_out: bool = False) -> Recipe:
    """A recipe with the shares of the corpus."""
    kind = rng.choices(_KINDS, _SHARES)[0]
    return Recipe(kind, rng.choice(("zh", "zh", "en", "en", "zh")), max_facts, held_out)


def make(recipe: Recipe, rng: random.Random) -> Example:
    """The example that `rng` leads to. Its prompt holds all of its values."""
    while (example := _example(recipe, rng)) is None:
        pass
    return example


def converse(recipe: Recipe, rng: random.Random, *, turns: int) -> tuple[Message, ...]:
    """A conversation of at most `turns` questions about one product, with its answers: more to learn from the same facts."""
    if recipe.kind in WRITTEN or recipe.kind == "compare":
        example = make(recipe, rng)
        return (*example.prompt.messages, ("assistant", example.answer))
    lexicon = narrowed(load_lexicon(recipe.language), rng)
    product = _product(recipe, lexicon, rng)
    messages: list[Message] = []
    for _ in range(turns):
        kind = recipe.kind if not messages else rng.choices(_QUESTIONS, _QUESTION_SHARES)[0]
        asked = _asked(replace(recipe, kind=kind), product, lexicon, rng)
        if asked is None or asked.answer in (text for _, text in messages):  # it could be copied from above instead of found
            continue
        question = spoken(asked.question, product, lexicon, rng)
        if not messages:
            messages += _shown(product, question, recipe, lexicon, rng).messages
        else:
            messages.append(("user", question_line(question, recipe.language)))
        if not _holds(messages[1][1], asked):
            return converse(recipe, rng, turns=turns)
        messages.append(("assistant", asked.answer))
    return tuple(messages) or converse(recipe, rng, turns=turns)


def _example(recipe: Recipe, rng: random.Random) -> Example | None:
    lexicon = narrowed(load_lexicon(recipe.language), rng)
    if recipe.kind in WRITTEN:
        product = invent(lexicon, rng, fact_count=rng.randint(1, recipe.max_facts + 2), held_out=recipe.held_out)
        written = (script if recipe.kind == "script" else copy)(product, lexicon, rng)
        return Example(recipe.kind, recipe.language, written.prompt, written.answer, written.values)
    if recipe.kind == "compare":
        return _comparison(recipe, lexicon, rng)
    product = _product(recipe, lexicon, rng)
    asked = _asked(recipe, product, lexicon, rng)
    if asked is None:
        return None
    prompt = _shown(product, spoken(asked.question, product, lexicon, rng), recipe, lexicon, rng)
    return Example(recipe.kind, recipe.language, prompt, asked.answer, asked.values) if _holds(prompt.messages[1][1], asked) else None


def _holds(shown: str, asked: Asked) -> bool:
    return all(value in shown for value in asked.values)


def _product(recipe: Recipe, lexicon: Lexicon, rng: random.Random) -> Invented:
    """A product with facts; now and then nothing is known, and every question is declined."""
    nothing = recipe.kind == "refusal" and rng.random() < 0.05
    return invent(lexicon, rng, fact_count=0 if nothing else rng.randint(1, recipe.max_facts), held_out=recipe.held_out)


def _asked(recipe: Recipe, product: Invented, lexicon: Lexicon, rng: random.Random) -> Asked | None:
    kind = next(kind for kind in _QUESTIONS if kind == recipe.kind)
    return ask(kind, product, lexicon, rng, held_out=recipe.held_out)


def _shown(product: Invented, question: str, recipe: Recipe, lexicon: Lexicon, rng: random.Random) -> Prompt:
    """The prompt; sometimes the title stands in each passage, and sometimes a second title is on the shelf."""
    several = rng.random() < 0.15
    shown = passages(product, lexicon, rng, with_title=rng.random() < (0.8 if several else 0.2))
    titles = [product.title]
    if several:
        titles.insert(rng.randint(0, 1), invent(lexicon, rng, fact_count=0, held_out=recipe.held_out).title)
    return answer_prompt(question, shown, titles, recipe.language)


def _comparison(recipe: Recipe, lexicon: Lexicon, rng: random.Random) -> Example | None:
    """Two products of one family, one matter known of both and perhaps another one of each."""
    first = invent(lexicon, rng, fact_count=rng.randint(1, 2), held_out=recipe.held_out)
    named = [fact for fact in first.facts if fact.name is not None]
    if not named:
        return None
    fact = rng.choice(named)
    second = invent(lexicon, rng, fact_count=rng.randint(0, 1), held_out=recipe.held_out, family=first.family)
    other = replace(fact, value=value_of(fact.patterns, lexicon, rng))
    if fact.key in second.keys or first.short_title == second.short_title:
        return None
    second = replace(second, facts=(*second.facts, other))
    asked = compare(first, second, fact, other.value, lexicon, rng)
    shown = [passage for product in (first, second) for passage in passages(product, lexicon, rng, with_title=True)]
    titles = [first.title, second.title]
    rng.shuffle(titles)
    rng.shuffle(shown)
    prompt = answer_prompt(asked.question, shown, titles, recipe.language)
    return Example("compare", recipe.language, prompt, asked.answer, asked.values) if _holds(prompt.messages[1][1], asked) else None
