"""Words of questions that point at nothing in particular: politeness, fillers, what one calls any product (`data/wording.json`)."""

import json
import re
from functools import cache
from importlib import resources
from typing import NamedTuple, TypedDict, cast


class Wording(NamedTuple):
    """What carries no meaning of its own, Chinese and English."""

    light_characters: frozenset[str]  # say little when they stand alone: measure words, common verbs, colours
    container_characters: frozenset[str]  # light ones that name a part behind the product's name: 枕套
    part_characters: frozenset[str]  # name a part where they stand alone
    function_characters: frozenset[str]  # never part of what a text is about
    neutral: re.Pattern[str]  # Chinese phrases
    neutral_words: frozenset[str]  # English words that questions share
    function_words: frozenset[str]  # English words of every text


class _Row(TypedDict):
    light_characters: str
    container_characters: str
    part_characters: str
    function_characters: str
    neutral_zh: list[str]
    neutral_en: list[str]
    function_en: list[str]


@cache
def wording() -> Wording:
    row = cast(_Row, json.loads(resources.files("graphs").joinpath("data", "wording.json").read_text(encoding="utf-8")))
    return Wording(
        frozenset(row["light_characters"]),
        frozenset(row["container_characters"]),
        frozenset(row["part_characters"]),
        frozenset(row["function_characters"]),
        re.compile("|".join(sorted(row["neutral_zh"], key=len, reverse=True))),
        frozenset(row["neutral_en"]),
        frozenset(row["function_en"]),
    )


def without_neutral(text: str) -> str:
    """A text with a blank for each Chinese phrase that points at nothing; English ones are left out word by word where words are read.

    >>> without_neutral("主播这款防水").split()
    ['防水']
    """
    return wording().neutral.sub(" ", text)
