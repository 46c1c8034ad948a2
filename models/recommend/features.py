"""What the ranker sees of a request: one function, used in training and in serving.

Features come from the request alone (and the item vectors of the artifact): nothing that happened after `request.at` can leak in.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from models.recommend.history import weighted_products
from models.types import Candidate, Event, ProductId, RankRequest, SourceKind, Vectors

SOURCES: tuple[SourceKind, ...] = get_args(SourceKind)
_SOURCE_NUMBER = {source: number for number, source in enumerate(SOURCES)}
COUNTED = ("impression", "click", "cart", "purchase")
BUCKETS = 1 << 13  # of the hashed crosses
_ATTENTION_SHARPNESS = 4.0
_DAY_S = 86_400.0

_SOURCE_NAMES = tuple(f"{source}_{what}" for source in SOURCES for what in ("present", "score", "rank"))
_ITEM_NAMES = (*(f"seen_{kind}" for kind in COUNTED), "seen_lately", "interest", "passed_over")
_TASTE_NAMES = ("taste_nearest", "taste_mean", "taste_attention", "taste_context", "taste_passed_over")
_PLACE_NAMES = ("on_shelf", "shelf_rank", "in_context")
_REQUEST_NAMES = ("history_length", "interest_count", "hour_sin", "hour_cos", "in_room")
DENSE_NAMES = (*_SOURCE_NAMES, *_ITEM_NAMES, *_TASTE_NAMES, *_PLACE_NAMES, *_REQUEST_NAMES)
# Wide part: bucket numbers 0..BUCKETS-1 of pairs, stored as float32 (exact up to 2^24) so that one tensor carries all features
CROSS_NAMES = ("cross_item", "cross_last", "cross_before_last", "cross_context", "cross_because")
FEATURE_NAMES = (*DENSE_NAMES, *CROSS_NAMES)

Rows = NDArray[np.float32]


def source_columns(source: SourceKind) -> list[int]:
    """The columns that say what this source said; zero in all of them means that it did not propose the product."""
    first = SOURCES.index(source) * 3
    return [first, first + 1, first + 2, *([FEATURE_NAMES.index("cross_because")] if source == "bought_together" else [])]


@dataclass(frozen=True, slots=True)
class ItemVectors:
    """Item vectors of the artifact: float32 (items + 1, dim), L2-normalised; the last row is zero, for products it does not know."""

    rows: Vectors
    place: Mapping[ProductId, int]

    def of(self, product_ids: Sequence[ProductId]) -> Vectors:
        unknown = len(self.rows) - 1
        return np.asarray(self.rows[[self.place.get(product_id, unknown) for product_id in product_ids]])

    @classmethod
    def stacked(cls, vectors: Mapping[ProductId, Vectors], dim: int) -> "ItemVectors":
        rows = np.stack([*vectors.values(), np.zeros(dim, np.float32)])
        return cls(rows, {product_id: place for place, product_id in enumerate(vectors)})


@dataclass(slots=True)
class _Past:
    """A history read once: per product how often each kind happened, and when it was last seen."""

    counts: dict[ProductId, list[float]] = field(default_factory=dict)
    last_s: dict[ProductId, float] = field(default_factory=dict)

    @classmethod
    def read(cls, history: Sequence[Event]) -> "_Past":
        past = cls()
        for event in history:
            product_id = event.product_id
            if product_id is None:
                continue
            past.last_s[product_id] = event.at.timestamp()
            if event.type in COUNTED:
                past.counts.setdefault(product_id, [0.0] * len(COUNTED))[COUNTED.index(event.type)] += 1.0
        return past

    def passed_over(self, product_id: ProductId) -> float:
        """Share of impressions that were not clicked, shrunk towards 0: 0..1."""
        seen = self.counts.get(product_id)
        return max(0.0, seen[0] - seen[1]) / (seen[0] + 1.0) if seen else 0.0


def distinct(candidates: Sequence[Candidate]) -> tuple[ProductId, ...]:
    """The candidates' products, each once, in order of first appearance: the rows of `features`."""
    return tuple(dict.fromkeys(candidate.product_id for candidate in candidates))


def features(request: RankRequest, vectors: ItemVectors) -> Rows:
    """float32 (n, len(FEATURE_NAMES)): one row per product of `distinct(request.candidates)`. Finite for any request."""
    products = distinct(request.candidates)
    past = _Past.read(request.history)
    interest = weighted_products(request.history, limit=10)
    blocks = [
        _said_by_sources(request.candidates, products),
        _seen_before(products, past, interest, request.at.timestamp()),
        _taste(products, past, interest, request.context, vectors),
        _places(products, request),
        np.broadcast_to(_of_request(request, len(interest)), (len(products), len(_REQUEST_NAMES))),
        _crosses(request, products, tuple(interest)),
    ]
    return np.concatenate(blocks, axis=1, dtype=np.float32)


def _said_by_sources(candidates: Sequence[Candidate], products: Sequence[ProductId]) -> Rows:
    """Per source: present, score as a share of the source's best in this request, and 1 / rank."""
    row_of = {product_id: row for row, product_id in enumerate(products)}
    raw = np.full((len(products), len(SOURCES)), -np.inf)
    rows = [row_of[candidate.product_id] for candidate in candidates]
    columns = [_SOURCE_NUMBER[candidate.source] for candidate in candidates]
    np.maximum.at(raw, (rows, columns), [candidate.score for candidate in candidates])
    present = np.isfinite(raw)
    filled = np.where(present, raw, 0.0)
    top = np.maximum(np.abs(filled).max(axis=0, initial=0.0), 1e-12)
    ranks = np.stack([np.searchsorted(np.sort(said), said) + 1.0 for said in -raw.T], axis=1)  # ties share the better rank
    block = np.stack([present, filled / top, present / ranks], axis=2)
    return block.reshape(len(products), len(_SOURCE_NAMES)).astype(np.float32)


def _seen_before(products: Sequence[ProductId], past: _Past, interest: Mapping[ProductId, float], now_s: float) -> Rows:
    block = np.zeros((len(products), len(_ITEM_NAMES)), dtype=np.float32)
    for row, product_id in enumerate(products):
        last_s = past.last_s.get(product_id)
        if last_s is None:
            continue
        lately = math.exp(-max(0.0, now_s - last_s) / _DAY_S)
        counts = past.counts.get(product_id, (0.0,) * len(COUNTED))
        block[row] = (*map(math.log1p, counts), lately, interest.get(product_id, 0.0), past.passed_over(product_id))
    return block


def _taste(
    products: Sequence[ProductId], past: _Past, interest: Mapping[ProductId, float], context: Sequence[ProductId], vectors: ItemVectors
) -> Rows:
    """Attention of each product (the query) over the history's item vectors (keys), its own entry left out."""
    block = np.zeros((len(products), len(_TASTE_NAMES)), dtype=np.float32)
    targets = vectors.of(products)
    if interest:
        cosine = targets @ vectors.of(tuple(interest)).T
        weight = np.fromiter(interest.values(), dtype=np.float32, count=len(interest)) * _differ(products, tuple(interest))
        sharp = weight * np.exp(_ATTENTION_SHARPNESS * cosine)
        block[:, 0] = (weight * cosine).max(axis=1)
        block[:, 1] = (weight * cosine).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-6)
        block[:, 2] = (sharp * weight * cosine).sum(axis=1) / np.maximum(sharp.sum(axis=1), 1e-6)
    if context:
        block[:, 3] = (targets @ vectors.of(context).T).max(axis=1)
    passed = [product_id for product_id in past.counts if past.passed_over(product_id) > 0 and product_id not in interest][-10:]
    if passed:
        differ = _differ(products, passed)
        block[:, 4] = (targets @ vectors.of(passed).T * differ).sum(axis=1) / np.maximum(differ.sum(axis=1), 1.0)
    return block


def _differ(left: Sequence[ProductId], right: Sequence[ProductId]) -> Rows:
    """float32 (len(left), len(right)): 1 where the products differ."""
    differ = np.ones((len(left), len(right)), dtype=np.float32)
    row_of = {product_id: row for row, product_id in enumerate(left)}
    for column, product_id in enumerate(right):
        row = row_of.get(product_id)
        if row is not None:
            differ[row, column] = 0.0
    return differ


def _places(products: Sequence[ProductId], request: RankRequest) -> Rows:
    rank_of = {product_id: rank for rank, product_id in reversed(list(enumerate(request.shelf, start=1)))}
    ranks = [rank_of.get(product_id, 0) for product_id in products]
    rows = [(rank > 0, 1.0 / rank if rank else 0.0, p in request.context) for rank, p in zip(ranks, products, strict=True)]
    return np.array(rows, dtype=np.float32).reshape(len(products), len(_PLACE_NAMES))


def _of_request(request: RankRequest, interest_count: int) -> Rows:
    angle = 2.0 * math.pi * (request.at.timestamp() % _DAY_S) / _DAY_S
    values = (math.log1p(len(request.history)), math.log1p(interest_count), math.sin(angle), math.cos(angle), float(bool(request.shelf)))
    return np.array(values, dtype=np.float32)


def _crosses(request: RankRequest, products: Sequence[ProductId], interest: Sequence[ProductId]) -> Rows:
    """Bucket 0 says that the partner of the pair is missing."""
    item = _hashes(products)
    because = {c.product_id: c.because or "" for c in request.candidates if c.source == "bought_together"}
    partners = (
        "item",
        interest[0] if interest else "",
        interest[1] if len(interest) > 1 else "",
        request.context[0] if request.context else "",
    )
    columns = [
        _bucket(item, np.full_like(item, _hashed(partner)), salt) if partner else np.zeros(len(products))
        for salt, partner in enumerate(partners)
    ]
    named = _hashes([because.get(product_id, "") for product_id in products])
    columns.append(np.where(named == _hashed(""), 0, _bucket(item, named, len(partners))))
    return np.stack(columns, axis=1).astype(np.float32)


@lru_cache(maxsize=1 << 17)
def _hashed(text: str) -> int:
    return zlib.crc32(text.encode())


def _hashes(texts: Sequence[str]) -> NDArray[np.uint64]:
    return np.fromiter(map(_hashed, texts), dtype=np.uint64, count=len(texts))


def _bucket(left: NDArray[np.uint64], right: NDArray[np.uint64], salt: int) -> NDArray[np.uint64]:
    """1..BUCKETS-1, by a multiplicative hash of the pair and the number of the cross."""
    mixed = left * np.uint64(0x9E3779B97F4A7C15) + (right + np.uint64(salt)) * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray((mixed >> np.uint64(40)) % np.uint64(BUCKETS - 1) + np.uint64(1))
