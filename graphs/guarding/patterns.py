"""The patterns of the guard, over folded text unless said otherwise."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple, TypedDict, cast


class Row(TypedDict):
    instructions: list[str]
    never: Mapping[str, str]
    unless_known: Mapping[str, str]
    prices: list[str]
    fees: list[str]


class Patterns(NamedTuple):
    instructions: re.Pattern[str]  # sentences that address a model
    never: Mapping[str, re.Pattern[str]]  # what no text holds: markers of chats, secrets
    unless_known: Mapping[str, re.Pattern[str]]  # what a text holds only where the evidence does: addresses, markup, abuse, gifts
    prices: re.Pattern[str]  # words that tell a price; over NFKC text in small letters
    fees: re.Pattern[str]  # words for money that is not the price of the goods; likewise


def row() -> Row:
    """The patterns as they are written down."""
    return cast(Row, json.loads(resources.files("graphs").joinpath("data", "guarding.json").read_text(encoding="utf-8")))


@cache
def patterns() -> Patterns:
    told = row()
    return Patterns(
        _any_of(told["instructions"]),
        {name: re.compile(pattern, re.ASCII) for name, pattern in told["never"].items()},
        {name: re.compile(pattern, re.ASCII) for name, pattern in told["unless_known"].items()},
        _any_of(told["prices"]),
        _any_of(told["fees"]),
    )


def _any_of(sources: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{source})" for source in sources), re.ASCII)
