"""Let the writer draft sentences, and keep those that may be said: with the price from the store, supported, lawful, whole."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from graphs.checking.claims import assertions_in, misstated, tells_money, unsupported_assertions
from graphs.checking.support import garbles, is_broken, is_carried, unsupported
from graphs.compliance import check
from graphs.errors import Internal, LivecartError
from graphs.flow import remaining_s
from graphs.guarding import betrays
from graphs.hosting.pacing import sentences_of
from graphs.hosting.sayings import Saying, closed, folded
from graphs.ports import Writer
from models.prompts import PRICE_MARK, in_other_words
from models.types import Language, Prompt

NAME_BEGUN = 3  # characters that begin a name
OWN_WORDS_BESIDE_NAME = 4
LOOP_EVERY = 24  # characters after which the writer is looked at for loops
LOOP_WITHIN = 72  # its last characters
SPARE_S = 0.25  # of the node's time, kept for what comes after the writer
_LIST_BEGUN = re.compile(r"\s*(?:\[|\{[^:\[]*:)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
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
_CHINESE = re.compile(r"[\u3400-\u9fff]")
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


async def draft(writer: Writer, prompt: Prompt, bounds: Bounds, *, enough: Callable[[Sequence[str]], bool]) -> tuple[str, ...]:
    """The sentences of the writer that may be said, in order; when one may not be, or there are not `enough`, the better of two drafts.

    Ends in the time that the running node has left; what was whole by then counts. Raises what the writer raised when nothing
    came, Internal when nothing that came may be said.
    """
    first = await _attempt(writer, prompt, bounds, within_s=remaining_s() - SPARE_S)
    if first.is_clean and enough(first.kept):
        return first.kept
    try:
        second = await _attempt(writer, in_other_words(prompt), bounds, within_s=remaining_s() - SPARE_S)
    except (LivecartError, TimeoutError):
        second = first
    best = max(first, second, key=lambda attempt: (enough(attempt.kept), len(attempt.kept)))
    if not best.kept:
        raise Internal("nothing that the writer said is supported by the product's facts")
    return best.kept


@dataclass(frozen=True, slots=True)
class _Attempt:
    kept: tuple[str, ...]
    is_clean: bool  # whether every sentence could be kept


async def _attempt(writer: Writer, prompt: Prompt, bounds: Bounds, *, within_s: float) -> _Attempt:
    sentences = sentences_in(await _written(writer, prompt, within_s))
    evidence = (*bounds.titles, *bounds.evidence, bounds.price or "")
    told = (said for sentence in sentences if (said := speakable(sentence, bounds)) is not None)
    kept = [said for said in told if betrays(said, evidence, prompt) is None]
    return _Attempt(tuple(dict.fromkeys(kept)), is_clean=len(kept) == len(sentences))


async def _written(writer: Writer, prompt: Prompt, within_s: float) -> str:
    """What the writer wrote in the time there was. Raises its error, or TimeoutError, only when that is nothing."""
    text = ""
    if within_s <= 0:
        raise TimeoutError
    try:
        async with asyncio.timeout(None if within_s == float("inf") else within_s), aclosing(writer.write(prompt)) as deltas:
            async for delta in deltas:
                text += delta.text
                if len(text) % LOOP_EVERY < len(delta.text) and is_broken(text[-LOOP_WITHIN:]):
                    break  # the same again and again: it would go on until its tokens are spent
    except (TimeoutError, LivecartError):
        if not text:
            raise
    return text


def sentences_in(text: str) -> tuple[str, ...]:
    """The sentences of a writer's answer: of its JSON, cut off or not, or of plain text where a checkpoint writes no JSON.

    >>> sentences_in('{"sentences": ["One. Two.", "Three."]}'), sentences_in('{"sentences": ["大家好。", "价格是'), sentences_in("One. Two")
    (('One.', 'Two.', 'Three.'), ('大家好。',), ('One.', 'Two'))
    """
    body = re.sub(r"^\s*```(?:json)?|```\s*$", "", text.strip()).strip()
    found = [*_strings_of(body), *_cut_string_of(body)] if body.startswith(("{", "[")) else [body]
    return tuple(part for piece in found for sentence in sentences_of(piece) if (part := " ".join(sentence.split())))


def _strings_of(body: str) -> Iterator[str]:
    """The strings of the list that is, or should have become, the value of `sentences`."""
    for match in _STRING.finditer(body, _begin(body)):
        yield from _decoded(match[0])


def _cut_string_of(body: str) -> Iterator[str]:
    """What is whole of a string that never ended: all sentences but its last, of which a figure may be missing the end."""
    rest = _STRING.sub("", body[_begin(body) :])
    _, quote, cut = rest.partition('"')
    for string in _decoded(f'"{cut.rstrip(chr(92))}"') if quote else ():
        yield "".join(sentences_of(string)[:-1])


def _begin(body: str) -> int:
    begun = _LIST_BEGUN.match(body)
    return begun.end() if begun else len(body)


def _decoded(literal: str) -> Iterator[str]:
    """The string that a JSON literal stands for; nothing when it is none."""
    try:
        value = json.loads(literal, strict=False)
    except ValueError:  # an escape that is none
        return
    yield str(value).encode("utf-8", "replace").decode("utf-8")


def speakable(sentence: str, bounds: Bounds) -> str | None:
    """The sentence with the price filled in; None when it may not be said.

    That is when it is broken, states or names what the evidence does not hold, tells a price where none belongs or tells the price
    as another one, repeats the brief, mixes languages, or is what the law forbids.
    """
    whole = closed(sentence, bounds.language)
    bare = _MARK.sub(" ", whole)
    if not any(c.isalnum() for c in bare) or is_broken(whole) or _is_mangled(bare, bounds):
        return None
    if _LEAKS.search(whole) or _has_foreign_braces(bare, bounds) or _names_strangers(bare, bounds):
        return None
    known = (*bounds.titles, *bounds.evidence)
    if misstated(bare, bounds.sayings) or unsupported_assertions(_without(bare, bounds.wishes), known):
        return None
    if bounds.facts_only and PRICE_MARK not in whole and not _is_about(bare, bounds):
        return None
    marks = list(_MARK.finditer(whole))
    if marks and (bounds.price is None or len(marks) > 1 or _tells_another_price(whole, marks[0])):
        return None
    filled = _MARK.sub(lambda _: _spaced(bounds.price or "", bounds.language), whole)
    said = re.sub(r"\s+([，。！？,.!?])|([：，])\s+", r"\1\2", " ".join(filled.split()))
    return said if check(said, bounds.language).passed else None


def _is_about(text: str, bounds: Bounds) -> bool:
    """Whether a text that has no small talk is about the product: it names it, tells a value or the price, in few words of its own."""
    known = (*bounds.titles, *bounds.evidence)
    names = any(folded(title) in folded(text) for title in bounds.titles)
    untitled = (saying for saying in bounds.sayings if not any(saying.is_told_by(title) for title in bounds.titles))
    tells = any(saying.is_told_by(text) for saying in untitled)
    return (tells and is_carried(text, known)) or (names and len(unsupported(text, known)) <= OWN_WORDS_BESIDE_NAME)


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
    """Whether a text begins a title and leaves it within a word: Fjellmark Tr.

    >>> _cuts("This is Fjellmark Tr.", "Fjellmark Trail"), _cuts("This is Fjellmark.", "Fjellmark Trail"), _cuts("Skar?", "Skarholt")
    (True, False, True)
    """
    said, name = text.lower(), title.lower()
    for start in (i for i in range(len(said)) if said.startswith(name[:NAME_BEGUN], i) and not (i and _is_latin(said[i - 1]))):
        length = next((n for n, (a, b) in enumerate(zip(said[start:], name, strict=False)) if a != b), min(len(said) - start, len(name)))
        if length < len(name) and _is_latin(name[length]) and _is_latin(name[length - 1]):
            return True
    return False


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()


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
        is_chinese = _CHINESE.search(text) is not None
        return not is_chinese or any(word.lower() not in known for word in _WORD_IN_ZH.findall(text))
    strangers = any(name.lower() not in known for name in _NAME_IN_EN.findall(text))
    return strangers or any(character not in known for character in _CHINESE.findall(text))


def _spaced(price: str, language: Language) -> str:
    return price if language == "zh" else f" {price} "
