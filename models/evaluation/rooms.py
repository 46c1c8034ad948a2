"""How well the room ranking foresees which live room a viewer enters next."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from models.interactions.event_log import CODE, NONE, Histories
from models.recommend.rooms import SET_BY_HAND, Part, RoomRanker, Weights, ranked_by
from models.types import HISTORY_EVENTS, Event, Room, RoomId, ViewerId

ON_AIR = timedelta(minutes=15)  # a room with an event within this counts as live
WARM_UP = timedelta(days=1)  # before the first entry that is asked about, to know what goes on in rooms
MIN_HISTORY = 5  # events
VISITS = 50  # latest `enter` and `watch` events of a viewer that a request carries besides the latest events
BASELINES: Mapping[str, Weights] = {
    "last_watched": {"watched_last": 1.0},  # live rooms in the order of the viewer's latest entry
    "counts_with_recency": {"watched_share": 1.0},
    "set_by_hand": SET_BY_HAND,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One viewer entered one of several rooms that were live."""

    viewer_id: ViewerId
    entered: RoomId
    live: tuple[RoomId, ...]
    parts: Mapping[Part, Mapping[RoomId, float]]  # what spoke for each room then


class _Replay:
    """What is known up to now: of the viewers asked about their latest events, and when something last happened in each room."""

    def __init__(self, asked: Histories, start: datetime) -> None:
        self._recent = {viewer_id: deque[Event](maxlen=HISTORY_EVENTS) for viewer_id in asked}
        self._visits = {viewer_id: deque[Event](maxlen=VISITS) for viewer_id in asked}
        self._latest: dict[RoomId, datetime] = {}
        for viewer_id, events in asked.items():
            for event in events[: events.before(start)]:
                self._remember(viewer_id, event)

    def live(self, rooms: Sequence[Room], at: datetime) -> list[Room]:
        return [room for room in rooms if room.room_id in self._latest and at - self._latest[room.room_id] <= ON_AIR]

    def seen(self, viewer_id: ViewerId) -> list[Event]:
        """As the graph of rooms has it: the latest events, and before them the visits that are older."""
        recent = list(self._recent[viewer_id])
        return [*(event for event in self._visits[viewer_id] if event.at < recent[0].at), *recent] if recent else []

    def note(self, event: Event) -> None:
        if event.viewer_id in self._recent and event.type != "display":
            self._remember(event.viewer_id, event)
        if event.room_id is not None:
            self._latest[event.room_id] = event.at

    def _remember(self, viewer_id: ViewerId, event: Event) -> None:
        self._recent[viewer_id].append(event)
        if event.type in {"enter", "watch"}:
            self._visits[viewer_id].append(event)


@dataclass(frozen=True, slots=True)
class Lot:
    """Which of the entries are looked at, where there are more than `at_most`."""

    at_most: int
    seed: int


def choices(
    asked: Histories, rooms: Sequence[Room], ranker: RoomRanker, start: datetime, end: datetime | None = None, lot: Lot | None = None
) -> Iterator[Choice]:
    """Entries of the viewers asked about in [start, end) into one of several rooms live then; what goes on in rooms is everybody's."""
    log = asked.log
    last = log.place_of(end) if end is not None else len(log)
    entries = _entries(asked, rooms, range(log.place_of(start), last), lot)
    replay = _Replay(asked, start - WARM_UP)
    places = range(log.place_of(start - WARM_UP), last)
    for place, event in zip(places, log.at_places(places), strict=True):
        if place in entries and event.room_id is not None:
            past, live = replay.seen(event.viewer_id), replay.live(rooms, event.at)
            if len(past) >= MIN_HISTORY and len(live) > 1 and event.room_id in {room.room_id for room in live}:
                yield Choice(event.viewer_id, event.room_id, tuple(room.room_id for room in live), ranker.parts(past, live))
        replay.note(event)
        ranker.observe(event)


def _entries(asked: Histories, rooms: Sequence[Room], places: range, lot: Lot | None) -> Set[int]:
    """Places in the log of the entries into these rooms, of the viewers asked about; as many as the lot allows."""
    log, known = asked.log, {room.room_id for room in rooms}
    span = slice(places.start, places.stop)
    room, is_known = log.columns.room[span], np.array([*(room_id in known for room_id in log.rooms), False])  # NONE is the last
    wanted = (log.columns.type[span] == CODE["enter"]) & is_known[room] & (asked.rows[log.columns.viewer[span]] != NONE)
    found = places.start + np.flatnonzero(wanted)
    if lot is not None and len(found) > lot.at_most:
        found = np.random.default_rng(lot.seed).choice(found, size=lot.at_most, replace=False)
    return frozenset(found.tolist())


def places_by(choice: Choice, weights: Weights) -> int:
    """The place from 0 of the room entered in the order that the weights give."""
    return [room.room_id for room in ranked_by(choice.live, choice.parts, weights)].index(choice.entered)


def evaluate_rooms(asked: Histories, rooms: Sequence[Room], ranker: RoomRanker, at: datetime) -> dict[str, float]:
    """Every entry of the viewers asked about from `at` on into one of several live rooms: hit@1 and mean reciprocal rank of the room
    entered, by the ranker's weights and by those of BASELINES."""
    ways = {"": ranker.weights, **{f"_{name}": weights for name, weights in BASELINES.items()}}
    places = {name: list[int]() for name in ways}
    for choice in choices(asked, rooms, ranker, at):
        for name, weights in ways.items():
            places[name].append(places_by(choice, weights))
    count = max(1, len(places[""]))
    hits = {f"rooms_hit_at_1{name}": found.count(0) / count for name, found in places.items()}
    reciprocal = {f"rooms_mrr{name}": sum(1.0 / (1 + place) for place in found) / count for name, found in places.items()}
    return {**hits, **reciprocal, "rooms_entries": float(len(places[""]))}
