"""Answers read straight from a product's own values: price, stock, place on the shelf and every specification; no model writes them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from graphs.reading.asking import LATIN_WORD, asks_shelf_position, concept_of, normalised, says
from graphs.reading.characters import CJK, CJK_RUN, HAN
from graphs.reading.matching import Match, sure_matches
from graphs.reading.question import read_question
from graphs.reading.statements import Statement, named
from models.types import Language, Money, Passage, Product, ProductId, Room

_NOT_A_QUESTION = frozenset({"praise", "complaint", "greeting", "chitchat", "comparison", "promotion", "host_request"})
_VERBS_ZH = ("不", "可", "含", "建议", "已", "无", "能")  # values that are a sentence of their own
_CURRENCY_WORDS_ZH = {"CNY": "元", "USD": "美元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元", "HKD": "港元"}
_ENOUGH_SCORE = 0.5  # of a name in a text
LOOSELY = 0.4  # of a tag that only describes a product: enough in a text that joins two names
_CURRENCY_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


@dataclass(frozen=True, slots=True)
class SlotAnswer:
    text: str
    attribute: str  # `price`, `stock`, `shelf_position`, `brand` or the attribute's name
    evidence: Passage
    beside: tuple[Passage, ...] = ()  # evidence of a second value


def slot_answer(question: str, intent: str, product: Product, *, room: Room | None, language: Language) -> SlotAnswer | None:
    """The value that the question asks for, in a sentence of `language`; None when unsure or when the product does not state it.

    Two values when it asks for two. `intent` is a label of the intent classifier, used only to refuse: the wording decides what is asked.
    """
    if room is not None and product.product_id in room.shelf and asks_shelf_position(normalised(question)):
        return _shelf_answer(product, room, language)
    read = read_question(question, names_of(product))
    if intent in _NOT_A_QUESTION and not read.keys & {"price", "stock"}:
        return None
    answers = [_stated_answer(found, product, language) for found in sure_matches(read, values_of(product, language))]
    return together(answers, language) if answers else None


def values_asked(question: str, products: Sequence[Product], language: Language) -> SlotAnswer | None:
    """Price or stock of each product, where a question names several and asks for nothing else; None when one is not stated."""
    read = read_question(question, [name for product in products for name in names_of(product)])
    if not read.keys or not read.keys <= {"price", "stock"}:
        return None
    found = [(product, sure_matches(read, values_of(product, language))) for product in products]
    if not all(matches for _, matches in found):
        return None
    return together([_stated_answer(match, product, language) for product, matches in found for match in matches], language)


def quoted_value(product: Product, name: str, value: str, language: Language) -> SlotAnswer:
    """One attribute in a sentence of `language`."""
    return _answer(product, name, value, _sentence(product, _label(name, language), value, language), language)


def names_of(product: Product) -> tuple[str, ...]:
    """What a product is called: words of a question that point at nothing but the product."""
    return tuple(name for name in (product.title, product.brand, *product.tags, product.category) if name)


def values_of(product: Product, language: Language) -> tuple[Statement, ...]:
    """Price, stock, brand and attributes as statements, their sentences in `language`; the order in which the store holds them."""
    values = {"price": format_price(product.price, language)}
    if product.stock is not None:
        values["stock"] = _stock_words(product.stock, language)
    if product.brand:
        values["brand"] = product.brand
    return tuple(
        named(_fact(product, name, _sentence(product, _label(name, language), value, language)), name, value)
        for name, value in (values | dict(product.attributes)).items()
    )


def detect_language(text: str) -> Language:
    """`en` when there are Latin words and at least as many of them as Chinese characters, else `zh`.

    >>> detect_language("这个多少钱 pls"), detect_language("is it 防水?"), detect_language("666")
    ('zh', 'en', 'zh')
    """
    words = sum(any(c.isalpha() for c in word) for word in LATIN_WORD.findall(text))
    return "en" if words > 0 and words >= len(CJK.findall(text)) else "zh"


def facts_of(product: Product) -> tuple[Passage, ...]:
    """Everything the store knows of a product, a sentence each in the product's own language, price and stock included."""
    language = detect_language(product.title)
    facts = tuple(value.passage for value in values_of(product, language))
    if not product.description:
        return facts
    glue = "：" if language == "zh" else ": "
    return (*facts, _fact(product, "description", f"{product.title}{glue}{product.description}"))


def format_price(price: Money, language: Language) -> str:
    """The amount as it is said, without needless zeros.

    >>> format_price(Money(Decimal("89.00"), "CNY"), "zh"), format_price(Money(Decimal("1249.50"), "USD"), "en")
    ('89元', '$1,249.50')
    """
    whole = price.amount == price.amount.to_integral_value()
    if language == "zh":
        amount = f"{price.amount:.0f}" if whole else f"{price.amount.normalize():f}"
        return amount + _CURRENCY_WORDS_ZH.get(price.currency, f" {price.currency}")
    cents = price.amount.quantize(Decimal("0.01"))
    amount = f"{price.amount:,.0f}" if whole else f"{cents if cents == price.amount else price.amount.normalize():,f}"
    sign = _CURRENCY_SIGNS.get(price.currency)
    return f"{sign}{amount}" if sign else f"{price.currency} {amount}"


def mentioned(text: str, products: Sequence[Product], *, enough: float = _ENOUGH_SCORE) -> tuple[ProductId, ...]:
    """The products that a text names: by brand, by a tag that is part of the title, or by a good piece of the title.

    Brands win over common nouns; several products come back when the text fits them equally. In the order of `products`.
    A tag counts as a name where the title ends with it; with `enough=LOOSELY` anywhere in the title.
    """
    said = normalised(text)
    words = frozenset(_stem(word) for word in LATIN_WORD.findall(said))
    scores = {product.product_id: _mention_score(said, words, product) for product in products}
    best = max(scores.values(), default=0.0)
    if best < enough:
        return ()
    least = _BRAND_SCORE if best >= _BRAND_SCORE else best
    return tuple(product_id for product_id, score in scores.items() if score >= least)


# --- prices, stock, shelf ------------------------------------------------------------------------------------------------


def price_answer(product: Product, language: Language, *, place: int | None = None) -> SlotAnswer:
    """The price now, `place` (of the link, from 1) said before it."""
    price = format_price(product.price, language)
    text = f"{product.title}现在的价格是{price}哦。" if language == "zh" else f"{product.title} is {price} right now."
    if place is not None:
        text = (
            f"{place}号链接是{product.title}，现在的价格是{price}哦。"
            if language == "zh"
            else f"Number {place} is {product.title}, {price} right now."
        )
    return _answer(product, "price", price, text, language)


def _stock_answer(product: Product, stock: int, language: Language) -> SlotAnswer:
    if stock <= 0:
        text = f"抱歉，{product.title}目前已经售罄。" if language == "zh" else f"Sorry, {product.title} is sold out at the moment."
    elif language == "zh":
        text = f"有货的，{product.title}目前还有{stock}件。"
    else:
        text = f"Yes, {product.title} is in stock: {stock} left."
    return _answer(product, "stock", _stock_words(stock, language), text, language)


def _stock_words(stock: int, language: Language) -> str:
    if stock <= 0:
        return "已售罄" if language == "zh" else "sold out"
    return f"{stock}件" if language == "zh" else f"{stock} left"


def _shelf_answer(product: Product, room: Room, language: Language) -> SlotAnswer:
    place = room.shelf.index(product.product_id) + 1
    text = f"{product.title}在{place}号链接哦。" if language == "zh" else f"{product.title} is number {place} on the shelf."
    return _answer(product, "shelf_position", str(place), text, language)


# --- specifications ------------------------------------------------------------------------------------------------------


def _stated_answer(found: Match, product: Product, language: Language) -> SlotAnswer:
    name, value = found.statement.name or "", found.statement.value or ""
    if name == "price":
        return price_answer(product, language)
    if name == "stock":
        return _stock_answer(product, product.stock or 0, language)
    return quoted_value(product, name, value, language)


def together(answers: Sequence[SlotAnswer], language: Language) -> SlotAnswer:
    """Several answers as one."""
    text = ("" if language == "zh" else " ").join(answer.text for answer in answers)
    return SlotAnswer(text, answers[0].attribute, answers[0].evidence, tuple(answer.evidence for answer in answers[1:]))


def _label(name: str, language: Language) -> str:
    """The attribute's name as said in `language`; its own name where that is already the language or no concept knows it."""
    if name in ("price", "stock"):
        return {"price": "价格", "stock": "库存"}[name] if language == "zh" else name
    concept = concept_of(name)
    return name if concept is None or (name != "brand" and detect_language(name) == language) else concept.label(language)


# --- sentences -----------------------------------------------------------------------------------------------------------


def _answer(product: Product, attribute: str, value: str, text: str, language: Language) -> SlotAnswer:
    return SlotAnswer(text, attribute, _fact(product, attribute, _sentence(product, _evidence_label(attribute, language), value, language)))


def _evidence_label(attribute: str, language: Language) -> str:
    if attribute == "shelf_position":
        return "链接号" if language == "zh" else "number on the shelf"
    return _label(attribute, language)


def _fact(product: Product, attribute: str, text: str) -> Passage:
    return Passage(f"{product.product_id}#{attribute}", "spec", text, 1.0, product_id=product.product_id)


def _sentence(product: Product, label: str, value: str, language: Language) -> str:
    if language == "zh":
        glue = "：" if value.startswith(_VERBS_ZH) else "是"
        return f"{product.title}的{_spaced(label)}{glue}{_spaced(value)}。"
    return f"{product.title}, {label if label[1:2].isupper() else label[:1].lower() + label[1:]}: {value}."


def _spaced(words: str) -> str:
    """Latin words between Chinese ones get a space on their side."""
    return f" {words}" if words[:1].isascii() and words[:1].isalpha() else words


# --- mentions ------------------------------------------------------------------------------------------------------------

_BRAND_SCORE = 10.0
_MIN_SHARED_CHARACTERS = 3  # of a Chinese title, in a row
_MIN_SHARED_WORDS = 2  # of an English title
_COMMON_WORDS = frozenset({"and", "for", "set", "the", "with", "pack", "pro", "lite", "mini", "new", "large", "small"})


def _mention_score(said: str, words: frozenset[str], product: Product) -> float:
    title = normalised(product.title)
    score = _BRAND_SCORE if product.brand and says(said, normalised(product.brand)) else 0.0
    score += sum(_noun_score(title, tag) for tag in map(normalised, product.tags) if _names(said, words, tag))
    shared = _longest_shared(said, title)
    if shared >= _MIN_SHARED_CHARACTERS:
        score += _ENOUGH_SCORE + shared / len(title)
    title_words = {_stem(word) for word in LATIN_WORD.findall(title)} - _COMMON_WORDS
    common = {word for word in title_words & words if len(word) > 2 and not word[0].isdigit()}
    return score + (_ENOUGH_SCORE + len(common) / len(title_words) if len(common) >= _MIN_SHARED_WORDS else 0.0)


def _noun_score(title: str, tag: str) -> float:
    """1 when the tag is what the title calls the product (its last noun: water bottle), less when it only describes it (water)."""
    if len(tag) < 2 or not says(title, tag):
        return 0.0
    last = f"(?![{HAN}])" if CJK.search(tag) else r"(?= *(?:,|$|\d|for |set))"
    return 1.0 if re.search(re.escape(tag) + last, title) else LOOSELY


def _names(said: str, words: frozenset[str], tag: str) -> bool:
    return says(said, tag) or _stem(tag) in words


def _stem(word: str) -> str:
    return word.strip(".'").removesuffix("'s").removesuffix("s") if len(word) > 3 else word


def _longest_shared(said: str, title: str) -> int:
    """Length of the longest run of Chinese characters that both texts hold."""
    runs = [run for run in CJK_RUN.findall(title) if len(run) >= _MIN_SHARED_CHARACTERS]
    return max((_longest_in(said, run) for run in runs), default=0)


def _longest_in(said: str, run: str) -> int:
    pieces: Iterable[tuple[int, int]] = ((i, j) for i in range(len(run)) for j in range(len(run), i + _MIN_SHARED_CHARACTERS - 1, -1))
    return max((j - i for i, j in pieces if run[i:j] in said), default=0)
