"""Frames in a row -> what is being shown: objects followed from frame to frame, their product settled by votes.

One frame may miss an object or take it for another. So an object becomes a track, each frame that sees it is a vote (for its best
match, or for "unknown"), and a product counts as shown while some track is that product. All times are seconds on the caller's clock,
whose origin is the caller's choice.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from graphs.recognize import RecognizeReply, SeenProduct
from graphs.watching.tracks import Track, Vote, WatchSettings, area, associate, best
from models.types import ProductId

__all__ = ["Displayed", "Showing", "Update", "Watch", "WatchSettings"]


@dataclass(frozen=True, slots=True)
class Showing:
    """A product whose display has begun."""

    product_id: ProductId
    order: int  # 1, 2, 3 ...: the how-manieth display of this watch; a product that comes back gets a new one
    began_s: float


@dataclass(frozen=True, slots=True)
class Displayed:
    """A display that is over. Its ends lie half-way between the frames with and without the product, which is right on average."""

    product_id: ProductId
    order: int
    began_s: float
    ended_s: float

    @property
    def dwell_s(self) -> float:
        return self.ended_s - self.began_s


@dataclass(frozen=True, slots=True)
class Update:
    products: tuple[SeenProduct, ...] = ()  # confirmed objects with track id and voted matches; one missed a moment ago has its last box
    in_frame: tuple[SeenProduct, ...] = ()  # every object of this very frame with its track id; without matches until confirmed
    changed: bool = False  # the set of products shown is another one than at the last update
    began: tuple[Showing, ...] = ()
    shown: tuple[Displayed, ...] = ()  # displays that this update ended


@dataclass(slots=True)
class _Display:
    showing: Showing
    voted_at_s: float
    ended_s: float

    def over(self) -> Displayed:
        return Displayed(self.showing.product_id, self.showing.order, self.showing.began_s, self.ended_s)


class Watch:
    """Follows what one camera shows. Not for use from several threads."""

    def __init__(self, settings: WatchSettings | None = None) -> None:
        self._settings = settings or WatchSettings()
        self._tracks: list[Track] = []
        self._displays: dict[ProductId, _Display] = {}
        self._track_ids = 0
        self._orders = 0
        self._told = 0  # displays up to this order were told as begun
        self._ended_s: dict[ProductId, float] = {}  # the end of each product's last display
        self._frame_at_s: float | None = None

    @property
    def showing(self) -> tuple[Showing, ...]:
        """Displays that go on, in order."""
        return tuple(sorted((display.showing for display in self._displays.values()), key=lambda showing: showing.order))

    @property
    def is_settled(self) -> bool:
        """Whether the last frame said what was known: another one like it would change nothing."""
        return all(track.confirmed and not track.doubts and not track.missed for track in self._tracks)

    def see(self, reply: RecognizeReply, at_s: float) -> Update:
        """Take in a frame of time `at_s`. A frame that is not later than all before it changes nothing. Raises ValueError for no number."""
        if not math.isfinite(at_s):
            raise ValueError(f"the time of a frame must be a finite number of seconds, not {at_s}")
        if self._frame_at_s is not None and at_s <= self._frame_at_s:
            return Update(self._confirmed())
        half_s = self._half_gap_s(at_s)
        self._stretch(half_s)
        self._let_go([track for track in self._tracks if track.is_gone(at_s, self._settings)])  # what comes now is another object
        found = associate(reply.products, self._tracks, iou=self._settings.iou)
        for track in self._tracks:
            track.missed += 1
        in_frame = [self._take_in(seen, track, at_s, at_s - half_s) for seen, track in zip(reply.products, found, strict=True)]
        self._let_go([track for track in self._tracks if track.is_gone(at_s, self._settings)])
        self._frame_at_s = at_s
        began, shown = self._turn_over()
        return Update(self._confirmed(), tuple(track.as_seen() for track in in_frame), bool(began or shown), began, shown)

    def close(self, at_s: float) -> Update:
        """Nothing more is seen from `at_s` on: ends all displays. What is seen later begins anew."""
        if self._frame_at_s is not None and at_s > self._frame_at_s:
            self._stretch(self._half_gap_s(at_s))
        self._let_go(self._tracks)
        _, shown = self._turn_over()
        return Update(changed=bool(shown), shown=shown)

    def _half_gap_s(self, at_s: float) -> float:
        """Half the time since the frame before; less when that is too long ago to tell anything about the time between."""
        return 0.0 if self._frame_at_s is None else min(at_s - self._frame_at_s, self._settings.grace_s) / 2

    def _stretch(self, half_s: float) -> None:
        """What the last frame showed was there half-way to the next one."""
        for display in self._displays.values():
            if display.voted_at_s == self._frame_at_s:
                display.ended_s = display.voted_at_s + half_s
        for track in self._tracks:
            if track.seen_at_s == self._frame_at_s:
                track.seen_until_s = track.seen_at_s + half_s

    def _take_in(self, seen: SeenProduct, track: Track | None, at_s: float, since_s: float) -> Track:
        if track is None:
            track = Track(self._next_track_id(), seen, at_s, since_s)
            self._tracks.append(track)
        before = track.product_id
        track.take_in(seen, Vote(at_s, since_s, best(seen), seen.matches), self._settings)
        track.missed = 0
        if before is not None and track.product_id is not None and track.product_id != before:
            track.track_id = self._next_track_id()  # another object at the same place
        if track.product_id is not None and track.voted_at_s == at_s:
            self._display(track.product_id, track.since_s, at_s)
        return track

    def _display(self, product_id: ProductId, since_s: float, at_s: float) -> None:
        """Begin or prolong a product's display."""
        display = self._displays.get(product_id)
        if display is None:
            self._orders += 1
            showing = Showing(product_id, self._orders, max(since_s, self._ended_s.get(product_id, -math.inf)))
            display = self._displays[product_id] = _Display(showing, at_s, at_s)
        display.voted_at_s = display.ended_s = at_s

    def _let_go(self, gone: Iterable[Track]) -> None:
        """Forget tracks. A product that was last seen without being recognised was still there."""
        ids = set[int]()
        for track in gone:
            ids.add(track.track_id)
            if track.product_id is not None:
                display = self._displays[track.product_id]
                display.ended_s = max(display.ended_s, track.seen_until_s)
        self._tracks = [track for track in self._tracks if track.track_id not in ids]

    def _turn_over(self) -> tuple[tuple[Showing, ...], tuple[Displayed, ...]]:
        """Displays without a track end; returns those that have begun since the last time, and those that end."""
        held = {track.product_id for track in self._tracks}
        over = [self._displays.pop(product_id).over() for product_id in list(self._displays) if product_id not in held]
        self._ended_s |= {display.product_id: display.ended_s for display in over}
        began = tuple(showing for showing in self.showing if showing.order > self._told)
        self._told = self._orders
        return began, tuple(sorted(over, key=lambda display: display.order))

    def _confirmed(self) -> tuple[SeenProduct, ...]:
        """Confirmed objects, those of the newest frame first, then the largest: what the host holds up is near the camera."""
        confirmed = [track for track in self._tracks if track.confirmed]
        return tuple(track.as_seen() for track in sorted(confirmed, key=lambda track: (track.missed, -area(track.seen.box))))

    def _next_track_id(self) -> int:
        self._track_ids += 1
        return self._track_ids
