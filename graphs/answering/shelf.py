"""Answers over the shelf of a room, all from the store: what a numbered link is, which product is cheapest, prices of several."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from graphs.reading.asking import normalised, spread
from graphs.reading.characters import CJK_RUN, HAN
from graphs.reading.neutral import without_neutral, wording
from graphs.reading.slots import LOOSELY, SlotAnswer, format_price, mentioned, names_of, price_answer, together, values_asked
from graphs.reading.words import units
from models.types import Language, Product, ProductId

Extreme = Literal["cheapest", "dearest"]

MOST_NAMED = 4  # products whose values one answer holds
_EXTREMES: Mapping[Extreme, re.Pattern[str]] = {
    "cheapest": re.compile(r"最便宜|最低价|价格最低|最实惠|\bcheapest\b|\bleast expensive\b|\blowest(?:[- ]priced?)?\b"),
    "dearest": re.compile(r"最贵|价格最高|\bmost expensive\b|\bpriciest\b|\bhighest[- ]priced?\b"),
}
_AND = re.compile(r"和|跟|与|以及|还有|、|，|,|&|\band\b|\bor\b|还是")
_POINTS_AT_PRODUCTS = re.compile(r"[想要]?[买要]|推荐|选|款|个|样|件|里|货架|上|有|\b(?:shelf|here|products?|things?|one|all)\b")
_VAGUE_KINDS = re.compile(r"衣服|裤子|鞋子|包包|杯子|零食|护肤品|电器|家电|玩具|机器")  # point at nothing elsewhere; here at a kind
_LOWEST_PRICE = re.compile(r"最低价(?!的)|价格最低(?!的)|\blowest(?:[- ]priced?)?\b")  # of one product, and asked to bargain
_AMONG_PRODUCTS = re.compile(r"哪|谁|什么|啥|\bwhich\b|\bwhat(?:'s| is) (?:the|your) lowest[- ]priced\b|\b(?:product|item|one|thing)\b")
_KIND_BEHIND = re.compile(rf"的\s*([{HAN}])(?![{HAN}])")
_IDLE_CHARACTERS = frozenset("店家卖")
_IDLE = frozenset({"price", "价格"})
_LABELS: Mapping[Extreme, Mapping[Language, str]] = {
    "cheapest": {"zh": "最便宜", "en": "cheapest"},
    "dearest": {"zh": "最贵", "en": "most expensive"},
}
_IN_EACH_CURRENCY = "The prices are in different currencies; the {} in each: {}."


def mentioned_together(question: str, choice: Sequence[Product]) -> tuple[ProductId, ...]:
    """The products that a question names: those of each part where it joins two names (A and B), else those of the whole."""
    parts = [part for part in _AND.split(normalised(question)) if part.strip()]
    each = [mentioned(part, choice, enough=LOOSELY) for part in parts]
    if sum(bool(found) for found in each) < 2:
        return mentioned(question, choice)
    named = {product_id for found in each for product_id in found}
    return tuple(product.product_id for product in choice if product.product_id in named)


def several_answer(question: str, products: Sequence[Product], language: Language) -> SlotAnswer | None:
    """Price or stock of each of a few products that a question names; None when it asks for anything else."""
    return values_asked(question, products, language) if 2 <= len(products) <= MOST_NAMED else None


def link_answer(places: Sequence[int], products: Sequence[Product], language: Language) -> SlotAnswer:
    """What stands under the numbers of links: titles and prices."""
    return together([price_answer(product, language, place=place) for place, product in zip(places, products, strict=True)], language)


def extreme_answer(question: str, shelf: Sequence[Product], language: Language) -> SlotAnswer | None:
    """The cheapest or the dearest product that can be had, of the shelf or of the kind named; one of each currency, all that cost the same.

    None when something else is asked for: the cheapest carrier, whether it is cheap elsewhere, the lowest price of one product.
    """
    text = normalised(question)
    wanted = [extreme for extreme, words in _EXTREMES.items() if words.search(text)]
    if len(wanted) != 1 or (_LOWEST_PRICE.search(text) and not _AMONG_PRODUCTS.search(text)):
        return None
    rest = _POINTS_AT_PRODUCTS.sub(" ", _EXTREMES[wanted[0]].sub(" ", text))
    kind = units(without_neutral(spread(rest))) - _IDLE
    lone = _lone_characters(rest) if not kind else frozenset()
    choice = [product for product in shelf if product.stock != 0 and _is_of_kind(product, kind, lone)]
    found = [product for currency in dict.fromkeys(p.price.currency for p in choice) for product in _extreme(choice, currency, wanted[0])]
    if not 1 <= len(found) <= MOST_NAMED or _VAGUE_KINDS.search(rest):
        return None
    evidence = [price_answer(product, language).evidence for product in found]
    return SlotAnswer(_extreme_text(found, wanted[0], language), "price", evidence[0], tuple(evidence[1:]))


def _lone_characters(rest: str) -> frozenset[str]:
    """The characters that name a kind alone: 鞋 of 最便宜的鞋 and of 鞋哪个最便宜."""
    idle = wording()
    runs = (run.strip("".join(idle.function_characters)) for run in CJK_RUN.findall(without_neutral(spread(rest))))
    alone = {run for run in runs if len(run) == 1} - idle.light_characters
    return frozenset(alone.union(_KIND_BEHIND.findall(rest)) - idle.function_characters - _IDLE_CHARACTERS)


def _is_of_kind(product: Product, kind: frozenset[str], lone: frozenset[str]) -> bool:
    """Whether the product is called by all words of a kind, and by its single characters; by no word every product is."""
    called = " / ".join(names_of(product))
    return kind <= units(spread(called)) and all(character in called for character in lone)


def _extreme(choice: Sequence[Product], currency: str, extreme: Extreme) -> list[Product]:
    of_currency = [product for product in choice if product.price.currency == currency]
    amounts = [product.price.amount for product in of_currency]
    best = min(amounts) if extreme == "cheapest" else max(amounts)
    return [product for product in of_currency if product.price.amount == best]


def _extreme_text(found: Sequence[Product], extreme: Extreme, language: Language) -> str:
    label = _LABELS[extreme][language]
    listed = [(product.title, format_price(product.price, language)) for product in found]
    if len({product.price.currency for product in found}) > 1:
        each = (f"{title}，{price}" for title, price in listed) if language == "zh" else (f"{title} at {price}" for title, price in listed)
        joined = ("；" if language == "zh" else "; ").join(each)
        return f"价格的币种不同，不能相比，各自{label}的是：{joined}。" if language == "zh" else _IN_EACH_CURRENCY.format(label, joined)
    if language == "zh":
        return f"{label}的是" + "，".join(f"{title}，{price}" for title, price in listed) + "。"
    verb = "is" if len(listed) == 1 else "are"
    return f"The {label} {verb} " + " and ".join(f"{title} at {price}" for title, price in listed) + "."
