"""Which properties of a product a question asks for, and which a piece of evidence tells of, by the words in `data/properties.json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from models.language.segment import folded, words

Side = Literal["asked", "told"]
Marks = NDArray[np.float32]  # float32 (properties,)
_LONGEST = 4  # words of a phrase


@dataclass(frozen=True, slots=True)
class Phrases:
    """How properties sound, asked for or told of."""

    count: int
    stems: Mapping[tuple[str, ...], tuple[int, ...]]  # English: stemmed words -> properties
    chinese: Mapping[str, tuple[int, ...]]  # written anywhere

    def marks(self, text: str, stemmed: list[str]) -> Marks:
        """For each property the words of the longest phrase found, 0 where none is; `stemmed` are the words of `text`."""
        found = np.zeros(self.count, dtype=np.float32)
        for size in range(1, _LONGEST + 1):
            for start in range(len(stemmed) - size + 1):
                for place in self.stems.get(tuple(stemmed[start : start + size]), ()):
                    found[place] = size
        if not text.isascii():
            plain = folded(text)
            for phrase, places in self.chinese.items():
                if phrase in plain:
                    found[list(places)] = np.maximum(found[list(places)], 1.0)
        return found


@cache
def phrases(side: Side) -> Phrases:
    text = resources.files("models.language").joinpath("data", "properties.json").read_text(encoding="utf-8")
    table = cast(Mapping[str, Mapping[str, Mapping[str, list[str]]]], json.loads(text))
    stems: dict[tuple[str, ...], tuple[int, ...]] = {}
    chinese: dict[str, tuple[int, ...]] = {}
    for place, row in enumerate(table.values()):
        for phrase in row[side]["en"]:
            key = tuple(words(phrase))
            stems[key] = (*stems.get(key, ()), place)
        for phrase in row[side]["zh"]:
            chinese[phrase] = (*chinese.get(phrase, ()), place)
    return Phrases(len(table), stems, chinese)
