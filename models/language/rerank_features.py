"""Question and passage -> what speaks for the passage answering: the same in training and in serving."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from models.language.rerank_properties import Marks, phrases
from models.language.segment import folded, grams, words
from models.types import Passage

Ids = NDArray[np.uint32]  # uint32 (n,), sorted, each once: CRC-32 of words or n-grams
Floats = NDArray[np.float32]
FEATURES = (
    "words",  # share of what is asked, weighed by rarity, that the passage says
    "grams",  # the same of character n-grams
    "grams_told",  # share of the passage's n-grams that the question holds
    "translation",  # how well its words explain the asked ones, by word associations
    "property",  # share of the asked properties that the passage tells of
    "property_count",  # how many of them, at most two
    "property_told",  # share of the told properties that are asked for
    "no_property",  # none is
    "name",  # share of the attribute's name, weighed by rarity, that is asked
    "name_property",  # share of the asked properties that the name stands for
    "name_other",  # there is a name, and it stands for none of them
    "title",  # share of what is asked that only the product's title says
    "length",  # logarithm of the words
    "number_for_many",  # how many: and there is a number
    "unit_for_size",  # how big, heavy, old: and there is a number with a unit
    "time_for_when",  # when, how long: and there is a time
    "same_numbers",  # share of the asked numbers
    "value_for_size",  # how big, heavy, old: and an attribute has a number
    "flag_for_what",  # what, which, how: and the attribute is only true or false
    "stored_question",  # it is a stored question with its answer
    "nearness",  # cosine of the dense vectors
    "stored_nearness",  # the same where it is that of two questions, else 0
)
_MANY = re.compile(r"how many|number of|how much|几|多少")
_SIZE = re.compile(
    r"how (?:many|much|long|big|tall|wide|far|fast|old|heavy|high|deep|thick|large)|what (?:size|age|year)|dimension|measure|weigh|number"
    r"|size|几|多[少大重长高宽厚远深快]"
)
_WHEN = re.compile(r"how long (?:does|do|will|is|did)|how often|how soon|when|多久|多长时间|什么时候|几天|几小时")
_OPEN = re.compile(r"\b(?:what|which|how|who|when|where|why)\b|什么|哪|几|多[少大重长高宽久]|怎么")
_NUMBER = re.compile(r"\d+")
_UNIT = re.compile(
    r"\d\s*(?:\"|'|inch|in\b|cm|mm|ft|feet|foot|lb|pound|oz|ounce|kg|gram|g\b|v\b|volt|watt|w\b|mah|hour|min|sec|day|week|month|year|yr|mph"
    r"|mile|meter|m\b|x\b|%|gb|tb|ml|l\b|克|斤|升|米|寸|岁|小时|分钟|天|周|年|个月|瓦|伏|度|℃)"
)
_TIME = re.compile(r"hour|minute|day|week|month|year|second|小时|分钟|秒|天|周|月|年")
_FLAG = re.compile(r"value:\s*(?:true|false)\b|[:：]\s*(?:true|false|yes|no|是|否)$")
_NAMED = re.compile(r"([^\s:：][^:：.。,，?？!！]{0,40})[:：]\s*")
_FUNCTION_WORDS = (
    "a an the is are was were be been do does did can could will would should has have had i my me you your it its this that these those "
    "they them he she we our of to in on at for with from by and or if so as not no but there here just any some one what which who how "
    "when where why please thank thanks hi hello am "
    "的 了 是 在 吗 呢 吧 啊 呀 这 那 这个 那个 我 你 它 有 没有 会 能 可以 什么 怎么 请问 主播 亲 就 也 都 和 款"
)
_READINGS = 16_384  # passages whose reading is kept, at about 2 KB


@dataclass(frozen=True, slots=True)
class Statistics:
    """What training has counted."""

    word_rarity: Floats  # float32 (2 ** bits,): inverse document frequency by the lowest bits of a word's id
    gram_rarity: Floats
    translations: Mapping[int, tuple[Ids, Floats]]  # asked word -> words of evidence, and how probably each stands behind it
    unexplained: Mapping[int, float]  # asked word -> how probably nothing stands behind it

    def rarity_of(self, ids: Ids, table: Floats) -> Floats:
        return np.asarray(table[ids & np.uint32(len(table) - 1)], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Asked:
    words: Ids  # without function words
    grams: Ids
    numbers: frozenset[str]
    properties: Marks
    many: bool
    size: bool
    when: bool
    open: bool


@dataclass(frozen=True, slots=True)
class Told:
    words: Ids
    grams: Ids
    title: Ids
    name: Ids
    numbers: frozenset[str]
    properties: NDArray[np.bool_]
    name_properties: NDArray[np.bool_]
    length: int
    has_unit: bool
    has_time: bool
    is_flag: bool


def read_question(question: str) -> Asked:
    plain = folded(question)
    return Asked(
        words=matter_of(question),
        grams=ids_of(grams(question)),
        numbers=frozenset(_NUMBER.findall(plain)),
        properties=phrases("asked").marks(question, words(question)),
        many=_MANY.search(plain) is not None,
        size=_SIZE.search(plain) is not None,
        when=_WHEN.search(plain) is not None,
        open=_OPEN.search(plain) is not None,
    )


def matter_of(text: str) -> Ids:
    """The words of a text without function words; with them when there are no others."""
    spoken = words(text)
    return ids_of([word for word in spoken if word not in _function_words()] or spoken)


@cache
def _function_words() -> frozenset[str]:
    return frozenset(words(_FUNCTION_WORDS))


def read_passage(passage: Passage) -> Told:
    return _read(*parts(passage))


def parts(passage: Passage) -> tuple[str, str, str]:
    """The product's title, the attribute's name and all the rest that a passage says with the name; empty where there is none.

    >>> parts(Passage("p1#Size", "spec", "Lumo lamp: Size: 12 cm", 0.0)), parts(Passage("d", "document", "color:  { value:red }", 0.0))
    (('Lumo lamp', 'Size', 'Size: 12 cm'), ('', 'color', 'color:  { value:red }'))
    """
    if passage.kind == "spec" and "#" in passage.source_id:
        name = passage.source_id.partition("#")[2]
        title, found, value = passage.text.partition(f": {name}: ")
        if found:
            return title, name, f"{name}: {value}"
    if passage.question:
        return "", "", f"{passage.question} {passage.answer or passage.text}"
    named = _NAMED.match(passage.text)
    return "", named.group(1) if named else "", passage.text


@lru_cache(maxsize=_READINGS)
def _read(title: str, name: str, body: str) -> Told:
    said, label, plain = words(body), words(name), folded(body)
    told = phrases("told")
    return Told(
        words=ids_of(said),
        grams=ids_of(grams(body)),
        title=ids_of(words(title)),
        name=ids_of(label),
        numbers=frozenset(_NUMBER.findall(plain)),
        properties=told.marks(body, said) > 0,
        name_properties=told.marks(name, label) > 0,
        length=len(said),
        has_unit=_UNIT.search(plain) is not None,
        has_time=_TIME.search(plain) is not None,
        is_flag=bool(name) and _FLAG.search(plain) is not None,
    )


def ids_of(pieces: Sequence[str]) -> Ids:
    return np.unique(np.array([crc32(piece.encode()) for piece in pieces], dtype=np.uint32))


def features(question: str, passages: Sequence[Passage], statistics: Statistics) -> Floats:
    """float32 (len(passages), len(FEATURES)). The passages' `score` has to be the cosine of the embedder that is named in the manifest."""
    if not passages:
        return np.zeros((0, len(FEATURES)), dtype=np.float32)
    asked, told = read_question(question), [read_passage(passage) for passage in passages]
    columns = [*_overlap(asked, told, statistics), *_properties(asked, told), *_names(asked, told, statistics), *_forms(asked, told)]
    return np.stack([*columns, *_nearness(passages)], axis=1).astype(np.float32)


def _overlap(asked: Asked, told: Sequence[Told], statistics: Statistics) -> list[Floats]:
    words_told = _Runs([each.words for each in told])
    grams_told = _Runs([each.grams for each in told])
    rare_words = statistics.rarity_of(asked.words, statistics.word_rarity)
    rare_grams = statistics.rarity_of(asked.grams, statistics.gram_rarity)
    shared = grams_told.total(np.isin(grams_told.ids, asked.grams, kind="sort").astype(np.float32))
    return [
        words_told.covered(asked.words, rare_words),
        grams_told.covered(asked.grams, rare_grams),
        shared / np.maximum(1, grams_told.lengths),
        _translation(asked.words, rare_words, words_told, statistics),
    ]


def _translation(asked: Ids, rarity: Floats, told: "_Runs", statistics: Statistics) -> Floats:
    """Mean log probability of the asked words under IBM model 1 (Brown et al., 1993), the rare ones counting more."""
    total = np.zeros(len(told.lengths), dtype=np.float32)
    for word, weight in zip(asked.tolist(), rarity.tolist(), strict=True):
        explained = np.zeros(len(told.lengths), dtype=np.float32)
        if word in statistics.translations:
            sources, chances = statistics.translations[word]
            places = np.minimum(np.searchsorted(sources, told.ids), len(sources) - 1)
            explained = told.total(np.where(sources[places] == told.ids, chances[places], 0.0))
        chance = explained / np.sqrt(np.maximum(1, told.lengths)) + 0.3 * statistics.unexplained.get(word, 0.0)
        total += weight * np.log(chance + 1e-3)
    return np.asarray(total / max(1e-6, float(rarity.sum())), dtype=np.float32)


def _properties(asked: Asked, told: Sequence[Told]) -> list[Floats]:
    marks = np.stack([each.properties for each in told])
    both = marks & (asked.properties > 0)
    count = both.sum(axis=1)
    return [
        both @ asked.properties / max(1.0, float(asked.properties.sum())),
        np.minimum(2, count) / 2,
        count / np.maximum(1, marks.sum(axis=1)),
        count == 0,
    ]


def _names(asked: Asked, told: Sequence[Told], statistics: Statistics) -> list[Floats]:
    names = _Runs([each.name for each in told])
    rarity = statistics.rarity_of(names.ids, statistics.word_rarity)
    hit = names.total(np.where(np.isin(names.ids, asked.words, kind="sort"), rarity, 0.0))
    meant = np.stack([each.name_properties for each in told]) & (asked.properties > 0)
    is_named = names.lengths > 0
    rare = statistics.rarity_of(asked.words, statistics.word_rarity)
    titles = [
        float(rare[np.isin(asked.words, each.title) & ~np.isin(asked.words, each.words)].sum()) if len(each.title) else 0.0 for each in told
    ]
    return [
        hit / np.maximum(1e-6, names.total(rarity)),
        meant @ asked.properties / max(1.0, float(asked.properties.sum())),
        is_named & ~meant.any(axis=1),
        np.array(titles, dtype=np.float32) / max(1e-6, float(rare.sum())),
    ]


def _forms(asked: Asked, told: Sequence[Told]) -> list[Floats]:
    rows = [
        (
            np.log1p(each.length),
            asked.many and bool(each.numbers),
            asked.size and each.has_unit,
            asked.when and each.has_time,
            len(asked.numbers & each.numbers) / max(1, len(asked.numbers)),
            asked.size and len(each.name) > 0 and bool(each.numbers),
            asked.open and each.is_flag,
        )
        for each in told
    ]
    return list(np.array(rows, dtype=np.float32).T)


def _nearness(passages: Sequence[Passage]) -> list[Floats]:
    stored = np.array([passage.question is not None for passage in passages], dtype=np.float32)
    cosines = np.array([passage.score for passage in passages], dtype=np.float32)
    return [stored, cosines, stored * cosines]


class _Runs:
    """The ids of several passages in one array, to look at all of them at once."""

    def __init__(self, runs: Sequence[Ids]) -> None:
        self.ids = np.concatenate(runs)
        self.lengths = np.array([len(run) for run in runs])
        self._owner = np.repeat(np.arange(len(runs)), self.lengths)

    def total(self, values: Floats) -> Floats:
        """float32 (runs,): the sum of `values`, one for each id, over each run."""
        return np.bincount(self._owner, weights=values, minlength=len(self.lengths)).astype(np.float32)

    def covered(self, wanted: Ids, weights: Floats) -> Floats:
        """float32 (runs,), 0..1: the share of `wanted`, sorted and weighed, that each run holds."""
        if not len(wanted):
            return np.zeros(len(self.lengths), dtype=np.float32)
        places = np.minimum(np.searchsorted(wanted, self.ids), len(wanted) - 1)
        return self.total(np.where(wanted[places] == self.ids, weights[places], 0.0)) / max(1e-6, float(weights.sum()))
