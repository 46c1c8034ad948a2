"""Events as numbers: columns that may lie on disk, read as if they were a list of events, and each viewer's own as a mapping.

A log of ten million events takes 330 MB as columns, and a hundred bytes a viewer and product besides; as objects it takes 5 GB.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from models.types import Event, EventId, EventType, ProductId, RoomId, ViewerId

TYPES: tuple[EventType, ...] = (
    "enter", "leave", "watch", "impression", "click", "like", "comment", "share", "cart", "purchase", "display", "correction",
)  # fmt: skip
CODE: Mapping[str, int] = {name: code for code, name in enumerate(TYPES)}
DISPLAY = CODE["display"]
NONE = -1  # where an event names no room or product
ROWS_AT_ONCE = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Codes = NDArray[np.int32]
Flags = NDArray[np.bool_]


def microseconds(at: datetime) -> int:
    """Unix time.

    >>> microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (at - _EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class Columns:
    """One entry per event; the arrays run in parallel."""

    viewer: Codes  # int32 (n,): index into the log's viewers
    type: NDArray[np.int8]  # int8 (n,): index into TYPES
    at_us: NDArray[np.int64]  # int64 (n,): unix time in microseconds
    room: Codes  # int32 (n,): index into the log's rooms, or NONE
    product: Codes  # int32 (n,): index into the log's products, or NONE
    value: NDArray[np.float64]  # float64 (n,): NaN where the event states none
    display: Codes  # int32 (n,): equal where events tell of one display (their `text`), or NONE

    @classmethod
    def on_disk(cls, folder: Path, count: int) -> "Columns":
        """New ones, memory-mapped, in an existing folder."""
        return cls(**{name: _mapped(folder / f"{name}.bin", kind, count) for name, kind in _KINDS.items()})


_KINDS = {"viewer": "i4", "type": "i1", "at_us": "i8", "room": "i4", "product": "i4", "value": "f8", "display": "i4"}


def _mapped(path: Path, kind: str, count: int) -> NDArray[Any]:
    if count == 0:  # an empty file cannot be mapped
        return np.zeros(0, dtype=kind)
    return np.memmap(path, mode="w+", dtype=kind, shape=(count,))


class EventLog(Sequence[Event]):
    """Events in order of time, each once. What it gives back is what was put in, but for `event_id`, which is the place in the log, and
    `text`, which is kept of displays alone, and of them only whether two are the same."""

    def __init__(self, columns: Columns, viewers: Sequence[ViewerId], rooms: Sequence[RoomId], products: Sequence[ProductId]) -> None:
        self.columns = columns
        self.viewers = tuple(viewers)
        self.rooms = tuple(rooms)
        self.products = tuple(products)

    @classmethod
    def of(cls, events: Iterable[Event]) -> "EventLog":
        """In memory; `events` in any order, an `event_id` that comes again counts once."""
        once = {event.event_id: event for event in reversed(list(events))}
        ordered = sorted(once.values(), key=lambda event: (event.at, event.event_id))
        viewers, rooms, products, displays = dict[str, int](), dict[str, int](), dict[str, int](), dict[str, int]()
        rows = [
            (
                viewers.setdefault(event.viewer_id, len(viewers)),
                CODE[event.type],
                microseconds(event.at),
                NONE if event.room_id is None else rooms.setdefault(event.room_id, len(rooms)),
                NONE if event.product_id is None else products.setdefault(event.product_id, len(products)),
                np.nan if event.value is None else event.value,
                displays.setdefault(event.text, len(displays)) if event.text and event.type == "display" else NONE,
            )
            for event in ordered
        ]
        columns = zip(_KINDS.items(), zip(*rows, strict=True) if rows else [()] * len(_KINDS), strict=True)
        made = Columns(**{name: np.array(values, dtype=kind) for (name, kind), values in columns})
        return cls(made, [ViewerId(v) for v in viewers], [RoomId(r) for r in rooms], [ProductId(p) for p in products])

    def __len__(self) -> int:
        return len(self.columns.viewer)

    @overload
    def __getitem__(self, place: int) -> Event: ...
    @overload
    def __getitem__(self, place: slice) -> list[Event]: ...
    def __getitem__(self, place: int | slice) -> Event | list[Event]:
        if isinstance(place, slice):
            return list(self.at_places(np.arange(*place.indices(len(self)))))
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return next(self.at_places(np.array([place % len(self)])))

    def __iter__(self) -> Iterator[Event]:
        return self.at_places(range(len(self)))

    def at_places(self, places: "Sequence[int] | NDArray[np.integer]") -> Iterator[Event]:
        """The events at these places, decoded a block at a time."""
        for first in range(0, len(places), 10_000):
            block = np.asarray(places[first : first + 10_000])
            columns = [getattr(self.columns, one.name)[block].tolist() for one in fields(Columns)]
            yield from map(self._decoded, block.tolist(), *columns)

    def _decoded(  # noqa: PLR0913, PLR0917  # a column each
        self, place: int, viewer: int, kind: int, at_us: int, room: int, product: int, value: float, display: int
    ) -> Event:
        return Event(
            EventId(str(place)),
            self.viewers[viewer],
            TYPES[kind],
            _EPOCH + timedelta(microseconds=at_us),
            None if room == NONE else self.rooms[room],
            None if product == NONE else self.products[product],
            None if value != value else value,  # noqa: PLR0124  # NaN
            None if display == NONE else str(display),
        )

    def blocks(self, start: datetime | None = None, end: datetime | None = None) -> "Iterator[tuple[int, Columns]]":
        """The columns in [start, end) a million events at a time, with the place of the first: what is counted needs no more memory."""
        first, last = self.place_of(start) if start else 0, self.place_of(end) if end else len(self)
        for place in range(first, last, ROWS_AT_ONCE):
            span = slice(place, min(last, place + ROWS_AT_ONCE))
            yield place, Columns(**{one.name: np.asarray(getattr(self.columns, one.name)[span]) for one in fields(Columns)})

    def place_of(self, at: datetime) -> int:
        """Of the first event that is not before `at`."""
        return int(np.searchsorted(self.columns.at_us, microseconds(at)))

    def until(self, end: datetime) -> "EventLog":
        """The events before `end`; the columns are shared."""
        last = self.place_of(end)
        cut = replace(self.columns, **{one.name: getattr(self.columns, one.name)[:last] for one in fields(Columns)})
        return EventLog(cut, self.viewers, self.rooms, self.products)


class ViewerEvents(Sequence[Event]):
    """One viewer's events, oldest first, decoded when they are looked at."""

    def __init__(self, log: EventLog, places: Codes) -> None:
        self._log = log
        self.places = places  # in the log

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        if isinstance(index, slice):
            return list(self._log.at_places(self.places[index]))
        return self._log[int(self.places[index])]

    def __iter__(self) -> Iterator[Event]:
        return self._log.at_places(self.places)

    def before(self, at: datetime) -> int:
        """How many there are before `at`."""
        return int(np.searchsorted(self._log.columns.at_us[self.places], microseconds(at)))


class Histories(Mapping[ViewerId, ViewerEvents]):
    """Viewers' own events by viewer, in order of their first; what hosts display belongs to nobody."""

    def __init__(self, log: EventLog, chosen: Flags | None = None) -> None:
        """`chosen` bool (viewers,): whose; None: everybody's."""
        self.log = log
        kept = log.columns.type != DISPLAY
        if chosen is not None:
            kept &= chosen[log.columns.viewer]
        places = np.flatnonzero(kept).astype(np.int32)
        codes = log.columns.viewer[places]
        self.order: Codes = places[np.argsort(codes, kind="stable")]  # int32 (events,): places in the log, viewer by viewer
        self.counts = np.bincount(codes, minlength=len(log.viewers))
        self.present = np.flatnonzero(self.counts)  # codes of the viewers who are in it
        self._ends = np.cumsum(self.counts)
        self._code = {log.viewers[code]: code for code in self.present.tolist()}

    def __len__(self) -> int:
        return len(self._code)

    def __iter__(self) -> Iterator[ViewerId]:
        return iter(self._code)

    def __getitem__(self, viewer_id: ViewerId) -> ViewerEvents:
        return self.by_code(self._code[viewer_id])

    def by_code(self, code: int) -> ViewerEvents:
        end = int(self._ends[code])
        return ViewerEvents(self.log, self.order[end - int(self.counts[code]) : end])

    @property
    def event_count(self) -> int:
        return len(self.order)

    @property
    def rows(self) -> Codes:
        """int32 (viewers,): the number of each of the log's viewers in here, or NONE."""
        rows = np.full(len(self.log.viewers), NONE, dtype=np.int32)
        rows[self.present] = np.arange(len(self.present))
        return rows

    def among(self, chosen: Flags) -> "Histories":
        """Those of the viewers that bool (viewers,) marks."""
        return Histories(self.log, chosen & (self.counts > 0))

    def some(self, count: int, seed: int) -> "Histories":
        """`count` viewers drawn by lot, or all where there are no more."""
        if len(self) <= count:
            return self
        chosen = np.zeros(len(self.log.viewers), dtype=np.bool_)
        chosen[np.random.default_rng(seed).choice(self.present, size=count, replace=False)] = True
        return self.among(chosen)

    def moment(self, share: float) -> datetime:
        """The time of the event before which `share` (0..1) of all these events lie; there has to be one.

        Of the events and not of their span, so that a few which are far from all others (a clock that is wrong) move it but a little.
        """
        nth = round((len(self.order) - 1) * share)
        place = int(np.partition(self.order, nth)[nth])  # the log is in order of time
        return _EPOCH + timedelta(microseconds=int(self.log.columns.at_us[place]))
