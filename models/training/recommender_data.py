"""From a log of events to what the recommender learns from; nothing of the future reaches a feature."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from scipy import sparse

from models.recommend.features import ItemVectors, Rows, distinct, features
from models.recommend.history import INTEREST, Log
from models.recommend.sources import HISTORY_EVENTS, Sources
from models.types import Event, ProductId, RoomId, ViewerId

LABEL_WINDOW = timedelta(minutes=60)  # the ranker predicts what happens within this after a request
SESSION_GAP = timedelta(minutes=30)
INTEREST_HALF_LIFE = timedelta(days=14)
# How far down the funnel an event is: 1 click, 2 cart, 3 purchase
DEPTH = {"click": 1, "cart": 2, "purchase": 3}


def is_held_out(viewer_id: ViewerId, share: float) -> bool:
    """Whether a viewer belongs to the test set: by hash, so that it never changes sides."""
    return int.from_bytes(blake2b(viewer_id.encode(), digest_size=8).digest()) / 2**64 < share


def interest_matrix(log: Log, items: Sequence[ProductId], until: datetime) -> sparse.csr_array:
    """float32 (viewers, items): log(1 + interest shown before `until`, halved every 14 days)."""
    place = {product_id: column for column, product_id in enumerate(items)}
    cells = defaultdict[tuple[int, int], float](float)
    for row, events in enumerate(log.values()):
        for event in events:
            if event.at < until and event.product_id in place and event.type in INTEREST:
                age = (until - event.at) / INTEREST_HALF_LIFE
                cells[row, place[event.product_id]] += INTEREST[event.type] * 2.0**-age
    keys = np.array(list(cells), dtype=np.int64).reshape(-1, 2)
    values = np.log1p(np.fromiter(cells.values(), dtype=np.float32, count=len(cells)))
    return sparse.csr_array(sparse.coo_array((values, (keys[:, 0], keys[:, 1])), shape=(len(log), len(items))))


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows of features with what happened next."""

    rows: Rows  # float32 (n, features)
    labels: Rows  # float32 (n, 3), cumulative: a purchase is a click and a cart too
    group: NDArray[np.int64]  # int64 (n,): the request that a row belongs to
    viewer: NDArray[np.int64]  # int64 (n,): number of the viewer, for splits

    def where(self, mask: NDArray[np.bool_]) -> "Examples":
        return Examples(self.rows[mask], self.labels[mask], self.group[mask], self.viewer[mask])


@dataclass(frozen=True, slots=True)
class _Moment:
    """A place in a viewer's log where a request could have been made: before `events[index]`."""

    at: datetime
    viewer_id: ViewerId
    index: int


@dataclass(frozen=True, slots=True)
class Replay:
    """Walks through a log in order of time and asks the sources what they would have proposed."""

    sources: Sources
    vectors: ItemVectors
    shelves: Mapping[RoomId, Sequence[ProductId]]
    log: Log

    def examples(self, start: datetime, end: datetime, *, requests: int, seed: int) -> Examples:
        """About `requests` requests sampled in [start, end), half of them at the start of a session.

        Popularity observes every event before it is asked, so that a request sees counts of its own time.
        """
        rng = np.random.default_rng(seed)
        moments = self._sampled(start, end, requests, rng)
        stream = iter(sorted((e for log in self.log.values() for e in log if start <= e.at < end), key=lambda event: event.at))
        pending = next(stream, None)
        viewers = {viewer_id: number for number, viewer_id in enumerate(self.log)}
        parts = list[Examples]()
        for group, moment in enumerate(track(moments, description="replay", console=Console(stderr=True))):
            while pending is not None and pending.at < moment.at:
                self.sources.behaviour.observe(pending)
                pending = next(stream, None)
            parts.append(self._at(moment, group, viewers[moment.viewer_id], with_context=rng.random() < 0.3))
        return Examples(
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.group for part in parts]),
            np.concatenate([part.viewer for part in parts]),
        )

    def _sampled(self, start: datetime, end: datetime, count: int, rng: np.random.Generator) -> list[_Moment]:
        starts, inside = list[_Moment](), list[_Moment]()
        for viewer_id, events in self.log.items():
            for index, begins in session_starts(events):
                if start <= events[index].at < end:
                    (starts if begins else inside).append(_Moment(events[index].at, viewer_id, index))
        chosen = [*_some(starts, count // 2, rng), *_some(inside, count - count // 2, rng)]
        return sorted(chosen, key=lambda moment: (moment.at, moment.viewer_id))

    def _at(self, moment: _Moment, group: int, viewer: int, *, with_context: bool) -> Examples:
        events = self.log[moment.viewer_id]
        history = events[max(0, moment.index - HISTORY_EVENTS) : moment.index]
        last = next((event.product_id for event in reversed(history) if event.product_id is not None), None)
        context = (last,) if with_context and last is not None else ()
        room_id = events[moment.index].room_id
        shelf = self.shelves.get(room_id, ()) if room_id is not None else ()
        request = self.sources.request(moment.viewer_id, history, context, shelf, moment.at)
        products = distinct(request.candidates)
        size = len(products)
        labels = _labels(products, events, moment)
        return Examples(features(request, self.vectors), labels, np.full(size, group), np.full(size, viewer))


def session_starts(events: Sequence[Event]) -> Iterator[tuple[int, bool]]:
    """Every index of a viewer's events, and whether a session begins there (a pause of 30 minutes before it)."""
    if events:
        yield 0, True
    for index, (before, after) in enumerate(pairwise(events), start=1):
        yield index, after.at - before.at >= SESSION_GAP


def _some(moments: Sequence[_Moment], count: int, rng: np.random.Generator) -> list[_Moment]:
    places = rng.choice(len(moments), size=min(count, len(moments)), replace=False)
    return [moments[place] for place in places.tolist()]


def _labels(products: Sequence[ProductId], events: Sequence[Event], moment: _Moment) -> Rows:
    depth = dict[ProductId, int]()
    for event in events[moment.index :]:
        if event.at - moment.at > LABEL_WINDOW:
            break
        if event.product_id is not None and event.type in DEPTH:
            depth[event.product_id] = max(DEPTH[event.type], depth.get(event.product_id, 0))
    reached = np.array([depth.get(product_id, 0) for product_id in products])
    return (reached[:, None] >= np.array([1, 2, 3])).astype(np.float32)
