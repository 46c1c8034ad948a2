"""A product -> a title, a description or an ad, drafted by the writer, with price and figures only from the store, checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from graphs.checking.support import unsupported
from graphs.checking.verdicts import OnWriter, unheard
from graphs.compliance import Compliance, check
from graphs.errors import Internal, NotFound
from graphs.flow import Graph, GraphBuilder
from graphs.hosting.drafting import Brief, draft, taken
from graphs.hosting.judging import Bounds
from graphs.hosting.pacing import joined
from graphs.hosting.sayings import (
    Saying,
    beside,
    closed,
    comparable,
    evidence_of,
    holds_value,
    is_bare,
    sayings_of,
    sentences_about,
    unmarked,
    without_connective,
)
from graphs.ports import Catalog, Writer
from graphs.reading.slots import detect_language, format_price
from models.prompts import PRICE_FACTS, CopyChannel, copy_prompt, in_other_words, stand_in
from models.types import Language, Product, ProductId

LANGUAGES: tuple[Language, ...] = ("zh", "en")
TITLE_CHARACTERS: Mapping[Language, int] = {"zh": 60, "en": 120}
DESCRIPTION_SENTENCES = 3  # at least, where the product has that much to tell
DESCRIPTION_SAYINGS = 6  # told at most without the writer
AD_SENTENCES = 2
_SAID_IN_TITLES = 2  # values behind the product's own title
SHOWN_FOR_TITLES = 3  # values that the writer chooses from: of many it copies none whole
_VALUE_CHARACTERS = 24
_TITLE_WORD = re.compile(r"[^\s,，]+")
_NOT_IN_TITLES = re.compile(r"小时|个月|分钟|[年天秒]|hours?|months?|years?|days?|minutes?|\d ?h\b|[。，,;；]|^[不无含可]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CopyRequest:
    product_id: ProductId
    channel: CopyChannel
    language: Language | None = None  # None: that of the product's title


@dataclass(frozen=True, slots=True)
class CopyReply:
    text: str
    attributes_used: tuple[str, ...]  # names of the attributes, or `price`, whose values stand in the text
    compliance: Compliance
    ai_generated: bool = True


@dataclass(frozen=True, slots=True)
class CopyNodes:
    catalog: Catalog
    writer: Writer
    on_writer: OnWriter = unheard

    async def product(self, request: CopyRequest) -> Product:
        found = await self.catalog.products((request.product_id,))
        if request.product_id not in found:
            raise NotFound(f"no product `{request.product_id}`; PUT /v1/products/{request.product_id} makes it", param="product_id")
        return found[request.product_id]

    async def write(self, product: Product, request: CopyRequest) -> str:
        """The writer's text. Raises when nothing of it can be said: facts in fixed phrases answer for it."""
        language = _language(product, request)
        told = sayings_of(product, language)
        bounds = Bounds(
            language,
            titles=(product.title,),
            evidence=evidence_of(product, told),
            sayings=told,
            price=format_price(product.price, language) if request.channel == "ad" else None,
            facts_only=True,
        )

        def enough(sentences: Sequence[str]) -> bool:
            return bool(sentences) and (request.channel != "title" or any(_is_title(each, product, told) for each in sentences))

        briefs = _briefs(request.channel, product, told, language)
        sentences = await draft(self.writer, briefs, bounds, enough=enough, on_writer=self.on_writer)
        text = _composed(request.channel, sentences, product, told, language)
        taken(self.on_writer, sentences, 1 if request.channel == "title" else sum(without_connective(s) in text for s in sentences))
        return text

    @staticmethod
    def reply(product: Product, request: CopyRequest, text: str) -> CopyReply:
        return CopyReply(text, attributes_used(text, product), check(text, _language(product, request)))


def _briefs(channel: CopyChannel, product: Product, told: Sequence[Saying], language: Language) -> tuple[Brief, Brief]:
    """The copy under the product's title, then under a name that a small writer can copy."""
    price = [PRICE_FACTS[language]] if channel == "ad" else []
    shown = [saying for saying in told if _may_stand_behind(product, saying)][:SHOWN_FOR_TITLES] if channel == "title" else told
    facts = [*price, *(saying.fact for saying in shown)]
    title = unmarked(product.title)
    name = stand_in(language, (title, *evidence_of(product, told)))
    first = copy_prompt(channel, title, facts, language)
    second = copy_prompt(channel, name, facts, language) if name else in_other_words(first)
    whole_part = partial(_whole_values, product=product, shown=shown) if channel == "title" else str
    return Brief(first, whole_part=whole_part), Brief(second, name, whole_part)


def attributes_used(text: str, product: Product) -> tuple[str, ...]:
    """The attributes whose values `text` holds, in the product's order, then `price` when it holds that; in either language."""
    told = {s.name for language in LANGUAGES for s in sayings_of(product, language) if s.is_told_by(text)}
    price = [format_price(product.price, language) for language in LANGUAGES]
    return (*(name for name in product.attributes if name in told), *(["price"] if any(p in text for p in price) else []))


def from_facts(product: Product, request: CopyRequest) -> str:
    """Fallback: the product's own words and values."""
    language = _language(product, request)
    told = sayings_of(product, language)
    match request.channel:
        case "title":
            return _titled(product, told, language)
        case "description":
            lead = closed(product.title, language)
            return joined([lead, *sentences_about(told[:DESCRIPTION_SAYINGS], language)], language)
    described = [saying.value for saying in told if saying.name == "description"]
    telling = closed(described[0], language) if described else next(sentences_about(told, language, together=1), "")
    opening = f"{product.title}：" if language == "zh" else f"{product.title}: "
    return joined([(opening + telling) if telling else closed(product.title, language), _priced(product, language)], language)


def _composed(channel: CopyChannel, sentences: Sequence[str], product: Product, told: Sequence[Saying], language: Language) -> str:
    match channel:
        case "title":
            return _title(sentences, product, told, language)
        case "description":
            sentences = _once(sentences, product, told)
            text = joined(sentences, language)
            missing = [saying for saying in told if not saying.is_told_by(text)]
            named = [] if comparable(product.title) in comparable(text) else [closed(product.title, language)]
            more = list(sentences_about(missing[:DESCRIPTION_SAYINGS], language))[: max(0, DESCRIPTION_SENTENCES - len(sentences))]
            return joined([*named, without_connective(sentences[0]), *sentences[1:], *more], language)
    priced = [sentence for sentence in sentences if format_price(product.price, language) in sentence]
    others = [sentence for sentence in sentences if sentence not in priced][:AD_SENTENCES]
    described = [closed(s.value, language) for s in told if s.name == "description" and not s.is_told_by(joined(others, language))]
    if not any(comparable(product.title) in comparable(sentence) for sentence in others):
        others = [closed(product.title, language), *others][:AD_SENTENCES]
    return joined([*others, *described[: AD_SENTENCES - len(others)], *(priced[:1] or [_priced(product, language)])], language)


def _once(sentences: Sequence[str], product: Product, told: Sequence[Saying]) -> list[str]:
    """The sentences without those that tell only what one before told."""
    untitled = [saying for saying in told if not saying.is_told_by(product.title)]
    seen: set[str] = set()
    kept: list[str] = []
    for sentence in sentences:
        tells = {saying.name for saying in untitled if saying.is_told_by(sentence)}
        if not tells or tells - seen:
            kept.append(sentence)
        seen |= tells
    return kept


def _title(sentences: Sequence[str], product: Product, told: Sequence[Saying], language: Language) -> str:
    """The product's own title with the values that the writer put behind it. Raises Internal when the writer named another product."""
    for sentence in sentences:
        if not _is_title(sentence, product, told):
            continue
        chosen = [saying for saying in told if saying.name != "description" and saying.is_told_by(sentence)]
        return _titled(product, sorted(chosen, key=lambda saying: comparable(sentence).find(comparable(saying.value))), language)
    raise Internal("nothing that the writer said is a title of this product")


def _whole_values(sentence: str, product: Product, shown: Sequence[Saying]) -> str:
    """Of a title with values behind it those that are whole; the sentence as it is where there is none or it is no such title."""
    start, title = comparable(sentence), comparable(product.title)
    if not start.startswith(title):
        return sentence
    rest = start.removeprefix(title)
    values = sorted((s.value for s in shown if s.is_told_by(rest)), key=lambda value: comparable(rest).find(comparable(value)))
    return ", ".join((product.title, *values)) if values else sentence


def _is_title(sentence: str, product: Product, told: Sequence[Saying]) -> bool:
    """Whether a sentence has all words of the product's title and no word that is not the product's."""
    known = (product.title, *evidence_of(product, told))
    return not unsupported(sentence, known) and all(holds_value(sentence, word) for word in _TITLE_WORD.findall(product.title))


def _titled(product: Product, told: Sequence[Saying], language: Language) -> str:
    """The product's title, with a few short values behind it as far as they fit."""
    title = " ".join(product.title.split())
    fit = [saying.value for saying in told if _may_stand_behind(product, saying)]
    for value in fit[:_SAID_IN_TITLES]:
        longer = title + (" " if language == "zh" else ", ") + value
        title = longer if len(longer) <= TITLE_CHARACTERS[language] else title
    return title if len(title) <= TITLE_CHARACTERS[language] else _cut(title, TITLE_CHARACTERS[language])


def _may_stand_behind(product: Product, saying: Saying) -> bool:
    """Whether a value is one for titles and tells what the product's own title does not."""
    return saying.name != "description" and _is_new_to(product.title, saying.value) and _is_for_titles(saying.value)


def _is_new_to(title: str, value: str) -> bool:
    """Whether no word of a value stands in a title."""
    return not any(holds_value(title, word) for word in value.split())


def _is_for_titles(value: str) -> bool:
    return len(value) <= _VALUE_CHARACTERS and not is_bare(value) and _NOT_IN_TITLES.search(value) is None


def _cut(title: str, limit: int) -> str:
    """At most `limit` characters, cut behind a word where there are blanks."""
    head, blank, _ = title[: limit + 1].rpartition(" ")
    return head if blank and len(head) > limit // 2 else title[:limit]


def _priced(product: Product, language: Language) -> str:
    price = format_price(product.price, language)
    return f"现在{beside(price) if not price[:1].isdigit() else price}。" if language == "zh" else f"Now {price}."


def _language(product: Product, request: CopyRequest) -> Language:
    return request.language or detect_language(product.title)


def copy_graph(nodes: CopyNodes) -> Graph[CopyRequest, CopyReply]:
    g = GraphBuilder("copy", CopyRequest)
    product = g.add(nodes.product, g.request, timeout_s=2.0)
    text = g.add(nodes.write, product, g.request, timeout_s=15.0, fallback=from_facts)
    return g.build(g.apply(nodes.reply, product, g.request, text))
