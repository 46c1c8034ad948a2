"""One object followed from frame to frame, and which product it is by the votes of its frames."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from graphs.recognize import ProductMatch, SeenProduct
from models.types import Box, ProductId


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """Defaults for one to ten frames a second."""

    confirm_votes: int = 2  # frames that have to agree before a product counts as shown, or as replaced
    confirm_s: float = 0.4  # and the least time between the first and the last of them: neighbouring frames fail alike
    grace_s: float = 1.5  # an object unseen for longer is gone ...
    grace_frames: int = 2  # ... if at least so many frames have missed it: frames may come slower than the grace
    unknown_s: float = 4.0  # an object that nothing has recognised for longer is another one than it was
    iou: float = 0.3  # overlap from which on two boxes of neighbouring frames may be one object
    window: int = 5  # a track's latest frames that vote ...
    window_s: float = 2.0  # ... and all others of the latest seconds
    stale_s: float = 6.0  # a vote older than this counts only while there are fewer than `confirm_votes` newer ones


@dataclass(frozen=True, slots=True)
class Vote:
    at_s: float
    since_s: float  # half-way between the frame before and this one
    product_id: ProductId | None  # the best match; None: unknown
    matches: tuple[ProductMatch, ...]


@dataclass(slots=True)
class Track:
    track_id: int
    seen: SeenProduct  # in its newest frame
    seen_at_s: float
    since_s: float  # when it became what it is: its first frame, or the one in which another product was replaced
    seen_until_s: float = 0.0
    product_id: ProductId | None = None  # once confirmed: which product it is; None: unknown
    confirmed: bool = False
    voted_at_s: float = 0.0  # the newest vote for `product_id`
    missed: int = 0  # frames in a row without it
    doubts: int = 0  # votes in a row that were not for `product_id`
    votes: deque[Vote] = field(default_factory=deque)

    @property
    def looks_like(self) -> ProductId | None:
        return self.product_id if self.confirmed and self.product_id is not None else best(self.seen)

    def take_in(self, seen: SeenProduct, vote: Vote, settings: WatchSettings) -> None:
        """Count a frame. Afterwards `product_id` is what the votes say."""
        self.seen, self.seen_at_s, self.seen_until_s = seen, vote.at_s, vote.at_s
        self.votes.append(vote)
        while self._oldest_is_over(vote.at_s, settings):
            self.votes.popleft()
        if self.confirmed and vote.product_id == self.product_id:
            self.voted_at_s, self.doubts = vote.at_s, 0
            return
        self.doubts += 1
        if self._is_won_by(vote, settings):
            self._become(vote, settings)
        elif self.doubts >= settings.grace_frames and self.product_id is not None and vote.at_s - self.voted_at_s > settings.unknown_s:
            self.product_id, self.since_s = None, self.voted_at_s

    def _oldest_is_over(self, at_s: float, settings: WatchSettings) -> bool:
        age_s, count = at_s - self.votes[0].at_s, len(self.votes)
        return (count > settings.window and age_s > settings.window_s) or (count > settings.confirm_votes and age_s > settings.stale_s)

    def _is_won_by(self, newest: Vote, settings: WatchSettings) -> bool:
        """Whether its side has enough votes, and more than what the track was before; unknown never wins over a product by votes."""
        if newest.product_id is None and self.product_id is not None:
            return False
        own = self._for(newest.product_id)
        if len(own) < settings.confirm_votes or newest.at_s - own[0].at_s < settings.confirm_s:
            return False
        return newest.product_id is None or len(own) > len(self._for(self.product_id))

    def _become(self, newest: Vote, settings: WatchSettings) -> None:
        """From now on what the newest vote says, and that since the first frame that may have been so."""
        own = self._for(newest.product_id)
        if self.product_id is not None:
            replaced_at_s = max((vote.at_s for vote in self._for(self.product_id)), default=self.voted_at_s)
            own = [vote for vote in own if vote.at_s > replaced_at_s]
            self.votes = deque(vote for vote in self.votes if vote.at_s > replaced_at_s)
            self.since_s = own[0].since_s
        elif newest.product_id is not None and own[0].since_s - self.since_s > settings.unknown_s:
            self.since_s = own[0].since_s
        self.confirmed, self.product_id = True, newest.product_id
        self.voted_at_s, self.doubts = newest.at_s, 0

    def is_gone(self, at_s: float, settings: WatchSettings) -> bool:
        return at_s - self.seen_at_s > settings.grace_s and self.missed >= settings.grace_frames

    def _for(self, product_id: ProductId | None) -> list[Vote]:
        return [vote for vote in self.votes if vote.product_id == product_id]

    def as_seen(self) -> SeenProduct:
        """Its newest box with its id and, once it is confirmed, the matches of its recent frames together."""
        return replace(self.seen, track_id=self.track_id, matches=self._voted() if self.confirmed else ())

    def _voted(self) -> tuple[ProductMatch, ...]:
        """Its product, then the others by summed similarity; each with the mean over the frames that matched it."""
        by_product: dict[ProductId, list[ProductMatch]] = {}
        for match in (match for vote in self.votes for match in vote.matches):
            by_product.setdefault(match.product_id, []).append(match)
        if self.product_id is None or self.product_id not in by_product:
            return self.seen.matches if self.product_id is not None else ()
        totals = {product_id: sum(match.similarity for match in matches) for product_id, matches in by_product.items()}
        order = sorted(by_product, key=lambda product_id: (product_id != self.product_id, -totals[product_id], product_id))
        most = max(len(vote.matches) for vote in self.votes)
        return tuple(replace(by_product[p][-1], similarity=totals[p] / len(by_product[p])) for p in order[:most])


def associate(products: Sequence[SeenProduct], tracks: Sequence[Track], *, iou: float) -> list[Track | None]:
    """The track of each object, best pairs first: the same product wherever it is, else enough overlap. No track twice."""
    pairs: list[tuple[float, int, Track]] = []
    for index, seen in enumerate(products):
        for track in tracks:
            overlap = intersection_over_union(seen.box, track.seen.box)
            is_same = best(seen) is not None and best(seen) == track.looks_like
            if is_same or overlap >= iou:
                pairs.append((overlap + is_same, index, track))
    found: dict[int, Track] = {}
    taken: set[int] = set()
    for _, index, track in sorted(pairs, key=lambda pair: -pair[0]):
        if index not in found and track.track_id not in taken:
            found[index] = track
            taken.add(track.track_id)
    return [found.get(index) for index in range(len(products))]


def best(seen: SeenProduct) -> ProductId | None:
    """The best match; None: unknown."""
    return seen.matches[0].product_id if seen.matches else None


def intersection_over_union(a: Box, b: Box) -> float:
    """Overlap of two boxes, 0..1.

    >>> round(intersection_over_union((0, 0, 2, 1), (1, 0, 3, 1)), 3)
    0.333
    """
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (area(a) + area(b) - width * height)


def area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
