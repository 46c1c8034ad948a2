"""What a room was at a moment of the past, as serving would have seen it then."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from models.interactions.event_log import DISPLAY, NONE, Codes, EventLog, microseconds
from models.types import Event, ProductId, Room, RoomId

_LOOKED_AT = 4  # times as many displays as are read, since some were not known yet


@dataclass(frozen=True, slots=True)
class Screen:
    """How serving reads a room's screen: from at most so many of its latest displays, and the time."""

    read: Callable[[Sequence[Event], datetime], Sequence[ProductId]]
    displays: int


NO_SCREEN = Screen(lambda _displays, _at: (), 0)  # for logs without rooms


class Surroundings:
    """What a room was at a moment of the log: its shelf, which the log does not date, and what its displays showed by then."""

    def __init__(self, log: EventLog, rooms: Sequence[Room], screen: Screen) -> None:
        self._log = log
        self._screen = screen
        self._shelves: Mapping[RoomId, Sequence[ProductId]] = {room.room_id: room.shelf for room in rooms}
        self._displays = _displays_by_room(log)

    def shelf(self, room_id: RoomId | None) -> Sequence[ProductId]:
        return self._shelves.get(room_id, ()) if room_id is not None else ()

    def shown(self, room_id: RoomId | None, at: datetime) -> tuple[ProductId, ...]:
        """As serving would have read the displays at that moment, from those that were told of before it."""
        if room_id is None or room_id not in self._displays:
            return ()
        places = self._displays[room_id]
        before = int(np.searchsorted(self._log.columns.at_us[places], microseconds(at)))
        latest = places[max(0, before - _LOOKED_AT * self._screen.displays) : before]
        known = [event for event in self._log.at_places(latest) if was_told(event, at)]
        return tuple(self._screen.read(known[-self._screen.displays :], at))


def was_told(display: Event, at: datetime) -> bool:
    """Whether it was known at `at`. Whoever watches a room tells of an end, dated to its beginning, when it has come; such displays
    share a text. A display without one was told of at its beginning, with how long it was to be."""
    took_s = display.value if display.value is not None and display.text is not None else 0.0
    return display.at + timedelta(seconds=took_s) <= at


def _displays_by_room(log: EventLog) -> dict[RoomId, Codes]:
    """int32 (displays,): places in the log, in order of time."""
    places = np.flatnonzero(log.columns.type == DISPLAY).astype(np.int32)
    places = places[log.columns.room[places] != NONE]
    rooms = log.columns.room[places]
    order = np.argsort(rooms, kind="stable")
    parts = np.split(places[order], np.flatnonzero(np.diff(rooms[order])) + 1) if len(places) else []
    return {log.rooms[int(log.columns.room[part[0]])]: part for part in parts}
