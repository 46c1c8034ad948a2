"""What a room has shown, as events: written by whoever watches the room, read by whoever recommends in it.

A display is told of by several events of type `display` and of the room's host, whose viewer id no person has: one without a value when
it begins, another each `RENEW_S` while it goes on, and one with the seconds that it took when it is over. `at` is the beginning, of a
renewal its own time; `text` is JSON with the `session` and the `order` in it. A watcher that dies leaves a display open: it counts as on
screen for `LAPSE_S` after its last event.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from math import exp2, log

from graphs.watching.watcher import Displayed, Showing
from models.types import Event, EventId, ProductId, RoomId, ViewerId

RENEW_S = 60.0
LAPSE_S = 90.0
HALF_LIFE_S = 120.0  # of what a second on screen is worth
LATELY_S = 600.0  # what was shown before is forgotten
_LONGEST_ID = 128


def host_of(room_id: RoomId) -> ViewerId:
    """The viewer id under which a room's displays are kept.

    >>> host_of(RoomId("R-1"))
    'host-R-1'
    """
    host = f"host-{room_id}"
    return ViewerId(host if len(host) <= _LONGEST_ID else f"host-{blake2b(room_id.encode(), digest_size=16).hexdigest()}")


@dataclass(frozen=True, slots=True)
class DisplayWriter:
    """Makes the events of one session; the same display makes the same event ids."""

    room_id: RoomId
    session_id: str
    started_at: datetime  # with zone: second 0 of the watch

    def begun(self, showing: Showing) -> Event:
        return self._event(showing.product_id, showing.order, "begin", showing.began_s, None)

    def still_on(self, showing: Showing, at_s: float) -> Event:
        return self._event(showing.product_id, showing.order, f"on-{at_s:.0f}", at_s, None)

    def ended(self, display: Displayed) -> Event:
        return self._event(display.product_id, display.order, "end", display.began_s, round(display.dwell_s, 3))

    def _event(self, product_id: ProductId, order: int, phase: str, at_s: float, dwell_s: float | None) -> Event:  # an event's fields
        return Event(
            event_id=EventId(f"display-{self.session_id}-{order}-{phase}"),
            viewer_id=host_of(self.room_id),
            type="display",
            at=self.started_at + timedelta(seconds=at_s),
            room_id=self.room_id,
            product_id=product_id,
            value=dwell_s,
            text=json.dumps({"order": order, "session": self.session_id}, separators=(",", ":")),
        )


def shown_lately(displays: Sequence[Event], now: datetime) -> tuple[ProductId, ...]:
    """The products of a room's display events (any order) of the last ten minutes, the longest and latest shown first."""
    over = {_display_of(event) for event in displays if event.value is not None and event.text}
    spans: dict[ProductId, list[tuple[float, float]]] = {}
    for event in displays:
        if event.type != "display" or event.product_id is None or (event.value is None and _display_of(event) in over):
            continue
        from_s = (event.at - now).total_seconds()
        to_s = min(0.0, from_s + (LAPSE_S if event.value is None else event.value))
        if to_s > -LATELY_S and to_s > from_s:
            spans.setdefault(event.product_id, []).append((from_s, to_s))
    weights = {product_id: sum(_weight(*span) for span in _joined(found)) for product_id, found in spans.items()}
    return tuple(sorted(weights, key=lambda product_id: (-weights[product_id], product_id)))


def _display_of(event: Event) -> tuple[str, str | None]:
    """What its events have in common: the part of the id before the phase would do, but `text` is what is promised."""
    return event.text or event.event_id, event.product_id


def _joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same times without overlaps."""
    joined: list[tuple[float, float]] = []
    for from_s, to_s in sorted(spans):
        if joined and from_s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], to_s))
        else:
            joined.append((from_s, to_s))
    return joined


def _weight(from_s: float, to_s: float) -> float:
    """Seconds from `from_s` to `to_s` (negative: ago), each worth half as much per HALF_LIFE_S: the integral of 2^(t / half-life)."""
    return (exp2(to_s / HALF_LIFE_S) - exp2(max(from_s, -LATELY_S) / HALF_LIFE_S)) * HALF_LIFE_S / log(2)
