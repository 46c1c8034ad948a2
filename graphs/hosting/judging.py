"""May a sentence of the writer be said? It is whole, supported, lawful, and says something of the product or to the viewers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from graphs.checking.claims import assertions_in, misstated, tells_money, unsupported_assertions
from graphs.checking.support import garbles, is_broken, is_carried, unsupported
from graphs.checking.verdicts import Fault
from graphs.compliance import check
from graphs.hosting.sayings import Saying, closed, comparable, is_latin
from graphs.hosting.talk import is_talk
from graphs.reading.characters import CJK
from models.prompts import PRICE_MARK
from models.types import Language

NAME_BEGUN = 3  # characters that begin a name
BRAND = 3  # characters that a Chinese brand may have
OWN_WORDS_BESIDE_NAME = 4
_AROUND_MARK = r"[¥￥$€£]?\s*(?:CNY|USD|EUR|RMB)?\s*{mark}\s*(?:元|块钱?|人民币|美元|欧元|dollars?\b|euros?\b|yuan\b|CNY\b|USD\b|EUR\b)?"
_MARK = re.compile(_AROUND_MARK.format(mark=re.escape(PRICE_MARK)))
# wordings in which the price of the store would be told as another one
_BEFORE_OTHER_PRICE = re.compile(
    r"(?:减|降|省|返|券|定金|运费|差价|每月|不到|低于|降到|涨到|相当于)(?:了|为)?\s*$|(?:原价|市场价|两件|三件|第二件|半价|一半)[^，。！？]{0,6}$"
    r"|\b(?:save|saves|saving|off|was|were|from|under|below|than|instead of|shipping|deposit|half|two for|three for)\b[^,.!?]{0,12}$",
    re.IGNORECASE,
)
_AFTER_OTHER_PRICE = re.compile(
    r"^\s*(?:起|以[上下内]|的?一半|优惠|折|每月|/|(?:off|less|cheaper|more|discount|per (?:month|week))\b)", re.IGNORECASE
)
_LEAKS = re.compile(
    r"(?:人群|场景|风格|资料|任务|商品)[：:]|\b(?:audience|scene|style|facts|task|product):|\"sentences\"|<\|", re.IGNORECASE
)
_WORD_IN_ZH = re.compile(r"[A-Za-z][A-Za-z0-9+-]+")
_NAME_IN_EN = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][a-z]{2,}\b")
_LONE_UNIT = re.compile(r"(?<![\dA-Za-z./-])(?<!\d )(?:mm|cm|kg|mg|ml|mAh|kWh|dB|Hz|°C|℃)(?![A-Za-z])")
_GROWN_TOGETHER = re.compile(r"\b[A-Za-z]*[a-z][A-Z][a-z]+\b|\b[A-Za-z]{4,}\d|是是|的的|[，、]{2}")
_BRACES = re.compile(r"[{}｛｝\[\]<>\\|]")
_IN_BRACES = re.compile(r"[{｛\[<][^{}｛｝\[\]<>]*[}｝\]>]")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one text may say."""

    language: Language
    titles: tuple[str, ...]
    evidence: tuple[str, ...]  # what the store says of the products, prices left out
    sayings: tuple[Saying, ...] = ()  # the same as it is said
    price: str | None = None  # as the store has it, formatted; None: the text tells no price
    wishes: tuple[str, ...] = ()  # words of the caller that may be named, but support nothing
    facts_only: bool = False  # whether nearly every word has to come from the evidence: copy has no small talk

    @property
    def known(self) -> tuple[str, ...]:
        """All that supports a sentence."""
        return (*self.titles, *self.evidence)

    @property
    def untitled(self) -> tuple[Saying, ...]:
        """The sayings that no title tells already."""
        return tuple(saying for saying in self.sayings if not any(saying.is_told_by(title) for title in self.titles))


class PutAside(NamedTuple):
    """A sentence that is put aside."""

    why: Fault


def judged(sentence: str, bounds: Bounds) -> str | PutAside:
    """The sentence with the price filled in, or why it is put aside."""
    whole = closed(sentence, bounds.language)
    bare = _MARK.sub(" ", whole)
    fault = _fault(whole, bare, bounds)
    if fault is not None:
        return PutAside(fault)
    filled = _MARK.sub(lambda _: _spaced(bounds.price or "", bounds.language), whole)
    said = re.sub(r"\s+([，。！？,.!?])|([：，])\s+", r"\1\2", " ".join(filled.split()))
    return said if check(said, bounds.language).passed else PutAside("compliance")


def _fault(whole: str, bare: str, bounds: Bounds) -> Fault | None:
    """What is wrong with a sentence (`whole` with the marks of the price, `bare` without); None when nothing is."""
    if not any(c.isalnum() for c in bare) or is_broken(whole) or _is_mangled(bare, bounds):
        return "broken"
    if _LEAKS.search(whole) or _has_foreign_braces(bare, bounds):
        return "guarding"
    if _names_strangers(bare, bounds):
        return "support"
    if misstated(bare, bounds.sayings):
        return "contradiction"
    if unsupported_assertions(_without(bare, bounds.wishes), bounds.known):
        return "claims"
    if not _may_tell_price(whole, bounds):
        return "grounding"
    if bounds.facts_only and PRICE_MARK not in whole and not _is_about(bare, bounds):
        return "support"
    return None if bounds.facts_only or _says_something(whole, bare, bounds) else "idle"


def _may_tell_price(whole: str, bounds: Bounds) -> bool:
    """Whether the price stands at most once, where there is one to tell, and is told as the price."""
    marks = list(_MARK.finditer(whole))
    return not marks or (bounds.price is not None and len(marks) == 1 and not _tells_another_price(whole, marks[0]))


def _says_something(whole: str, bare: str, bounds: Bounds) -> bool:
    """Whether a host's sentence tells a value or the price, or is small talk: said to the viewers, in a host's words."""
    if PRICE_MARK in whole or any(saying.is_told_by(bare) for saying in bounds.untitled):
        return True
    return is_talk(bare, bounds.titles, (*bounds.evidence, *bounds.wishes), bounds.language)


def _is_about(text: str, bounds: Bounds) -> bool:
    """Whether a text that has no small talk is about the product: it names it, tells a value or the price, in few words of its own."""
    names = any(comparable(title) in comparable(text) for title in bounds.titles)
    tells = any(saying.is_told_by(text) for saying in bounds.untitled)
    return (tells and is_carried(text, bounds.known)) or (names and len(unsupported(text, bounds.known)) <= OWN_WORDS_BESIDE_NAME)


def _without(text: str, wishes: Sequence[str]) -> str:
    """The text without the words of the caller that state nothing: whom a host speaks to (25-35岁女性) is no figure of the product."""
    for wish in wishes:
        if not tells_money(wish) and all(statement.kind == "figure" for statement in assertions_in(wish)):
            text = text.replace(wish, " ")
    return text


def _is_mangled(text: str, bounds: Bounds) -> bool:
    """Whether a name is cut or garbled, a unit has lost its figure, or two words have grown together (TheFor)."""
    known = " ".join((*bounds.titles, *bounds.evidence))
    grown = any(word not in known for word in _GROWN_TOGETHER.findall(text))
    return grown or bool(_LONE_UNIT.search(text)) or garbles(text, bounds.titles) or any(_cuts(text, title) for title in bounds.titles)


def _cuts(text: str, title: str) -> bool:
    """Whether a text begins a title and leaves it within a word: Fjellmark Tr. Of a Chinese word the brand, two or three characters,
    may stand alone.

    >>> _cuts("This is Fjellmark Tr.", "Fjellmark Trail"), _cuts("This is Fjellmark.", "Fjellmark Trail"), _cuts("Skar?", "Skarholt")
    (True, False, True)
    >>> _cuts("A few questions.", "Quellin Mask"), _cuts("盈野轻透防晒的细节", "盈野轻透防晒乳"), _cuts("盈野这款", "盈野轻透防晒乳")
    (False, True, False)
    """
    name = title.lower()
    for start in (i for i in range(len(text)) if text.startswith(title[:1], i) and not (i and is_latin(text[i - 1]))):
        said = text[start:].lower()
        length = next((n for n, (a, b) in enumerate(zip(said, name, strict=False)) if a != b), min(len(said), len(name)))
        if NAME_BEGUN <= length < len(name) and _are_one_word(name[length - 1], name[length], length):
            return True
    return False


def _are_one_word(before: str, after: str, place: int) -> bool:
    """Whether a title that is left between these two characters is left within a word."""
    if CJK.match(before) and CJK.match(after):
        return place > BRAND
    return is_latin(before) and is_latin(after)


def _tells_another_price(sentence: str, mark: re.Match[str]) -> bool:
    return bool(_BEFORE_OTHER_PRICE.search(sentence[: mark.start()]) or _AFTER_OTHER_PRICE.search(sentence[mark.end() :]))


def _has_foreign_braces(text: str, bounds: Bounds) -> bool:
    """Whether a broken mark, or braces that no fact has, stand in the text."""
    known = "".join((*bounds.titles, *bounds.evidence))
    return bool(_BRACES.search(_IN_BRACES.sub(lambda braced: "" if braced[0] in known else braced[0], text)))


def _names_strangers(text: str, bounds: Bounds) -> bool:
    """Whether a Chinese text holds a Latin word, an English one a name or a Chinese word, that the evidence does not know."""
    known = " ".join((*bounds.titles, *bounds.evidence, *bounds.wishes)).lower()
    if bounds.language == "zh":
        is_chinese = CJK.search(text) is not None
        return not is_chinese or any(word.lower() not in known for word in _WORD_IN_ZH.findall(text))
    strangers = any(name.lower() not in known for name in _NAME_IN_EN.findall(text))
    return strangers or any(character not in known for character in CJK.findall(text))


def _spaced(price: str, language: Language) -> str:
    return price if language == "zh" else f" {price} "
