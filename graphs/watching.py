"""Frames in a row -> what is being shown: objects followed from frame to frame, their product settled by votes.

One frame may miss an object or take it for another. So an object becomes a track, each frame that sees it is a vote (for its best
match, or for "unknown"), and a product counts as shown while some track's votes are for it. All times are seconds on the caller's
clock, whose origin is the caller's choice.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from graphs.recognize import ProductMatch, RecognizeReply, SeenProduct
from models.types import Box, ProductId


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """Defaults for one to ten frames a second."""

    confirm_votes: int = 2  # frames that have to agree before a product counts as shown, or as replaced
    confirm_s: float = 0.4  # and the least time between the first and the last of them: neighbouring frames fail alike
    grace_s: float = 1.5  # an object unseen for longer is gone ...
    grace_frames: int = 2  # ... if at least so many frames have missed it: frames may come slower than the grace
    iou: float = 0.3  # overlap from which on two boxes of neighbouring frames may be one object
    window: int = 5  # a track's latest frames that vote ...
    window_s: float = 2.0  # ... and all others of the latest seconds


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


@dataclass(frozen=True, slots=True)
class _Vote:
    at_s: float
    since_s: float  # half-way between the frame before and this one
    verdict: ProductId | None  # the best match; None: unknown
    matches: tuple[ProductMatch, ...]


@dataclass(slots=True)
class _Track:
    track_id: int
    seen: SeenProduct
    seen_at_s: float
    votes: deque[_Vote] = field(default_factory=deque)
    confirmed: bool = False
    verdict: ProductId | None = None  # once confirmed: which product it is; None: unknown
    missed: int = 0  # frames in a row

    @property
    def looks_like(self) -> ProductId | None:
        return self.verdict if self.confirmed else self.votes[-1].verdict

    def votes_for(self, verdict: ProductId | None) -> list[_Vote]:
        return [vote for vote in self.votes if vote.verdict == verdict]


@dataclass(slots=True)
class _Display:
    showing: Showing
    voted_at_s: float
    ended_s: float


class Watch:
    """Follows what one camera shows. Not for use from several threads."""

    def __init__(self, settings: WatchSettings | None = None) -> None:
        self._settings = settings or WatchSettings()
        self._tracks: list[_Track] = []
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

    def see(self, reply: RecognizeReply, at_s: float) -> Update:
        """Take in a frame of time `at_s`. A frame that is not later than all before it changes nothing. Raises ValueError for no number."""
        if not math.isfinite(at_s):
            raise ValueError(f"the time of a frame must be a finite number of seconds, not {at_s}")
        if self._frame_at_s is not None and at_s <= self._frame_at_s:
            return Update(self._confirmed())
        half_s = self._half_gap_s(at_s)
        self._stretch(half_s)
        in_frame = [self._take_in(seen, track, at_s, at_s - half_s) for seen, track in self._associate(reply.products)]
        self._tracks = [track for track in self._tracks if not self._is_gone(track, at_s)]
        self._frame_at_s = at_s
        began, shown = self._turn_over()
        return Update(self._confirmed(), tuple(_as_seen(track) for track in in_frame), bool(began or shown), began, shown)

    def close(self, at_s: float) -> Update:
        """Nothing more is seen from `at_s` on: ends all displays."""
        if self._frame_at_s is not None and at_s > self._frame_at_s:
            self._stretch(self._half_gap_s(at_s))
        self._tracks = []
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

    def _associate(self, products: Sequence[SeenProduct]) -> list[tuple[SeenProduct, _Track | None]]:
        """Each object with its track, best pairs first: the same product wherever it is, else enough overlap."""
        pairs: list[tuple[float, int, _Track]] = []
        for index, seen in enumerate(products):
            for track in self._tracks:
                overlap = intersection_over_union(seen.box, track.seen.box)
                is_same = _best(seen) is not None and _best(seen) == track.looks_like
                if is_same or overlap >= self._settings.iou:
                    pairs.append((overlap + is_same, index, track))
        found: dict[int, _Track] = {}
        taken: set[int] = set()
        for _, index, track in sorted(pairs, key=lambda pair: -pair[0]):
            if index not in found and track.track_id not in taken:
                found[index] = track
                taken.add(track.track_id)
        for track in self._tracks:
            track.missed = 0 if track.track_id in taken else track.missed + 1
        return [(seen, found.get(index)) for index, seen in enumerate(products)]

    def _take_in(self, seen: SeenProduct, track: _Track | None, at_s: float, since_s: float) -> _Track:
        if track is None:
            track = _Track(self._next_track_id(), seen, at_s)
            self._tracks.append(track)
        track.seen, track.seen_at_s = seen, at_s
        track.votes.append(_Vote(at_s, since_s, _best(seen), seen.matches))
        while len(track.votes) > self._settings.window and at_s - track.votes[0].at_s > self._settings.window_s:
            track.votes.popleft()
        self._settle(track)
        return track

    def _settle(self, track: _Track) -> None:
        """Let the newest vote's side win if it has enough votes, and more than the side that has won before."""
        newest = track.votes[-1]
        own = track.votes_for(newest.verdict)
        if track.confirmed and newest.verdict == track.verdict:
            self._note_display(track, newest)
            return
        if len(own) < self._settings.confirm_votes or newest.at_s - own[0].at_s < self._settings.confirm_s:
            return
        rivals = track.votes_for(track.verdict) if track.confirmed else []
        if len(own) <= len(rivals):
            return
        is_other_object = track.verdict is not None and newest.verdict is not None
        track.track_id = self._next_track_id() if is_other_object else track.track_id
        since = [vote for vote in track.votes if not rivals or vote.at_s > rivals[-1].at_s]
        track.confirmed, track.verdict = True, newest.verdict
        track.votes = deque(since)
        self._note_display(track, newest)

    def _note_display(self, track: _Track, newest: _Vote) -> None:
        if track.verdict is None:
            return
        display = self._displays.get(track.verdict)
        if display is None:
            self._orders += 1
            began_s = max(track.votes[0].since_s, self._ended_s.get(track.verdict, -math.inf))
            showing = Showing(track.verdict, self._orders, began_s)
            display = self._displays[track.verdict] = _Display(showing, newest.at_s, newest.at_s)
        display.voted_at_s = display.ended_s = newest.at_s

    def _is_gone(self, track: _Track, at_s: float) -> bool:
        unseen_s = at_s - track.seen_at_s
        return unseen_s > self._settings.grace_s and track.missed >= self._settings.grace_frames

    def _turn_over(self) -> tuple[tuple[Showing, ...], tuple[Displayed, ...]]:
        """Displays without a track end; returns those that have begun since the last time, and those that end."""
        held = {track.verdict for track in self._tracks if track.confirmed}
        over = [self._displays.pop(product_id) for product_id in list(self._displays) if product_id not in held]
        self._ended_s |= {display.showing.product_id: display.ended_s for display in over}
        began = tuple(showing for showing in self.showing if showing.order > self._told)
        self._told = self._orders
        return began, tuple(_as_displayed(display) for display in sorted(over, key=lambda display: display.showing.order))

    def _confirmed(self) -> tuple[SeenProduct, ...]:
        """Confirmed objects, those of the newest frame first, then the largest: what the host holds up is near the camera."""
        confirmed = [track for track in self._tracks if track.confirmed]
        return tuple(_as_seen(track) for track in sorted(confirmed, key=lambda track: (track.missed, -_area(track.seen.box))))

    def _next_track_id(self) -> int:
        self._track_ids += 1
        return self._track_ids


def _best(seen: SeenProduct) -> ProductId | None:
    return seen.matches[0].product_id if seen.matches else None


def _as_displayed(display: _Display) -> Displayed:
    showing = display.showing
    return Displayed(showing.product_id, showing.order, showing.began_s, display.ended_s)


def _as_seen(track: _Track) -> SeenProduct:
    return replace(track.seen, track_id=track.track_id, matches=_voted(track) if track.confirmed else ())


def _voted(track: _Track) -> tuple[ProductMatch, ...]:
    """The matches of the track's recent frames together: its product, then the others by summed similarity; each with its mean."""
    if track.verdict is None:
        return ()
    by_product: dict[ProductId, list[ProductMatch]] = {}
    for vote in track.votes:
        for match in vote.matches:
            by_product.setdefault(match.product_id, []).append(match)
    totals = {product_id: sum(match.similarity for match in matches) for product_id, matches in by_product.items()}
    order = sorted(by_product, key=lambda product_id: (product_id != track.verdict, -totals[product_id], product_id))
    most = max(len(vote.matches) for vote in track.votes)
    return tuple(replace(by_product[p][-1], similarity=totals[p] / len(by_product[p])) for p in order[:most])


def intersection_over_union(a: Box, b: Box) -> float:
    """Overlap of two boxes, 0..1.

    >>> round(intersection_over_union((0, 0, 2, 1), (1, 0, 3, 1)), 3)
    0.333
    """
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (_area(a) + _area(b) - width * height)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
