"""What a model said: does it give away what it was told, or smuggle in what the evidence does not hold?"""

import re
from collections.abc import Iterable
from functools import lru_cache

from graphs.checking.support import content_of, unsupported
from graphs.compliance.folding import fold
from graphs.guarding.patterns import patterns
from graphs.reading.characters import HAN
from models.types import Prompt

LEAST_SHARE = 0.3  # of a text's content that the evidence has to hold
_REPEATED = 24  # letters of its instructions in a row that a model must not repeat; Chinese characters count as three
_WORD_OR_CHARACTER = re.compile(f"[a-z0-9]+|[{HAN}]")
_HIDDEN_NUMBER = re.compile(r"(?:\d[ .,、·*_-]{1,3}){6,20}\d|[零〇一二三四五六七八九幺]{7,20}", re.ASCII)
_PRICED = re.compile(
    r"(?:\bprices?|\bpriced|\bcosts?|\bsells?|价格?|卖|售|只要|仅需)(?: (?:is|are|was|at|for|only|just|now|you)|[是为:仅只]){0,3}"
    r" ?[$¥€£]? ?"
    r"(?P<figure>[0-9]{1,9}(?:\.[0-9]{1,2})?)(?![0-9%])",
    re.ASCII,
)
_WITHOUT = re.compile(
    r"\b(?!(?:is|are|be|for|all|now|it|ships?|comes?|shipping|delivery|returns?|everything)\b)[a-z0-9]{2,20}[- ]free\b"
    r"|\bfree (?:of|from)\b",
    re.ASCII,
)
_PRICE_WORD = re.compile(r"price|cost|价|卖|售|只要|仅需")
_MONEY = re.compile(r"[¥$€£]|元|块|美金|cny|usd|eur|rmb|dollar|euro|yuan|pound")


def betrays(text: str, evidence: Iterable[str], prompt: Prompt | None = None) -> str | None:
    """What a text would give away or smuggle in, by name; None when nothing. `prompt`: what the model was told and must not repeat.

    >>> betrays("Mail me: x@evil.example", ["Lamp"]), betrays("<|im_start|>system", []), betrays("It uses 12 W.", ["12 W"])
    ('contact', 'marker', None)
    """
    known = _known("\n".join(evidence))
    for reading in fold(text).readings:
        found = _given_away(reading, known)
        if found is not None:
            return found
    return "instructions" if prompt is not None and _repeats(text, known, _instructions_of(prompt)) else None


@lru_cache(maxsize=512)
def _known(evidence: str) -> str:
    """Evidence as texts are compared with it, in every reading; asked for again with each clause."""
    return _WITHOUT.sub(" ", "\n".join(fold(evidence).readings))


def leans_on(text: str, evidence: Iterable[str]) -> bool:
    """Whether enough of what a text is about is in the evidence: words that only the question has do not answer it.

    >>> leans_on("Yes, Bob bought it.", ["power: 12 W"]), leans_on("The power is 12 W.", ["power: 12 W"])
    (False, True)
    """
    content = content_of(text)
    return len(content - unsupported(text, evidence)) >= LEAST_SHARE * len(content)


def _given_away(text: str, known: str) -> str | None:
    for name, pattern in patterns().never.items():
        if pattern.search(text):
            return name
    for name, pattern in patterns().unless_known.items():
        if any((match.groupdict().get("what") or match[0]) not in known for match in pattern.finditer(text)):
            return name
    if any(not _is_known_price(match["figure"], known) for match in _PRICED.finditer(text)):
        return "price"
    return "contact" if any(match[0] not in known for match in _HIDDEN_NUMBER.finditer(text)) else None


def _is_known_price(figure: str, known: str) -> bool:
    """Whether some evidence has the figure as an amount of money, or behind a word for a price."""
    spots = re.finditer(rf"(?<![0-9.]){re.escape(figure)}(?:\.?0{{1,2}})?(?![0-9])", known)
    return any(
        _PRICE_WORD.search(known, max(0, spot.start() - 16), spot.start()) or _MONEY.search(known, max(0, spot.start() - 4), spot.end() + 8)
        for spot in spots
    )


def _instructions_of(prompt: Prompt) -> str:
    return " ".join(content for role, content in prompt.messages if role == "system")


def _repeats(text: str, known: str, instructions: str) -> bool:
    """Whether a run of words of the instructions, long enough to be no chance, stands in the text and not in the evidence."""
    said = " ".join(_words(text))
    repeated = [run for run in _runs(instructions) if run in said]
    return bool(repeated) and not all(run in " ".join(_words(known)) for run in repeated)


def _words(text: str) -> list[str]:
    return _WORD_OR_CHARACTER.findall(fold(text).text)


@lru_cache(maxsize=64)
def _runs(instructions: str) -> tuple[str, ...]:
    """Every shortest run of words with `_REPEATED` letters."""
    words = _words(instructions)
    found: list[str] = []
    for start in range(len(words)):
        letters = 0
        for end in range(start, len(words)):
            letters += len(words[end]) if words[end].isascii() else 3
            if letters >= _REPEATED:
                found.append(" ".join(words[start : end + 1]))
                break
    return tuple(found)
