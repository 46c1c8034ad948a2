"""Does the evidence carry a text in words, beside its figures? Overlap of what both are about: words, and pairs of Chinese characters."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from graphs.reading.characters import CJK_RUN, X_NOT_X
from graphs.reading.neutral import wording

OWN_WORDS = 0.3  # share of a text's content that may be the speaker's way of putting it
FEW_WORDS = 3  # of content from which on one may be the speaker's own
_LATIN = re.compile(r"[a-z][a-z'-]*[a-z]|\d[\d.,]*")
_LOOP = re.compile(r"(\D{2,24}?)\1{2,}|([^\d])\2{4,}", re.DOTALL)  # a piece three times in a row, a character five times
_PIECE = 10
_STEM = 5  # letters from which on a beginning tells a name
_QUESTION = re.compile(
    r"[?？]|吗|呢|什么|啥|谁|哪|几[点时个号天]|多[少久大重长高]|怎么|咋|为何|为什么|能不能|可不可以|是不是|有没有"
    rf"|{X_NOT_X}|[不没]\W*$|想问|请问|问一?下|求|麻烦|(?:说|报|讲|介绍|发)(?:一?下|讲|说)"
    r"|\b(?:please|tell me|may i|let me know|do you|i wonder)\b"
    r"|\b(?:who|whom|whose|what|when|where|why|how|which)\b|^(?:is|are|was|were|do|does|did|can|could|will|would|has|have|should)\b",
    re.IGNORECASE,
)


def content_of(text: str) -> frozenset[str]:
    """The words and character pairs that carry meaning, plurals folded.

    >>> sorted(content_of("Are the shoes waterproof?"))
    ['shoe', 'waterproof']
    >>> sorted(content_of("这款能防水吗"))
    ['防水']
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    idle = wording()
    words = {_singular(word) for word in _LATIN.findall(plain)} - idle.function_words
    pairs = {
        a + b
        for run in CJK_RUN.findall(plain)
        for a, b in pairwise(run)
        if a not in idle.function_characters and b not in idle.function_characters
    }
    return frozenset(words | pairs)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def unsupported(text: str, evidence: Iterable[str]) -> frozenset[str]:
    """The content of a text that the evidence does not hold."""
    return content_of(text) - frozenset[str]().union(*map(content_of, evidence))


def is_carried(text: str, evidence: Iterable[str]) -> bool:
    """Whether nearly all that a text is about is in the evidence.

    Of one or two words none may be the speaker's own, of a few one, of more a third.
    """
    size = len(content_of(text))
    return len(unsupported(text, evidence)) <= max(float(size >= FEW_WORDS), OWN_WORDS * size)


def is_broken(text: str) -> bool:
    """Whether a model has lost its way: half characters, or the same piece again and again.

    >>> is_broken("is it is it is it is it"), is_broken("yes, it is"), is_broken("it is \ufffd")
    (True, False, True)
    """
    return "\ufffd" in text or _LOOP.search(text) is not None or _repeats(text)


def _repeats(text: str) -> bool:
    """A piece of `_PIECE` characters that comes three times, neighbouring or not."""
    pieces = Counter(text[start : start + _PIECE] for start in range(len(text) - _PIECE + 1))
    return max(pieces.values(), default=0) >= 3


def garbles(text: str, names: Iterable[str]) -> bool:
    """Whether a word of the text is a broken piece of a name: it begins like one of its words and is none.

    >>> garbles("Today we look at Fjellm and more.", ["Fjellmark Trail"]), garbles("The Fjellmark is here.", ["Fjellmark Trail"])
    (True, False)
    """
    words = {word for name in names for word in _LATIN.findall(unicodedata.normalize("NFKC", name).lower()) if len(word) >= _STEM}
    said = set(_LATIN.findall(unicodedata.normalize("NFKC", text).lower()))
    return any(word[:_STEM] == name[:_STEM] and _singular(word) != _singular(name) for word in said - words for name in words)


def is_question(text: str) -> bool:
    """Whether a comment asks something.

    >>> is_question("好看！"), is_question("谁设计的"), is_question("where is it made")
    (False, True, True)
    """
    return _QUESTION.search(text) is not None


def asked_beyond(question: str, titles: Iterable[str]) -> frozenset[str]:
    """What a question asks, without the names of the products it asks about."""
    return content_of(question) - frozenset[str]().union(*map(content_of, titles))
