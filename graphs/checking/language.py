"""Is a generated text in one piece of one language? A small model that loses its way glues English to Chinese, or changes the language."""

import re
import unicodedata
from collections.abc import Iterable

from graphs.reading.characters import CJK, HAN
from graphs.reading.neutral import wording
from models.types import Language

_GLUED = re.compile(rf"[{HAN}]([a-z]{{2,}})|(?<![a-z])([a-z]{{2,}})[{HAN}\d]")
_WORD = re.compile(r"[a-z]{2,}")


def is_glued(text: str, known: Iterable[str]) -> bool:
    """Whether an English word of every text, or one that is not known, stands against a Chinese character or a figure.

    >>> is_glued("The发货很快", ["发货"]), is_glued("支持USB充电", ["USB charging"]), is_glued("The3 is", ["3"])
    (True, False, True)
    """
    folded, plain = [_folded(each) for each in known], _folded(text)
    words = {word for each in folded for word in _WORD.findall(each)}
    return any(
        (word in wording().function_words or (bool(CJK.search(match[0])) and word not in words))
        and not any(match[0] in each for each in folded)
        for match in _GLUED.finditer(plain)
        for word in (match[1] or match[2],)
    )


def is_in_language(text: str, language: Language, names: Iterable[str]) -> bool:
    """Whether a text is in a language, names aside; a few words without a sentence around them are in both.

    >>> is_in_language("It ships the same day", "zh", ()), is_in_language("当天发货", "en", ()), is_in_language("USB-C", "zh", ())
    (False, False, True)
    """
    plain = _folded(text)
    for name in sorted(map(_folded, names), key=len, reverse=True):
        plain = plain.replace(name, " ")
    words, characters = _WORD.findall(plain), CJK.findall(plain)
    if language == "zh":
        return len(words) <= len(characters) or not (characters or any(word in wording().function_words for word in words))
    return len(characters) <= len(words)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()
