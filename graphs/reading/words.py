"""The words of a text that it is about: stems of English words, pairs of Chinese characters."""

import re
from functools import lru_cache
from itertools import pairwise

from graphs.reading.characters import CJK, CJK_RUN
from graphs.reading.neutral import wording

STEM = 4  # letters that stay of a word
_WORD = re.compile(r"[a-z][a-z0-9'+-]*|\d[\d.,]*[a-z%°]*")
_ENDINGS = re.compile(r"(?:ings?|ed|es|s|ers?|able|ly|e|y)$")


@lru_cache(maxsize=16_384)
def units(text: str) -> frozenset[str]:
    """What a spread text is about: stems of words, figures, pairs of Chinese characters, and characters that stand alone.

    >>> sorted(units(" 壶盖 rated straps "))
    ['rated', 'strap', '壶盖']
    """
    idle = wording()
    words = {_stem(word) for word in _WORD.findall(text) if word not in idle.function_words and word not in idle.neutral_words}
    return frozenset(words.union(*(_pairs(run) for run in CJK_RUN.findall(text))))


def _pairs(run: str) -> set[str]:
    idle = wording()
    if len(run) == 1:
        return {run} & idle.part_characters
    return {a + b for a, b in pairwise(run) if a not in idle.function_characters and b not in idle.function_characters}


def _stem(word: str) -> str:
    word = word.strip("'-.,").replace("our", "or").replace("grey", "gray")
    short = _ENDINGS.sub("", word)
    short = short if len(short) >= STEM or len(short) == len(word) - 1 >= 3 else word
    return short[:-1] if len(short) > STEM and short[-1] == short[-2] else short


def is_in(unit: str, known: frozenset[str]) -> bool:
    """Whether a unit stands in known ones: itself, a single character within a pair, a word that begins like a known one."""
    if unit in known:
        return True
    if CJK.match(unit):
        return len(unit) == 1 and any(unit in pair for pair in known)
    return len(unit) > STEM and any(k[:5] == unit[:5] and abs(len(k) - len(unit)) <= 3 for k in known if k.isascii())


def holds_all(known: frozenset[str], wanted: frozenset[str]) -> bool:
    """Whether each of some wanted units, at least one, stands in the known ones."""
    return bool(wanted) and all(is_in(unit, known) for unit in wanted)
