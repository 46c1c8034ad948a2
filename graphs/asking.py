"""What a question asks for, read off its wording: price, stock, place on the shelf, or a property under one of its names."""

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import NamedTuple, cast

from models.types import Language

CJK = re.compile(r"[\u3400-\u9fff]")
LATIN_WORD = re.compile(r"[a-z0-9][a-z0-9'+.%-]*", re.IGNORECASE)


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_PRICE = _any_of(
    r"多少钱|多钱|啥价|什么价|价格|价钱|售价|几块|几米|咋卖|怎么卖|多少米|卖多少",
    r"how much (?:is|are|for|does (?:it|this|that|the [\w -]+) cost)|\bprice\b|\bcosts?\b",
)
_NOT_THIS_PRICE = _any_of(
    r"便宜|优惠|打折|折扣|券|满减|降|涨|以前|之前|去年|明年|下个月|明天|昨天|原价|双十一|运费|邮费|退|差价|别家|两件|三件|几件|贵",
    r"discount|coupon|cheaper|next (?:year|week|month)|last (?:year|week|month)|tomorrow|yesterday|used to",
    r"shipping|delivery|refund|return|elsewhere|how much \w+ (?:is|are) in",
)
_STOCK = _any_of(
    r"有货|库存|现货|还有吗|还有没有|还剩|剩多少|卖完|卖光|抢完|抢光|售罄|没货|没了吗|断货",
    r"in stock|out of stock|sold out|still available|any left|how many (?:are )?left|\bstock\b",
)
_NOT_THIS_STOCK = _any_of(
    r"什么时候|几时|多久|补货|颜色|色号|尺码|\d+\s*码|[smlx]+\s*码|[红橙黄绿蓝紫黑白灰粉棕]色",
    r"when|restock|back in stock|size|colou?r|\b(?:red|blue|green|black|white|pink|grey|gray)\b",
)
_SHELF = _any_of(
    r"几号链接|第几号|第几个|多少号|几号(?!发|到|色|送|开|播|上|下)|哪个链接|什么链接|几链接",
    r"(?:which|what) (?:number|link|position|slot)|link number|number on the (?:shelf|list)",
)
_ADVICE = _any_of(
    r"穿什么码|穿多大|拍什么码|用多重|够吗|够不够|偏大|偏小|能换|可以调|怎么换",
    r"can i|can you|should|how often|how do i find|which parts",
)
_WH_WORD = re.compile(r"\b(?:what|which|how)\b")
_OPENED = re.compile(r"开封|开盖|打开后|拆封|after opening|opened|once open")
_SHELF_LIFE = "保质期"  # label of the property that an opened package no longer has


class Concept(NamedTuple):
    """One property under all its names; the first of a language is its label there."""

    zh: tuple[str, ...]
    en: tuple[str, ...]

    def label(self, language: Language) -> str:
        return self.zh[0] if language == "zh" else self.en[0]


def normalised(text: str) -> str:
    """NFKC, lower case, single spaces: what patterns and names are compared in."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().replace("’", "'").split())


def says(text: str, phrase: str) -> bool:
    """Whether a normalised text holds a phrase: anywhere when it is Chinese, as whole words otherwise."""
    if CJK.search(phrase):
        return phrase in text
    return re.search(rf"(?<![a-z0-9]){re.escape(phrase)}(?![a-z0-9])", text) is not None


def asks_price(asked: str, intent: str) -> bool:
    """The price now, not a discount, a past price or a fee."""
    if _NOT_THIS_PRICE.search(asked):
        return False
    return bool(_PRICE.search(asked)) or (intent == "price" and asked.endswith(("how much", "how much?")))


def asks_stock(asked: str) -> bool:
    """Whether it can be had, not when, and not in one colour or size: the store counts a product as a whole."""
    return bool(_STOCK.search(asked)) and not _NOT_THIS_STOCK.search(asked)


def asks_shelf_position(asked: str) -> bool:
    return _SHELF.search(asked) is not None


def asked_strength(asked: str, attribute: str) -> tuple[int, int]:
    """How surely the question asks for an attribute: (weight of the longest phrase found, 1 when it is the attribute's own name).

    (0, 0) when it does not, or when it asks for advice rather than for the value.
    """
    own, concept = normalised(attribute), concept_of(attribute)
    if _ADVICE.search(asked) or (concept is not None and concept.zh[0] == _SHELF_LIFE and _OPENED.search(asked)):
        return (0, 0)
    plain_word = concept is None and not CJK.search(own)  # such as `Lid`: a value is asked for only by what, which, how
    phrases = [] if plain_word and not _WH_WORD.search(asked) else [(own, 1)]
    if concept is not None:
        phrases += [(phrase, 0) for phrase in (*concept.zh, *concept.en)]
    return max(((_weight(phrase), exact) for phrase, exact in phrases if says(asked, phrase)), default=(0, 0))


def concept_of(attribute: str) -> Concept | None:
    """The property that an attribute's name stands for; None for a name of the shop's own."""
    return _concept_by_name().get(normalised(attribute))


def _weight(phrase: str) -> int:
    return sum(3 if CJK.match(c) else 1 for c in phrase)


@cache
def _concept_by_name() -> Mapping[str, Concept]:
    names: dict[str, Concept] = {}
    labels = ((concept.label(language), concept) for concept in _concepts() for language in ("zh", "en"))
    synonyms = ((name, concept) for concept in _concepts() for name in (*concept.zh, *concept.en))
    for name, concept in (*labels, *synonyms):
        names.setdefault(name, concept)
    return names


@cache
def _concepts() -> tuple[Concept, ...]:
    text = resources.files("graphs").joinpath("data", "attributes.json").read_text(encoding="utf-8")
    rows = cast(Mapping[str, Mapping[str, list[str]]], json.loads(text))
    return tuple(Concept(tuple(row["zh"]), tuple(row["en"])) for row in rows.values())
