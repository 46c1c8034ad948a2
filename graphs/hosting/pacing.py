"""How long a text takes to say, and how sentences are chosen to fill a time."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from graphs.reading.characters import CJK
from models.types import Language

# A lively host: 250 Chinese characters, or 150 English words, a minute.
CHARACTERS_PER_S = 250 / 60
WORDS_PER_S = 150 / 60
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_LATIN_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
_SENTENCE_END = re.compile(r"(?:[。！？!?…\n]|\.(?![^\s”\"’')]))[。！？!?.…\n”\"’'」』）)]*\s*")


def spoken_s(text: str, language: Language) -> float:
    """Seconds that a host needs to say it. A number counts as the words it is read in.

    >>> round(spoken_s("这款只要八十九元", "zh"), 2), round(spoken_s("这款只要89元", "zh"), 2)
    (1.92, 1.92)
    """
    numbers = _NUMBER.findall(text)
    rest = _NUMBER.sub(" ", text)
    said = sum(_read_length(number, language) for number in numbers)
    characters_s = len(CJK.findall(rest)) / CHARACTERS_PER_S
    words_s = len(_LATIN_WORD.findall(rest)) / WORDS_PER_S
    return characters_s + words_s + said / (CHARACTERS_PER_S if language == "zh" else WORDS_PER_S)


def sentences_of(text: str) -> list[str]:
    """The text cut behind its sentences; joined they are the text. A point within a figure or a name (1.5, a.b) ends none.

    >>> sentences_of("It is 1.5 L. Yes! 好的。那就")
    ['It is 1.5 L. ', 'Yes! ', '好的。', '那就']
    """
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    cuts = [0, *ends, *([len(text)] if not ends or ends[-1] < len(text) else [])]
    return [text[start:end] for start, end in pairwise(cuts) if start < end]


def filled(sentences: Sequence[str], spare: Iterable[str], seconds: float, language: Language) -> list[str]:
    """The first of `sentences` that together come nearest to `seconds`, then as many of the `spare` ones as bring them nearer.

    Sentences of the first kind are taken in order up to one that does not fit; spare ones that do not fit give way to shorter ones
    behind them.
    """
    chosen: list[str] = []
    used_s = 0.0
    for sentence, is_spare in _marked(sentences, spare):
        took_s = spoken_s(sentence, language)
        if used_s + took_s / 2 <= seconds:
            chosen.append(sentence)
            used_s += took_s
        elif not is_spare:
            break
    return chosen


def joined(sentences: Iterable[str], language: Language) -> str:
    return ("" if language == "zh" else " ").join(sentence.strip() for sentence in sentences)


def _marked(sentences: Iterable[str], spare: Iterable[str]) -> Iterator[tuple[str, bool]]:
    yield from ((sentence, False) for sentence in sentences)
    yield from ((sentence, True) for sentence in spare)


def _read_length(number: str, language: Language) -> int:
    """Characters (zh) or words (en) that a number is read in, about: 199 is 一百九十九.

    >>> [_read_length(n, "zh") for n in ("9", "89", "500", "199", "4.2")], [_read_length(n, "en") for n in ("9", "89", "500", "199", "4.2")]
    ([1, 3, 2, 5, 3], [1, 2, 2, 4, 3])
    """
    whole, _, fraction = number.replace(",", "").partition(".")
    figures = len(whole.rstrip("0")) or 1
    zeros = whole.rstrip("0") != whole and figures < len(whole)
    said = 2 * figures - 1 + zeros if language == "zh" else {1: 1, 2: 2}.get(figures, figures + 1) + zeros
    return said + (1 + len(fraction) if fraction else 0)
