"""Neighbours that were looked up before."""

import threading
from collections.abc import Iterable

from models.types import ProductId

KEPT_BYTES = 40 * 2**20  # of one process
_ENTRY_BYTES = 320  # about what one neighbourhood takes besides 8 for each neighbour

Key = tuple[ProductId, int]  # a product, and how many neighbours were asked for


class Neighbourhoods:
    """The neighbours of products, of one state of the catalogue, in at most `max_bytes`: when they are full they start anew.

    Thread-safe. The ids themselves are the index's and are not counted.
    """

    def __init__(self, max_bytes: int = KEPT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._kept: dict[Key, tuple[ProductId, ...]] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, product_id: ProductId, count: int) -> tuple[ProductId, ...] | None:
        return self._kept.get((product_id, count))

    def keep(self, product_id: ProductId, count: int, neighbours: Iterable[ProductId]) -> None:
        found = tuple(neighbours)  # a fourth of a set's memory
        size = _ENTRY_BYTES + 8 * len(found)
        with self._lock:
            if (product_id, count) in self._kept:
                return
            if self._bytes + size > self._max_bytes:
                self._kept.clear()
                self._bytes = 0
            if size <= self._max_bytes:
                self._kept[product_id, count] = found
                self._bytes += size
