"""What is popular and what is new, kept up to date event by event."""

import math
import threading
import time
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from models.recommend.history import INTEREST
from models.recommend.leaders import Leaders
from models.types import Candidate, Event, ProductId

HALF_LIFE_S = 86_400.0  # of an event's weight
FRESH_S = 3 * 86_400.0  # a product is new for about this long after its first sight
_LONGEST_PAUSE_S = 30 * 86_400.0  # a first event older than this says nothing about the pause before it
_LEADERS = 1_000  # products that are looked at for what is popular or new; all of them when more is asked for
_LOG2_LIMIT = 400.0  # rebase before 2^x leaves float64


class PopularityState(TypedDict):
    """JSON form of a `Popularity`; the three lists run in parallel."""

    ids: list[str]
    weight: list[float]  # decayed interest in units of `origin_s`
    first_s: list[float]  # unix time of first sight
    origin_s: float | None
    latest_s: float


class Popularity:
    """Interest per product with exponential decay (half-life one day), and when each product was first seen. Thread-safe.

    An event at time t weighs 2^((t - origin) / half-life): the order of products and their ratios never need a clock, and a weight only
    ever rises. So what is popular and what is new is found among the leaders, in time that does not depend on the catalogue.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._place: dict[ProductId, int] = {}
        self._ids: list[ProductId] = []
        self._weight = np.zeros(64, dtype=np.float64)
        self._first_s = np.zeros(64, dtype=np.float64)  # unix time of first sight
        self._heaviest = Leaders(_LEADERS)
        self._newest = Leaders(_LEADERS)
        self._oldest_s = math.inf  # of `_first_s`
        self._origin_s: float | None = None
        self._latest_s = 0.0
        self._resuming = False  # restored, and nothing observed since

    def observe(self, event: Event, *, now: datetime | None = None) -> None:
        """Count one event, one that says to be later than `now` (default: the wall clock) as of now; O(1)."""
        if event.product_id is None:
            return
        now_s = time.time() if now is None else now.timestamp()
        at_s = min(event.at.timestamp(), now_s)
        with self._lock:
            self._resume(max(at_s, now_s - _LONGEST_PAUSE_S))
            place = self._place_of(event.product_id, at_s)
            self._latest_s = max(self._latest_s, at_s)
            interest = INTEREST.get(event.type, 0.0)
            if interest:
                self._weight[place] += interest * 2.0 ** self._age(at_s)
                self._heaviest.rose(place, self._weight)

    def announce(self, product_id: ProductId, at: datetime) -> None:
        """A product entered the catalogue; one that is known already keeps its age."""
        with self._lock:
            self._resume(at.timestamp())
            self._place_of(product_id, at.timestamp())
            self._latest_s = max(self._latest_s, at.timestamp())

    def _resume(self, at_s: float) -> None:
        """The time between training and the first live event does not count: what was popular then is the prior now."""
        if self._resuming and self._origin_s is not None:
            pause_s = at_s - self._latest_s
            self._origin_s += pause_s
            self._latest_s += pause_s
            self._first_s += pause_s
            self._look_at_all()
        self._resuming = False

    def _age(self, at_s: float) -> float:
        if self._origin_s is None:
            self._origin_s = at_s
        elapsed = (at_s - self._origin_s) / HALF_LIFE_S
        if elapsed > _LOG2_LIMIT:
            self._weight *= 2.0**-elapsed
            self._heaviest.scaled(2.0**-elapsed)
            self._origin_s = at_s
            return 0.0
        return max(elapsed, -_LOG2_LIMIT)

    def _place_of(self, product_id: ProductId, at_s: float) -> int:
        place = self._place.get(product_id)
        if place is None:
            place = self._place[product_id] = len(self._ids)
            self._ids.append(product_id)
            if place == len(self._weight):
                self._weight = np.concatenate([self._weight, np.zeros_like(self._weight)])
                self._first_s = np.concatenate([self._first_s, np.zeros_like(self._first_s)])
            self._first_s[place] = at_s
            self._oldest_s = min(self._oldest_s, at_s)
            self._newest.rose(place, self._first_s)
        return place

    def _look_at_all(self) -> None:
        count = len(self._ids)
        self._heaviest.refill(self._weight[:count])
        self._newest.refill(self._first_s[:count])
        self._oldest_s = float(self._first_s[:count].min(initial=math.inf))

    def popular(self, k: int, exclude: Collection[ProductId]) -> tuple[Candidate, ...]:
        """The most popular products; score is the share of the most popular one's weight, 0..1."""
        with self._lock:
            places = self._among(self._heaviest, k + len(exclude))
            weight = self._weight[places]
            return self._best(places, weight / max(float(weight.max(initial=0.0)), 1e-300), k, exclude, "popular")

    def fresh(self, k: int, exclude: Collection[ProductId]) -> tuple[Candidate, ...]:
        """The newest products; score is 2^(-age / 3 days), at least 0.25, age counted back from the latest event."""
        with self._lock:
            places = self._among(self._newest, k + len(exclude))
            first = self._first_s[places]
            scores = np.exp2(-(self._latest_s - first) / FRESH_S)
            is_fresh = (scores >= 0.25) & (first > self._oldest_s + FRESH_S)
            return self._best(places, np.where(is_fresh, scores, 0.0), k, exclude, "fresh")

    def _among(self, leaders: Leaders, wanted: int) -> NDArray[np.int64]:
        """Places, ascending, that hold the best `wanted`."""
        if wanted > _LEADERS:
            return np.arange(len(self._ids))
        return np.sort(np.fromiter(leaders, dtype=np.int64, count=len(leaders)))

    def _best(
        self,
        places: NDArray[np.int64],
        scores: NDArray[np.float64],
        k: int,
        exclude: Collection[ProductId],
        source: Literal["popular", "fresh"],
    ) -> tuple[Candidate, ...]:
        order = np.argsort(-scores, kind="stable")[: k + len(exclude)]
        best = zip(places[order].tolist(), scores[order].tolist(), strict=True)
        kept = [(self._ids[place], score) for place, score in best if score > 0 and self._ids[place] not in exclude][:k]
        return tuple(Candidate(product_id, source, score) for product_id, score in kept)

    def share(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, float]:
        """Weight of each product as a share of the most popular one's, 0..1; unknown ones 0."""
        with self._lock:
            top = max(float(self._weight[self._among(self._heaviest, 1)].max(initial=0.0)), 1e-300)
            return {p: float(self._weight[place]) / top if (place := self._place.get(p)) is not None else 0.0 for p in product_ids}

    def state(self) -> PopularityState:
        with self._lock:
            count = len(self._ids)
            return PopularityState(
                ids=list(self._ids),
                weight=self._weight[:count].tolist(),
                first_s=self._first_s[:count].tolist(),
                origin_s=self._origin_s,
                latest_s=self._latest_s,
            )

    @classmethod
    def restored(cls, state: PopularityState, *, is_resuming: bool = True) -> "Popularity":
        """The counts as they were; with `is_resuming` the clock stands still until the first event or announcement."""
        made = cls()
        made._resuming = is_resuming
        made._ids = [ProductId(product_id) for product_id in state["ids"]]
        made._place = {product_id: place for place, product_id in enumerate(made._ids)}
        made._weight = np.array([*state["weight"], 0.0], dtype=np.float64)
        made._first_s = np.array([*state["first_s"], 0.0], dtype=np.float64)
        made._origin_s, made._latest_s = state["origin_s"], state["latest_s"]
        made._look_at_all()
        return made
