"""What a question asks for, read off its wording: price, stock, place on the shelf, or a property under one of its names."""

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Literal, NamedTuple, NotRequired, TypedDict, cast

from graphs.reading.characters import CJK
from models.types import Language

LATIN_WORD = re.compile(r"[a-z0-9][a-z0-9'+.%-]*", re.IGNORECASE)


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_PRICE = _any_of(
    r"多少钱|多钱|啥价[格位]?|什么价[格位]?|价格|价钱|价位|售价|单价|到手价|直播价|报个?价|这个价|几块|几元|多少元|几米(?!长)|咋卖|怎么卖|要?多少米(?!长)|卖多少",
    r"how much (?:is|are|for|does (?:it|this|that|the [\w -]+) cost|do (?:they|these|those) cost)|how much\s*$|how expensive",
    r"\bpriced?\b|\bcosts?\b",
)
_NOT_THIS_PRICE = _any_of(
    r"便宜|优惠|打折|折扣|几折|券|满减|降|涨|以前|之前|去年|明年|下个月|明天|昨天|原价|双十一|活动价|会员价|第二件|批发|差价|别家|两件|三件|几件|贵",
    r"以后|之后|将来|运费|邮费|退|押金|定金|保费|安装费|服务费",
    r"discount|coupon|cheaper|\blater\b|afterwards|next (?:year|week|month)|last (?:year|week|month)|tomorrow|yesterday|used to",
    r"shipping|delivery|refund|return|elsewhere|how much \w+ (?:is|are) in",
)
_STOCK = _any_of(
    r"有货|库存|现货|还有吗|还有没有\s*$|还有多少|还有几[件个台双]|还剩|仅剩|就剩|只剩|剩多少|剩几|卖完|卖光|抢完|抢光|售罄|没货|没了吗|断货|还能拍|能拍吗|还能买|买得到",
    r"in stock|out of stock|sold out|still available|any left|how many (?:are |do you have )?(?:left|remaining)|\bstock\b",
    r"do you still have|still have (?:it|any|this)|still sell",
)
_NOT_THIS_STOCK = _any_of(
    r"什么时候|几时|多久|补货|线下|门店|实体店|专柜|颜色|色号|尺码|\d+\s*码|[smlx]+\s*码|[红橙黄绿蓝紫黑白灰粉棕]色",
    r"when|restock|back in stock|\bgo (?:up|down)\b|\binvest|\bstock (?:market|price)",
    r"\bstores?\b|size|colou?r|\b(?:red|blue|green|black|white|pink|grey|gray)\b",
)
_SHELF = _any_of(
    r"几号链接|第几号|第几个|多少号|几号(?!发|到|色|送|开|播|上|下)|哪个链接|什么链接|几链接",
    r"(?:which|what) (?:number|link|position|slot)|link number|number on the (?:shelf|list)",
)
_ADVICE = _any_of(r"用多重|够吗|够不够|怎么换", r"how do i find|which parts|\benough\b")  # a value would be no answer
_MARKS = re.compile(r"[^\w\s'.%°+/-]|_|(?<!\d)\.|\.(?!\d)")
_OF_THE_STORE = frozenset({"price", "stock"})  # asked for in wordings of their own, which know what else a price may be
_SHORT_MEASURES = {"高": "height", "宽": "width", "长": "length", "厚": "thickness", "重": "weight", "深": "depth"}
_SHORT_NAME = 3  # characters
_GAP = 24  # characters between the pieces of a phrase


class Concept(NamedTuple):
    """One property or policy under all its names; the first of a language is its label there. `*` in a name stands for some words."""

    key: str
    zh: tuple[str, ...]
    en: tuple[str, ...]
    tells: re.Pattern[str]  # how a sentence states it
    over: tuple[str, ...] = ()  # keys of wider concepts that are not meant where this one is asked for
    weak: tuple[str, ...] = ()  # names that ask for it only where nothing else is asked for
    near: tuple[str, ...] = ()  # keys of concepts that answer too where nothing tells this one
    kind: Literal["measure", "property", "matter"] = "matter"  # parts have measures and properties of their own; matters are the shop's

    @property
    def is_measure(self) -> bool:
        return self.kind == "measure"

    @property
    def is_of_parts(self) -> bool:
        return self.kind != "matter"

    def label(self, language: Language) -> str:
        return self.zh[0] if language == "zh" else self.en[0]


class AskedConcept(NamedTuple):
    """A concept that a question asks for, and where its wording stands in `spread(question)`."""

    concept: Concept
    weight: int  # letters of the longest of its phrases found, a Chinese character counting three
    spans: tuple[tuple[int, int], ...]
    is_weak: bool = False  # only in words that ask for other things too: how big, 多久


def normalised(text: str) -> str:
    """NFKC, lower case, single spaces: what patterns and names are compared in."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().replace("’", "'").split())


def says(text: str, phrase: str) -> bool:
    """Whether a normalised text holds a phrase: anywhere when it is Chinese, as whole words otherwise."""
    if CJK.search(phrase):
        return phrase in text
    return re.search(rf"(?<![a-z0-9]){re.escape(phrase)}(?![a-z0-9])", text) is not None


def asks_shelf_position(asked: str) -> bool:
    return _SHELF.search(asked) is not None


def spread(text: str) -> str:
    """A normalised text with blanks for punctuation and around it, so that a phrase between blanks is whole words."""
    return f" {_MARKS.sub(' ', normalised(text))} "


@lru_cache(maxsize=512)
def asked_concepts(question: str) -> tuple[AskedConcept, ...]:
    """What a question asks for, the surest first: phrases within longer ones do not count, nor wider concepts.

    >>> [[asked.concept.key for asked in asked_concepts(question)] for question in ("开封后能放多久", "how heavy is it")]
    [['after_opening'], ['weight']]
    """
    text = spread(question).replace("影响吗", "影 吗")  # no 响吗, which asks whether it is loud
    if _ADVICE.search(text):
        return ()
    best: dict[str, AskedConcept] = {}
    for phrase in _phrases():
        if phrase.pieces[0] in text and (spans := phrase.found(text)):
            known = best.get(phrase.concept.key, AskedConcept(phrase.concept, 0, ()))
            is_weak = phrase.is_weak and (known.is_weak or not known.spans)
            best[phrase.concept.key] = AskedConcept(phrase.concept, max(known.weight, phrase.weight), (*known.spans, *spans), is_weak)
    best |= {asked.concept.key: asked for asked in (_asked_of_store("price", text), _asked_of_store("stock", text)) if asked is not None}
    found = [asked for asked in best.values() if not any(_within(asked, other) for other in best.values())]
    found = [asked for asked in found if not asked.is_weak] or found
    wider = {key for asked in found for key in asked.concept.over}
    return tuple(sorted((asked for asked in found if asked.concept.key not in wider), key=lambda asked: (-asked.weight, asked.spans)))


@lru_cache(maxsize=16_384)
def tells(key: str, sentence: str) -> bool:
    """Whether a sentence states a concept, by the concept's key."""
    return _concepts()[key].tells.search(normalised(sentence)) is not None


@cache
def measures() -> tuple[str, ...]:
    """The keys of all measures, price and stock included."""
    return tuple(key for key, concept in _concepts().items() if concept.is_measure or key in _OF_THE_STORE)


@cache
def narrower(key: str) -> tuple[str, ...]:
    """The keys of the concepts that are more special than one: a sentence on one of them does not tell the wider one."""
    return tuple(other.key for other in _concepts().values() if key in other.over)


def concept_of(attribute: str) -> Concept | None:
    """The property that an attribute's name stands for; None for a name of the shop's own."""
    return _concept_by_name().get(normalised(attribute))


@lru_cache(maxsize=8192)
def head_of(attribute: str) -> tuple[Concept | None, str]:
    """The property at the end of an attribute's name, and what stands before it: the part or the kind that it is a property of.

    >>> concept, part = head_of("杯盖材质")
    >>> concept.key, part, head_of("Lid colour")[1]
    ('material', '杯盖', 'lid')
    """
    name = re.sub(r"[(（].*?[)）]", "", normalised(attribute)).strip()
    whole = _concept_by_name().get(name)
    if whole is not None:
        return whole, ""
    for start in range(1, len(name)):
        cut = CJK.match(name[start]) is not None or name[start - 1] == " "
        concept = _concept_by_name().get(name[start:]) if cut else None
        if concept is not None:
            return concept, name[:start].strip()
    measure = _SHORT_MEASURES.get(name[-1:]) if 2 <= len(name) <= _SHORT_NAME else None  # 枕高, 肩宽
    return (_concepts()[measure], name[:-1]) if measure is not None else (None, name)


def _asked_of_store(key: Literal["price", "stock"], text: str) -> AskedConcept | None:
    """The price now or what can be had, not a discount, a past price, a fee or a restock, nor one colour or size."""
    asks, veto = (_PRICE, _NOT_THIS_PRICE) if key == "price" else (_STOCK, _NOT_THIS_STOCK)
    spans = tuple(match.span() for match in asks.finditer(text))
    return AskedConcept(_concepts()[key], max(end - start for start, end in spans), spans) if spans and not veto.search(text) else None


def _within(asked: AskedConcept, other: AskedConcept) -> bool:
    """Whether all that names a concept is part of a longer phrase of another one."""
    return asked.weight < other.weight and all(any(a <= start and end <= b for a, b in other.spans) for start, end in asked.spans)


class _Phrase(NamedTuple):
    """One way to ask for a concept; its pieces come in this order, with at most `_GAP` characters between them."""

    concept: Concept
    pieces: tuple[str, ...]
    weight: int
    is_weak: bool

    def found(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where the pieces stand in a spread text; nothing unless all do."""
        spans: list[tuple[int, int]] = []
        place = 0
        for piece in self.pieces:
            start = text.find(piece, place, len(text) if not spans else place + _GAP + len(piece))
            if start < 0:
                return ()
            place = start + len(piece)
            spans.append((start, place))
            place -= piece.endswith(" ")  # the blank may open the next word
        return tuple(spans)


@cache
def _phrases() -> tuple[_Phrase, ...]:
    asked = (concept for concept in _concepts().values() if concept.key not in _OF_THE_STORE)
    return tuple(_phrase(concept, name) for concept in asked for name in (*concept.zh, *concept.en))


def _phrase(concept: Concept, name: str) -> _Phrase:
    pieces = (spread(piece) for piece in name.split("*"))
    kept = [piece.strip() if CJK.search(piece) else piece for piece in pieces if piece.strip()]
    weight = sum(3 if CJK.match(c) else 1 for piece in kept for c in piece.strip())
    return _Phrase(concept, tuple(kept), weight, name in concept.weak)


@cache
def _concept_by_name() -> Mapping[str, Concept]:
    names: dict[str, Concept] = {}
    labels = ((concept.label(language), concept) for concept in _concepts().values() for language in ("zh", "en"))
    synonyms = ((name, concept) for concept in _concepts().values() for name in (*concept.zh, *concept.en))
    for name, concept in (*labels, *synonyms):
        names.setdefault(name, concept)
    return names


@cache
def _concepts() -> Mapping[str, Concept]:
    text = resources.files("graphs").joinpath("data", "attributes.json").read_text(encoding="utf-8")
    rows = cast(Mapping[str, _ConceptRow], json.loads(text))
    return {key: _concept(key, row) for key, row in rows.items()}


class _ConceptRow(TypedDict):
    zh: list[str]
    en: list[str]
    tells: NotRequired[str]
    over: NotRequired[list[str]]
    near: NotRequired[list[str]]
    weak: NotRequired[list[str]]
    kind: NotRequired[Literal["measure", "property"]]


def _concept(key: str, row: _ConceptRow) -> Concept:
    tells = row.get("tells")
    labels = rf"{re.escape(row['zh'][0])}|\b{re.escape(row['en'][0])}\b"
    return Concept(
        key,
        zh=tuple(row["zh"]),
        en=tuple(row["en"]),
        tells=re.compile(tells or labels),
        over=tuple(row.get("over", ())),
        near=tuple(row.get("near", ())),
        weak=tuple(row.get("weak", ())),
        kind=row.get("kind", "matter"),
    )
