"""How well the room ranking foresees which live room a viewer enters next."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from models.recommend.rooms import RoomRanker
from models.recommend.sources import HISTORY_EVENTS
from models.types import Event, Room, RoomId, ViewerId

ON_AIR = timedelta(minutes=15)  # a room with an event within this counts as live
MIN_HISTORY = 5  # events


@dataclass(slots=True)
class _Replay:
    """What is known up to now: each viewer's events, and when something last happened in each room."""

    history: dict[ViewerId, list[Event]] = field(default_factory=dict)
    latest: dict[RoomId, datetime] = field(default_factory=dict)

    def live(self, rooms: Sequence[Room], at: datetime) -> list[Room]:
        return [room for room in rooms if room.room_id in self.latest and at - self.latest[room.room_id] <= ON_AIR]

    def note(self, event: Event) -> None:
        self.history.setdefault(event.viewer_id, []).append(event)
        if event.room_id is not None:
            self.latest[event.room_id] = event.at


def evaluate_rooms(
    events: Iterable[Event], rooms: Sequence[Room], ranker: RoomRanker, at: datetime, *, viewers: Collection[ViewerId]
) -> dict[str, float]:
    """Every entry of `viewers` from `at` on into one of several live rooms: hit@1 and mean reciprocal rank of the room entered.

    `events` are those of everybody, in order of time. The `last_watched` numbers are those of the baseline that offers the live
    rooms in the order of the viewer's latest entry.
    """
    replay, ranks, baseline = _Replay(), list[int](), list[int]()
    for event in events:
        past = replay.history.get(event.viewer_id, [])
        if event.viewer_id in viewers and event.type == "enter" and event.at >= at and len(past) >= MIN_HISTORY:
            live = replay.live(rooms, event.at)
            if len(live) > 1 and event.room_id in {room.room_id for room in live}:
                order = [room.room_id for room in ranker.rank_rooms(past[-HISTORY_EVENTS:], live, k=len(live))]
                ranks.append(order.index(event.room_id))
                baseline.append(_last_watched(past, live).index(event.room_id))
        replay.note(event)
        ranker.observe(event)
    count = max(1, len(ranks))
    return {
        "rooms_hit_at_1": ranks.count(0) / count,
        "rooms_mrr": sum(1.0 / (1 + rank) for rank in ranks) / count,
        "rooms_hit_at_1_last_watched": baseline.count(0) / count,
        "rooms_mrr_last_watched": sum(1.0 / (1 + rank) for rank in baseline) / count,
        "rooms_entries": float(len(ranks)),
    }


def _last_watched(past: Sequence[Event], live: Sequence[Room]) -> list[RoomId]:
    """Live rooms in order of the viewer's latest entry, then the others by id."""
    ids = sorted(room.room_id for room in live)
    entered = [event.room_id for event in reversed(past) if event.type == "enter" and event.room_id in ids]
    return [room_id for room_id in dict.fromkeys([*entered, *ids]) if room_id is not None]
