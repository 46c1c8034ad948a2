"""Counted from a log of events, a block at a time: who is tested on, who showed interest in what, and what was popular when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.interactions.event_log import DISPLAY, NONE, TYPES, EventLog, Histories, microseconds
from models.recommend.features import Rows
from models.recommend.history import INTEREST
from models.recommend.popularity import HALF_LIFE_S, Popularity, PopularityState
from models.types import ProductId, ViewerId

SESSION_GAP = timedelta(minutes=30)
INTEREST_HALF_LIFE = timedelta(days=14)
INTEREST_OF = np.array([INTEREST.get(kind, 0.0) for kind in TYPES])  # float64, by the code of a type
# How far down the funnel an event is: 1 click, 2 cart, 3 purchase
DEPTH = {"click": 1, "cart": 2, "purchase": 3}


def is_held_out(viewer_id: ViewerId, share: float) -> bool:
    """Whether a viewer belongs to the test set: by hash, so that it never changes sides."""
    return int.from_bytes(blake2b(viewer_id.encode(), digest_size=8).digest()) / 2**64 < share


def held_out(log: EventLog, share: float) -> NDArray[np.bool_]:
    """bool (viewers,): which of the log's viewers are only tested on."""
    return np.fromiter((is_held_out(viewer_id, share) for viewer_id in log.viewers), dtype=np.bool_, count=len(log.viewers))


def interest_matrix(histories: Histories, items: Sequence[ProductId], until: datetime) -> sparse.csr_array:
    """float32 (viewers, items): log(1 + interest shown before `until`, halved every 14 days)."""
    log = histories.log
    rows, columns = histories.rows, _places(log.products, items)
    until_us, half_life_us = microseconds(until), INTEREST_HALF_LIFE / timedelta(microseconds=1)
    shape, matrix = (len(histories), len(items)), sparse.csr_array((len(histories), len(items)), dtype=np.float64)
    for _, block in log.blocks(end=until):
        shown = (INTEREST_OF[block.type] > 0) & (block.product != NONE) & (rows[block.viewer] != NONE)
        shown[shown] = columns[block.product[shown]] != NONE
        weight = INTEREST_OF[block.type[shown]] * np.exp2(-(until_us - block.at_us[shown]) / half_life_us)
        cells = (weight, (rows[block.viewer[shown]], columns[block.product[shown]]))
        matrix = matrix + sparse.csr_array(sparse.coo_array(cells, shape=shape))
    return sparse.csr_array(matrix.log1p().astype(np.float32))


def popularity_before(histories: Histories, until: datetime) -> Popularity:
    """What observing the viewers' events before `until`, and what hosts displayed, would have made."""
    log, rows, now_us = histories.log, histories.rows, microseconds(datetime.now(UTC))
    weight, first_us = np.zeros(len(log.products)), np.full(len(log.products), np.iinfo(np.int64).max)
    origin_us, latest_us = None, 0
    for _, block in log.blocks(end=until):
        seen = (block.product != NONE) & ((rows[block.viewer] != NONE) | (block.type == DISPLAY))
        product, at_us, interest = block.product[seen], np.minimum(block.at_us[seen], now_us), INTEREST_OF[block.type[seen]]
        if not len(product):
            continue
        np.minimum.at(first_us, product, at_us)
        latest_us = max(latest_us, int(at_us[-1]))
        shown = interest > 0
        if not shown.any():
            continue
        newest_us = int(at_us[shown][-1])
        origin_us = newest_us if origin_us is None else origin_us
        weight *= 2.0 ** ((origin_us - newest_us) / HALF_LIFE_S / 1e6)
        origin_us = newest_us
        weight += np.bincount(
            product[shown], interest[shown] * np.exp2((at_us[shown] - origin_us) / HALF_LIFE_S / 1e6), minlength=len(log.products)
        )
    return _popularity(log.products, weight, first_us, None if origin_us is None else origin_us / 1e6, latest_us / 1e6)


def _popularity(
    products: Sequence[ProductId], weight: NDArray[np.float64], first_us: NDArray[np.int64], origin_s: float | None, latest_s: float
) -> Popularity:
    places = np.argsort(first_us, kind="stable")
    places = places[first_us[places] < np.iinfo(np.int64).max]
    state = PopularityState(
        ids=[products[place] for place in places.tolist()],
        weight=weight[places].tolist(),
        first_s=(first_us[places] / 1e6).tolist(),
        origin_s=origin_s,
        latest_s=latest_s,
    )
    return Popularity.restored(state, is_resuming=False)


def _places(names: Sequence[ProductId], items: Sequence[ProductId]) -> NDArray[np.int32]:
    """int32 (names,): where each stands in `items`, or NONE."""
    place = {product_id: number for number, product_id in enumerate(items)}
    return np.fromiter((place.get(name, NONE) for name in names), dtype=np.int32, count=len(names))


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows of features with what happened next."""

    rows: Rows  # float32 (n, features)
    labels: Rows  # float32 (n, 3), cumulative: a purchase is a click and a cart too
    group: NDArray[np.int64]  # int64 (n,): the request that a row belongs to
    viewer: NDArray[np.int64]  # int64 (n,): number of the viewer, for splits

    def where(self, mask: NDArray[np.bool_]) -> "Examples":
        return Examples(self.rows[mask], self.labels[mask], self.group[mask], self.viewer[mask])
