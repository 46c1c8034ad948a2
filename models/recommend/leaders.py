"""The best of many scores that only ever rise, without looking at all of them."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


class Leaders:
    """Places of the `size` best scores and some more, in no order. Not thread-safe.

    Exact as long as every score that rises is told and none falls but by a common factor: whoever is not in the set was at most
    `bound` when the set was last cut, and has not risen since.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._places: dict[int, None] = {}
        self._bound = 0.0

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[int]:
        return iter(self._places)

    def rose(self, place: int, scores: Scores) -> None:
        """`scores[place]` is higher than it was; O(1), now and then O(size)."""
        if scores[place] <= self._bound or place in self._places:
            return
        self._places[place] = None
        if len(self._places) > 2 * self._size:
            self._keep(np.fromiter(self._places, dtype=np.int64, count=len(self._places)), scores)

    def scaled(self, factor: float) -> None:
        """All scores were multiplied by `factor` > 0."""
        self._bound *= factor

    def refill(self, scores: Scores) -> None:
        """Look at all scores."""
        self._bound = 0.0
        self._keep(np.flatnonzero(scores > 0), scores)

    def _keep(self, places: NDArray[np.int64], scores: Scores) -> None:
        if len(places) > self._size:
            worst_first = np.argsort(scores[places], kind="stable")
            places = places[worst_first]
            self._bound = float(scores[places[-self._size - 1]])
            places = places[-self._size :]
        self._places = dict.fromkeys(places.tolist())
