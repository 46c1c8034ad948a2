"""Which of the live rooms to enter: what the viewer watched, what the rooms show, and what goes on in them now."""

import json
import math
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Protocol, get_args

import numpy as np
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from models.recommend.history import weighted_products
from models.recommend.room_topics import RoomTopics, Texts
from models.types import ArtifactError, Event, ProductId, RankedRoom, Room, RoomId, RoomReasonKind, Vectors

Part = Literal["watched_share", "watched_often", "watched_last", "similar_to", "topic", "popular", "fresh"]
KIND_OF: Mapping[Part, RoomReasonKind] = {
    "watched_share": "watched_before",
    "watched_often": "watched_before",
    "watched_last": "watched_before",
    "similar_to": "similar_to",
    "topic": "topic",
    "popular": "popular",
    "fresh": "fresh",
}
PARTS: tuple[Part, ...] = get_args(Part)
Weights = Mapping[Part, float]  # of the parts, each part 0..1; >= 0, summing to 1: a score is 0..1 and its reasons add up to it
# What serves where nothing better was learnt
SET_BY_HAND: Weights = {"watched_share": 0.42, "similar_to": 0.40, "topic": 0.06, "popular": 0.07, "fresh": 0.05}
WATCH_DECAY = 0.9  # of a visit per room visit since
AUDIENCE_HALF_LIFE_S = 900.0  # of the activity that makes a room popular now
SHOW_BREAK_S = 3600.0  # silence after which a room's next event begins a new broadcast
JUST_STARTED_S = 1800.0  # half-life of "it has just started"
MAX_ROOMS = 10_000  # whose broadcasts are remembered: those observed last
FILE = "rooms.json"
_BEST_OF_SHELF = 5  # a room is as near to a product as the mean of its nearest products


class Similarity(Texts, Protocol):
    """What rooms ask of the shop index."""

    def similarity(self, left: Sequence[ProductId], right: Sequence[ProductId]) -> Vectors:
        """float32 (len(left), len(right)), -1..1."""
        ...


@dataclass(slots=True)
class _Broadcast:
    """What is going on in a room, from its events."""

    began_s: float
    latest_s: float
    activity: float = 0.0  # events, halved every 15 minutes, as of `latest_s`


class RoomRanker:
    """Ranks live rooms for one viewer; learns from events what goes on in each room. Thread-safe."""

    def __init__(self, shop: Similarity, weights: Weights = SET_BY_HAND) -> None:
        self._shop = shop
        self._topics = RoomTopics(shop)
        self.weights = weights  # may be exchanged while it serves
        self._lock = threading.Lock()
        self._broadcasts: dict[RoomId, _Broadcast] = {}  # the room observed last is the last

    def observe(self, event: Event, *, now: datetime | None = None) -> None:
        """Count an event into what goes on in its room, one that says to be later than `now` (default: the wall clock) as of now; O(1)."""
        if event.room_id is None:
            return
        self._topics.observe(event)
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
        return ranked_by([room.room_id for room in live], self.parts(history, live), self.weights)[: max(0, k)]

    def parts(self, history: Sequence[Event], live: Sequence[Room]) -> dict[Part, Mapping[RoomId, float]]:
        """What speaks for each of the rooms, 0..1; a room of which a part knows nothing is left out of it."""
        return {
            **_watched(history, [room.room_id for room in live]),
            "similar_to": self._near(history, live),
            "topic": self._about(history, live),
            **self._going_on([room.room_id for room in live]),
        }

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
        """How near what a room is about now is to the texts of the products of recent interest."""
        seeds = weighted_products(history, limit=20)
        if not seeds or not live:
            return {}
        return dict(zip((room.room_id for room in live), self._topics.near(live, seeds).tolist(), strict=True))

    def _going_on(self, room_ids: Sequence[RoomId]) -> dict[Part, Mapping[RoomId, float]]:
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


def _watched(history: Sequence[Event], live: Sequence[RoomId]) -> dict[Part, Mapping[RoomId, float]]:
    """Repeat-watch, three ways. `watched_share`: the share of the viewer's visits, recent ones counting more, long ones like several;
    `watched_often`: log of the number of visits, as a share of the most; `watched_last`: 1 / place of the latest visit among the live."""
    visits, entered = defaultdict[RoomId, float](float), dict[RoomId, int]()
    weight = 1.0
    for event in reversed(history):
        if event.room_id is None or event.type not in {"enter", "watch"}:
            continue
        minutes = (event.value or 0.0) / 60.0 if event.type == "watch" else 0.0
        visits[event.room_id] += weight * (1.0 + math.log1p(max(0.0, minutes)))
        if event.type == "enter":
            weight *= WATCH_DECAY
            entered[event.room_id] = entered.get(event.room_id, 0) + 1
    total, most = sum(visits.values()), math.log1p(max(entered.values(), default=1))
    latest = [room_id for room_id in entered if room_id in set(live)]  # the latest first
    return {
        "watched_share": {room_id: value / total for room_id, value in visits.items()},
        "watched_often": {room_id: math.log1p(count) / most for room_id, count in entered.items()},
        "watched_last": {room_id: 1.0 / place for place, room_id in enumerate(latest, start=1)},
    }


def _mean_of_best(block: Vectors) -> Vectors:
    """float32 (seeds,): of each seed the mean of its best cosines on a shelf, from (seeds, shelf)."""
    return np.asarray(-np.sort(-block, axis=1)[:, :_BEST_OF_SHELF].sum(axis=1) / _BEST_OF_SHELF)


def ranked_by(live: Sequence[RoomId], parts: Mapping[Part, Mapping[RoomId, float]], weights: Weights) -> tuple[RankedRoom, ...]:
    """Each of the rooms once, best first, ties by id."""
    ranked = [_explained(room_id, parts, weights) for room_id in dict.fromkeys(live)]
    return tuple(sorted(ranked, key=lambda room: (-room.score, room.room_id)))


def _explained(room_id: RoomId, parts: Mapping[Part, Mapping[RoomId, float]], weights: Weights) -> RankedRoom:
    by_kind = defaultdict[RoomReasonKind, float](float)
    for part, values in parts.items():
        by_kind[KIND_OF[part]] += weights.get(part, 0.0) * values.get(room_id, 0.0)
    reasons = tuple(sorted((reason for reason in by_kind.items() if reason[1] > 0), key=lambda reason: (-reason[1], reason[0])))
    return RankedRoom(room_id, sum(weight for _, weight in reasons), reasons)


def save_weights(weights: Weights, folder: Path) -> None:
    """Write `rooms.json` into an existing folder; the caller writes the manifest."""
    (folder / FILE).write_text(json.dumps(weights) + "\n", encoding="utf-8")


def load_weights(folder: Path) -> Weights:
    """Those of an opened artifact; of one that learnt none, those set by hand. Raises ArtifactError for what are no weights."""
    path = folder / FILE
    if not path.is_file():
        return SET_BY_HAND
    try:
        return _Weights.validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise ArtifactError(f"{path} holds no weights of rooms ({where}: {first['msg']}); run `livecart train recommender`") from error


def _summing_to_one(weights: dict[Part, float]) -> dict[Part, float]:
    if not math.isclose(total := sum(weights.values()), 1.0, abs_tol=1e-3):
        raise ValueError(f"they sum to {total:g}, not to 1")
    return weights


_Weights = TypeAdapter(Annotated[dict[Part, Annotated[float, Field(strict=True, ge=0.0, le=1.0)]], AfterValidator(_summing_to_one)])
