"""The word lists of the corpus (our own writing) and the small pattern language that values are written in.

For each language: `zh.json` names products and forms, `zh_matters.json` what can be known of them, `zh_texts.json` scripts and replies.
"""

import functools
import json
import random
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.types import Language

_SLOT = re.compile(r"\{(\w+)(?::(\d+)-(\d+))?\}")
_HAN_POOL = "characters"  # in `words`: the ones that `{han:..}` chooses from, if not any
_PARTS = ("{language}.json", "{language}_matters.json", "{language}_texts.json")
# The 3,755 level-one characters of GB 2312: strings of them teach to copy what was never seen.
_HANZI = tuple(bytes((high, low)).decode("gb2312") for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF) if (high, low) < (0xD7, 0xFA))


@dataclass(frozen=True, slots=True)
class Spec:
    """A named property of a product: how its values look and how viewers ask for it."""

    names: tuple[str, ...]  # the first one identifies it, the others are said for it as well
    values: tuple[str, ...]  # patterns
    told: tuple[str, ...] = ()  # sentences with `{v}` for the value, patterns besides
    questions: tuple[str, ...] = ()  # ways to ask without the name

    @property
    def key(self) -> str:
        return self.names[0]


@dataclass(frozen=True, slots=True)
class Topic:
    """A matter that shops answer in one sentence."""

    statements: tuple[str, ...]  # patterns of the sentence
    questions: tuple[str, ...]
    like: tuple[str, ...]  # keys of specifications that the same questions may mean


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of product with the parts that its kind has."""

    nouns: tuple[str, ...]
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replies:
    """Comments that ask nothing, and what to say to any of them."""

    comments: tuple[str, ...]
    replies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    words: Mapping[str, tuple[str, ...]]  # what patterns choose from
    full_stop: str
    question_mark: str
    brand: str  # pattern
    titles: tuple[str, ...]  # patterns; `brand`, `modifier` and `noun` are filled in first
    open_statement: str  # pattern of a sentence on any matter
    open_questions: tuple[str, ...]  # formats with `subject`
    fact_forms: tuple[str, ...]  # how a specification stands in the facts: formats with `name` and `value`
    titled_form: str  # the same with `title`
    fact_join: str  # between specifications on one line
    families: tuple[Family, ...]
    held_out_families: tuple[Family, ...]
    specs: tuple[Spec, ...]
    held_out_specs: tuple[Spec, ...]
    properties: tuple[Spec, ...]  # of parts: the name of a fact is part + property
    part_name: str  # format with `part` and `property`
    topics: tuple[Topic, ...]
    rivals: tuple[frozenset[str], ...]  # keys of specs that questions without the name may confuse
    name_questions: tuple[str, ...]  # formats with `name`
    pair_questions: tuple[str, ...]  # formats with `first` and `second`
    check_questions: tuple[str, ...]  # formats with `name` and `value`
    compare_questions: tuple[str, ...]  # formats with `first`, `second` (products) and `name`
    which_questions: tuple[str, ...]  # formats with `product` and `name`
    loose_questions: tuple[str, ...]  # formats with `words`
    off_topic: tuple[str, ...]  # questions that no product data answers
    replies: tuple[Replies, ...]
    script: Mapping[str, tuple[str, ...]]  # sentences of each kind of segment, formats with `title`, `audience`, `scene`
    price_sentences: tuple[str, ...]  # with the price mark
    fact_sentences: tuple[str, ...]  # formats with `name` and `value`
    statement_sentences: tuple[str, ...]  # formats with `statement`
    description_openings: tuple[str, ...]  # formats with `title`
    ads: tuple[str, ...]  # formats with `title`
    fillers: tuple[str, ...]  # that may end any copy


@functools.cache
def load_lexicon(language: Language) -> Lexicon:
    """The word lists of a language."""
    lists: dict[str, Any] = {}
    for part in _PARTS:
        lists |= json.loads(Path(__file__).with_name(part.format(language=language)).read_text("utf-8"))
    read = {name: _READERS.get(name, _texts)(value) for name, value in lists.items()}
    return Lexicon(**read)


def _texts(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The same with tuples for lists."""
    if isinstance(value, dict):
        return {name: _texts(inner) for name, inner in value.items()}
    return tuple(_texts(inner) for inner in value) if isinstance(value, list) else value


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("|")) if text else ()


def _specs(value: list[list[str]]) -> tuple[Spec, ...]:
    return tuple(Spec(*map(_split, fields)) for fields in value)


def _families(value: list[dict[str, Any]]) -> tuple[Family, ...]:
    return tuple(Family(**_texts(item)) for item in value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "families": _families,
    "held_out_families": _families,
    "specs": _specs,
    "held_out_specs": _specs,
    "properties": _specs,
    "topics": lambda value: tuple(Topic(*map(_split, fields)) for fields in value),
    "rivals": lambda value: tuple(frozenset(_split(group)) for group in value),
    "replies": lambda value: tuple(Replies(tuple(comments), tuple(replies)) for comments, replies in value),
}


def narrowed(lexicon: Lexicon, rng: random.Random) -> Lexicon:
    """Half of the time the same with few characters to make up words of: copying must then look at more than what came before."""
    if rng.random() < 0.5:
        return lexicon
    return replace(lexicon, words={**lexicon.words, _HAN_POOL: tuple(rng.sample(_HANZI, rng.randint(4, 24)))})


def fill(pattern: str, words: Mapping[str, tuple[str, ...]], rng: random.Random) -> str:
    """Replace each slot: `{int:1-500}`, `{dec:1-9}` (one decimal), `{han:2-4}` (characters), `{code:1-1}`, or a list of `words`."""
    return _SLOT.sub(lambda slot: _slot(slot, words, rng), pattern)


def _slot(slot: re.Match[str], words: Mapping[str, tuple[str, ...]], rng: random.Random) -> str:
    name, low, high = slot[1], int(slot[2] or 0), int(slot[3] or 0)
    match name:
        case "int":
            return str(rng.randint(low, high))
        case "dec":
            return f"{rng.randint(low, high)}.{rng.randint(0, 9)}"
        case "han":
            return "".join(rng.choices(words.get(_HAN_POOL, _HANZI), k=rng.randint(low, high)))
        case "letters":
            return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(low, high)))
        case "code":
            letters = "".join(rng.choices(string.ascii_uppercase, k=rng.randint(1, 3)))
            return f"{letters}{rng.choice(('-', '', ''))}{rng.randint(10, 9999)}"
    return fill(rng.choice(words[name]), words, rng)
