"""Where tracked objects are between the frames that were recognised."""

from bisect import bisect_right
from dataclasses import dataclass, replace

from graphs.recognize import SeenProduct
from models.types import Box

KEPT = 64  # recognised frames; those that are drawn are never further back


@dataclass(frozen=True, slots=True)
class Sample:
    """A recognised frame's objects, each with its track id."""

    time_s: float
    products: tuple[SeenProduct, ...]


class Tracks:
    """Boxes at any time, from samples in order: a track in two neighbouring samples moves straight, others come and go half-way."""

    def __init__(self, hold_s: float) -> None:
        """`hold_s`: how long the newest sample is believed."""
        self._hold_s = hold_s
        self._samples: list[Sample] = []

    @property
    def known_until_s(self) -> float:
        """Up to here the next sample changes nothing; before the first one minus infinity."""
        return self._samples[-1].time_s if self._samples else float("-inf")

    def add(self, sample: Sample) -> None:
        self._samples.append(sample)
        del self._samples[:-KEPT]

    def at(self, time_s: float) -> tuple[SeenProduct, ...]:
        place = bisect_right(self._samples, time_s, key=lambda sample: sample.time_s)
        before = self._samples[place - 1] if place else None
        after = self._samples[place] if place < len(self._samples) else None
        if before is None:
            return ()
        if after is None:
            return before.products if time_s - before.time_s <= self._hold_s else ()
        share = (time_s - before.time_s) / (after.time_s - before.time_s)
        return _between(before.products, after.products, share)


def _between(before: tuple[SeenProduct, ...], after: tuple[SeenProduct, ...], share: float) -> tuple[SeenProduct, ...]:
    """The objects at a `share` (0..1) of the way, named as the nearer sample names them, or the one that knows a product."""
    later = {seen.track_id: seen for seen in after}
    earlier = {seen.track_id for seen in before}
    found = []
    for seen in before:
        other = later.get(seen.track_id)
        if other is None:
            found += [seen] if share < 0.5 else []
            continue
        named = other if (share >= 0.5 and other.matches) or not seen.matches else seen
        found.append(replace(named, box=_moved(seen.box, other.box, share)))
    return (*found, *(seen for seen in after if seen.track_id not in earlier and share >= 0.5))


def _moved(start: Box, end: Box, share: float) -> Box:
    """
    >>> _moved((0, 0, 2, 2), (4, 0, 8, 2), 0.5)
    (2.0, 0.0, 5.0, 2.0)
    """
    left, top, right, bottom = (a + (b - a) * share for a, b in zip(start, end, strict=True))
    return left, top, right, bottom
