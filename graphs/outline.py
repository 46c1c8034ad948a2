"""How a host's script is laid out in time, and how its segments are made to fit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.prompts import MAX_SENTENCES, SegmentKind
from models.types import Language, Product

# A lively host: 250 Chinese characters, or 150 English words, a minute.
CHARACTERS_PER_S = 250 / 60
WORDS_PER_S = 150 / 60
SENTENCE_S = 5.0
SENTENCE = re.compile(r"[^。！？!?\n.]+(?:[.](?=\d)[^。！？!?\n.]*)*[。！？!?.\n]*\s*")
SHARES: tuple[tuple[SegmentKind, float], ...] = (("opening", 0.12), ("interaction", 0.1), ("promotion", 0.12), ("closing", 0.1))
SHORT_S = 40.0  # below this only the products and one opening are worth the time


@dataclass(frozen=True, slots=True)
class Section:
    """A segment to be written."""

    kind: SegmentKind
    seconds: float
    product: Product | None = None

    @property
    def sentences(self) -> int:
        return max(1, min(MAX_SENTENCES, round(self.seconds / SENTENCE_S)))


def outline(products: Sequence[Product], duration_s: float) -> tuple[Section, ...]:
    """Opening, the products one after the other with an interaction behind the first, promotion, closing.

    The sections' seconds add up to `duration_s`.
    """
    shares = dict(SHARES if duration_s >= SHORT_S else SHARES[:1])
    each_s = duration_s * (1 - sum(shares.values())) / len(products)
    told = [Section("product", each_s, product) for product in products]
    if "interaction" in shares:
        told.insert(1, Section("interaction", duration_s * shares["interaction"], products[0]))
    ends = [Section(kind, duration_s * shares[kind], products[-1]) for kind in ("promotion", "closing") if kind in shares]
    return (Section("opening", duration_s * shares["opening"], products[0]), *told, *ends)


def spoken_s(text: str, language: Language) -> float:
    """Seconds that a host needs to say it."""
    if language == "en":
        return len(text.split()) / WORDS_PER_S
    characters = sum(1 for c in text if c.isalnum() and not c.isascii())
    words = len(re.findall(r"[A-Za-z0-9.,]+", text))
    return characters / CHARACTERS_PER_S + words / WORDS_PER_S


def sentences_of(text: str) -> list[str]:
    """The text cut behind its sentences; joined they are the text."""
    return SENTENCE.findall(text)


def fitted(text: str, spare: Sequence[str], seconds: float, language: Language) -> str:
    """`text` without the sentences that run over `seconds`, or with as many `spare` sentences behind it as still fit.

    At least one sentence is said: the shortest, when even that is too long.
    """
    candidates = [*sentences_of(text), *(sentence for sentence in spare if sentence not in text)]
    kept: list[str] = []
    used_s = 0.0
    for sentence in candidates:
        took_s = spoken_s(sentence, language)
        if used_s + took_s <= seconds * 1.1:
            kept.append(sentence)
            used_s += took_s
    if not kept and candidates:
        kept = [min(candidates, key=lambda sentence: spoken_s(sentence, language))]
    return ("" if language == "zh" else " ").join(sentence.strip() for sentence in kept)
