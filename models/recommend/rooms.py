"""Which of the live rooms to enter: what the viewer watched, what the rooms show, and what goes on in them now."""

import math
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np

from models.recommend.history import weighted_products
from models.types import Event, ProductId, RankedRoom, Room, RoomId, RoomReasonKind, Vectors

# Weights of the parts, each part 0..1; they sum to 1, so that a score is 0..1 and its reasons add up to it.
WEIGHTS: Mapping[RoomReasonKind, float] = {"watched_before": 0.42, "similar_to": 0.40, "topic": 0.06, "popular": 0.07, "fresh": 0.05}
WATCH_DECAY = 0.9  # of a visit per room visit since
AUDIENCE_HALF_LIFE_S = 900.0  # of the activity that makes a room popular now
SHOW_BREAK_S = 3600.0  # silence after which a room's next event begins a new broadcast
JUST_STARTED_S = 1800.0  # half-life of "it has just started"
MAX_ROOMS = 10_000  # whose broadcasts are remembered: those observed last
_BEST_OF_SHELF = 5  # a room is as near to a product as the mean of its nearest products


class Similarity(Protocol):
    """The two questions that rooms ask of the shop index."""

    def similarity(self, left: Sequence[ProductId], right: Sequence[ProductId]) -> Vectors:
        """float32 (len(left), len(right)), -1..1."""
        ...

    def topics(self, texts: Sequence[str], products: Sequence[ProductId]) -> Vectors:
        """float32 (len(texts), len(products)), -1..1: how near each text is to each product."""
        ...


@dataclass(slots=True)
class _Broadcast:
    """What is going on in a room, from its events."""

    began_s: float
    latest_s: float
    activity: float = 0.0  # events, halved every 15 minutes, as of `latest_s`


class RoomRanker:
    """Ranks live rooms for one viewer; learns from events what goes on in each room. Thread-safe."""

    def __init__(self, shop: Similarity) -> None:
        self._shop = shop
        self._lock = threading.Lock()
        self._broadcasts: dict[RoomId, _Broadcast] = {}  # the room observed last is the last

    def observe(self, event: Event, *, now: datetime | None = None) -> None:
        """Count an event into what goes on in its room, one that says to be later than `now` (default: the wall clock) as of now; O(1)."""
        if event.room_id is None:
            return
        at_s = min(event.at.timestamp(), time.time() if now is None else now.timestamp())
        with self._lock:
            show = self._broadcasts.pop(event.room_id, None)
            if show is None or at_s - show.latest_s > SHOW_BREAK_S:
                show = _Broadcast(at_s, at_s)
            self._broadcasts[event.room_id] = show
            elapsed_s = max(0.0, at_s - show.latest_s)
            show.activity = show.activity * 2.0 ** (-elapsed_s / AUDIENCE_HALF_LIFE_S) + (event.type != "display")
            show.latest_s = max(show.latest_s, at_s)
            if len(self._broadcasts) > MAX_ROOMS:
                del self._broadcasts[next(iter(self._broadcasts))]

    def rank_rooms(self, history: Sequence[Event], live: Sequence[Room], *, k: int) -> tuple[RankedRoom, ...]:
        """At most `k` of the rooms given, best first, ties by id; history oldest first. A score is the sum of its reasons' weights."""
        parts: dict[RoomReasonKind, Mapping[RoomId, float]] = {
            "watched_before": _watched(history),
            "similar_to": self._near(history, live),
            "topic": self._about(history, live),
            **self._going_on([room.room_id for room in live]),
        }
        ranked = [_explained(room_id, parts) for room_id in dict.fromkeys(room.room_id for room in live)]
        return tuple(sorted(ranked, key=lambda room: (-room.score, room.room_id))[: max(0, k)])

    def _near(self, history: Sequence[Event], live: Sequence[Room]) -> dict[RoomId, float]:
        """How well a shelf covers the products of recent interest: for each the mean of its five nearest there, 1 for itself."""
        seeds = weighted_products(history, limit=20)
        shelf = tuple(dict.fromkeys(product_id for room in live for product_id in room.shelf))
        if not seeds or not shelf:
            return {}
        column = {product_id: place for place, product_id in enumerate(shelf)}
        cosines = np.maximum(self._shop.similarity(tuple(seeds), shelf), 0.0)
        cosines[np.array([[seed == product_id for product_id in shelf] for seed in seeds])] = 1.0
        weights = np.fromiter(seeds.values(), dtype=np.float32)
        shelves = {room.room_id: cosines[:, [column[product_id] for product_id in room.shelf]] for room in live if room.shelf}
        return {room_id: min(1.0, float(weights @ _mean_of_best(block) / weights.sum())) for room_id, block in shelves.items()}

    def _about(self, history: Sequence[Event], live: Sequence[Room]) -> dict[RoomId, float]:
        """Cosine of a room's title and tags with the products of recent interest, weighted."""
        seeds = weighted_products(history, limit=20)
        if not seeds or not live:
            return {}
        cosines = self._shop.topics([" ".join((room.title, *room.tags)) for room in live], tuple(seeds))
        weights = np.fromiter(seeds.values(), dtype=np.float32)
        near = np.clip(cosines @ weights / weights.sum(), 0.0, 1.0).tolist()
        return {room.room_id: value for room, value in zip(live, near, strict=True)}

    def _going_on(self, room_ids: Sequence[RoomId]) -> dict[RoomReasonKind, Mapping[RoomId, float]]:
        """Popular: activity as a share of the busiest live room's. Fresh: began lately, counted back from the latest event anywhere."""
        with self._lock:
            now_s = max((broadcast.latest_s for broadcast in self._broadcasts.values()), default=0.0)
            known = {room_id: self._broadcasts[room_id] for room_id in room_ids if room_id in self._broadcasts}
            activity = {r: b.activity * 2.0 ** (-(now_s - b.latest_s) / AUDIENCE_HALF_LIFE_S) for r, b in known.items()}
            began = {room_id: broadcast.began_s for room_id, broadcast in known.items()}
        busiest = max(activity.values(), default=0.0)
        return {
            "popular": {room_id: value / busiest for room_id, value in activity.items()} if busiest > 0 else {},
            "fresh": {room_id: 2.0 ** (-(now_s - began_s) / JUST_STARTED_S) for room_id, began_s in began.items()},
        }


def _watched(history: Sequence[Event]) -> dict[RoomId, float]:
    """Share of the viewer's visits that a room had, recent ones counting more; long watching counts like more visits."""
    visits = defaultdict[RoomId, float](float)
    weight = 1.0
    for event in reversed(history):
        if event.room_id is None or event.type not in ("enter", "watch"):
            continue
        minutes = (event.value or 0.0) / 60.0 if event.type == "watch" else 0.0
        visits[event.room_id] += weight * (1.0 + math.log1p(max(0.0, minutes)))
        if event.type == "enter":
            weight *= WATCH_DECAY
    total = sum(visits.values())
    return {room_id: value / total for room_id, value in visits.items()}


def _mean_of_best(block: Vectors) -> Vectors:
    """float32 (seeds,): of each seed the mean of its best cosines on a shelf, from (seeds, shelf)."""
    return np.asarray(-np.sort(-block, axis=1)[:, :_BEST_OF_SHELF].sum(axis=1) / _BEST_OF_SHELF)


def _explained(room_id: RoomId, parts: Mapping[RoomReasonKind, Mapping[RoomId, float]]) -> RankedRoom:
    weights = [(kind, WEIGHTS[kind] * values.get(room_id, 0.0)) for kind, values in parts.items()]
    reasons = tuple(sorted((reason for reason in weights if reason[1] > 0), key=lambda reason: (-reason[1], reason[0])))
    return RankedRoom(room_id, sum(weight for _, weight in reasons), reasons)
