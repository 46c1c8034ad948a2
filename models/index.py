"""FAISS behind one class: string keys, several vectors per key, updates while serving, exact or approximate by size."""

import json
import logging
import math
import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from models.segments import Ids, IndexOptions, Open, Sealed, Segment, use_one_thread
from models.types import Vectors

__all__ = ["IndexOptions", "VectorIndex"]

_MOVED_AT_ONCE = 32  # rows: searches wait meanwhile, and FAISS prepares something for every row of the index at each call
_PAUSE_S = 0.0005
GONE = -1  # a row of a saved sealed segment that no key held any more

logger = logging.getLogger(__name__)


class VectorIndex:
    """Nearest keys by inner product; with L2-normalised vectors that is the cosine.

    A key may hold several vectors (views of one product): its score is that of its best one. Every method may be called from any
    thread; a search sees all or nothing of an `apply`. Up to `options.exact_up_to` rows results are exact. Above it the bulk lies in
    a sealed approximate segment, and younger rows in an exact one, from which a background thread moves them over, a few at a time. When
    much was removed, the sealed segment is built anew and swapped in one step.
    """

    def __init__(self, dim: int, options: IndexOptions | None = None) -> None:
        if dim < 1:
            raise ValueError(f"an index needs at least one dimension, got {dim}")
        self.dim = dim
        self._options = options or IndexOptions()
        self._lock = threading.Lock()
        self._vectors: dict[str, Vectors] = {}
        self._rows: dict[str, range] = {}
        self._key_of_row: dict[int, str] = {}
        self._next_row = 0
        self._open = Open(dim)
        self._sealed: Sealed | None = None
        self._dead = 0  # rows of the sealed segment that no key holds any more
        self._builder: threading.Thread | None = None

    def __len__(self) -> int:
        """Number of keys."""
        return len(self._vectors)

    def keys(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._vectors)

    def vectors(self, key: str) -> Vectors | None:
        """float32 (v, dim) as stored, or None for an unknown key. Must not be written to."""
        return self._vectors.get(key)

    def first_vectors(self, keys: Sequence[str]) -> Vectors:
        """float32 (len(keys), dim): the first vector of each key, zero for an unknown one."""
        nothing = np.zeros((1, self.dim), dtype=np.float32)
        return np.concatenate([self._vectors.get(key, nothing)[:1] for key in keys]) if keys else nothing[:0]

    # --- updates ---------------------------------------------------------------------------------------------------------

    def upsert(self, key: str, vectors: Vectors) -> None:
        """Make `vectors` float32 (v, dim) or (dim,) all that `key` holds. Raises ValueError for NaN, infinity or another width."""
        self.apply({key: vectors})

    def remove(self, key: str) -> None:
        """Forget `key`; an unknown key is no error."""
        self.apply({}, (key,))

    def apply(self, upserts: Mapping[str, Vectors], removes: Iterable[str] = ()) -> None:
        """All these changes in one step: removes first, then upserts; a key with zero vectors is removed.

        Raises ValueError for NaN, infinity or another width, and then changes nothing.
        """
        checked = {key: self._checked(vectors, f"vectors of {key!r}") for key, vectors in upserts.items()}
        with self._lock:
            self._forget({*removes, *checked})
            self._insert({key: vectors for key, vectors in checked.items() if len(vectors)})
            self._rebuild_when_due()

    def _checked(self, vectors: Vectors, what: str) -> Vectors:
        array = np.array(vectors, dtype=np.float32, order="C", ndmin=2)
        if array.size == 0:
            return array.reshape(0, self.dim)
        if array.ndim != 2 or array.shape[1] != self.dim:
            raise ValueError(f"{what} have shape {array.shape}, this index holds (n, {self.dim})")
        if not np.isfinite(array).all():
            raise ValueError(f"{what} contain NaN or infinity; check the model that made them")
        return array

    def _forget(self, keys: Collection[str]) -> None:
        gone = [row for key in keys for row in self._rows.pop(key, ())]
        if not gone:
            return
        for key in keys:
            self._vectors.pop(key, None)
        for row in gone:
            del self._key_of_row[row]
        before = len(self._open)
        self._open.remove(np.array(gone, dtype=np.int64))
        self._dead += len(gone) - (before - len(self._open))

    def _insert(self, entries: Mapping[str, Vectors]) -> None:
        if not entries:
            return
        first = self._next_row
        for key, vectors in entries.items():
            rows = range(self._next_row, self._next_row + len(vectors))
            self._next_row = rows.stop
            self._vectors[key] = vectors
            self._rows[key] = rows
            self._key_of_row.update(dict.fromkeys(rows, key))
        self._open.add(np.concatenate(list(entries.values())), np.arange(first, self._next_row, dtype=np.int64))

    # --- the sealed segment ----------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Wait until no rebuild runs or is due."""
        while (builder := self._builder) is not None:
            builder.join()

    def _rebuild_when_due(self) -> None:
        options, sealed = self._options, self._sealed
        if self._builder is not None:
            return
        due = options.exact_up_to if sealed is None else max(options.rebuild_from, len(sealed) * options.rebuild_fraction)
        outgrown = sealed is not None and len(sealed) < options.ivf_from <= len(self._key_of_row)  # another structure is due
        if sealed is not None and sealed.can_grow and not outgrown and self._dead <= due:
            if len(self._open) > options.rebuild_from:
                self._builder = threading.Thread(target=self._grow, args=(sealed,), name="index-growth", daemon=True)
                self._builder.start()
            return
        if len(self._open) + self._dead <= due:
            return
        rows = np.fromiter(self._key_of_row, dtype=np.int64, count=len(self._key_of_row))
        vectors = list(self._vectors.values())  # same order as the rows: both dicts are only ever appended to and cut
        self._builder = threading.Thread(target=self._rebuild, args=(vectors, rows), name="index-rebuild", daemon=True)
        self._builder.start()

    def _grow(self, sealed: Sealed) -> None:
        """Move the open segment's rows over; searches wait for a few of them at most."""
        use_one_thread()
        while True:
            with self._lock:
                if not len(self._open) or self._dead > max(self._options.rebuild_from, len(sealed) * self._options.rebuild_fraction):
                    self._builder = None
                    self._rebuild_when_due()
                    return
                vectors, rows = self._open.latest(_MOVED_AT_ONCE)
                sealed.add(vectors, rows)
                self._open.remove(rows)
            time.sleep(_PAUSE_S)  # a lock is not fair: whoever waits to search comes first

    def _rebuild(self, vectors: Sequence[Vectors], rows: Ids) -> None:
        try:
            sealed = Sealed(np.concatenate(vectors), rows, self._options) if len(rows) else None
        except (RuntimeError, MemoryError):
            logger.exception("the index of %d rows could not be sealed; it stays exact and is tried again at the next change", len(rows))
            with self._lock:
                self._builder = None
            return
        with self._lock:
            self._sealed = sealed
            self._open.remove(rows)
            self._dead = sum(row not in self._key_of_row for row in rows.tolist())
            self._builder = None
            self._rebuild_when_due()  # much may have come in meanwhile

    # --- search ----------------------------------------------------------------------------------------------------------

    def search(self, queries: Vectors, k: int, *, among: Collection[str] | None = None) -> list[list[tuple[str, float]]]:
        """The best `k` keys with their scores for each of `queries` float32 (n, dim), best first, ties by key.

        `among` limits the answer to those keys, exactly and however few they are; unknown ones are ignored. Fewer than `k` come
        back only when there are fewer. Raises ValueError for NaN, infinity, another width or a negative `k`.
        """
        if k < 0:
            raise ValueError(f"k must not be negative, got {k}")
        checked = self._checked(queries, "queries")
        with self._lock:
            k = min(k, len(self._vectors))
            if k == 0 or len(checked) == 0:
                return [[] for _ in checked]
            if among is not None:
                return self._search_among(checked, k, among)
            return self._search_all(checked, k)

    def _search_among(self, queries: Vectors, k: int, among: Collection[str]) -> list[list[tuple[str, float]]]:
        keys = sorted(key for key in set(among) if key in self._vectors)
        if not keys:
            return [[] for _ in queries]
        blocks = [self._vectors[key] for key in keys]
        starts = np.cumsum([0, *(len(block) for block in blocks[:-1])])
        best = np.maximum.reduceat(queries @ np.concatenate(blocks).T, starts, axis=1)
        order = np.argsort(-best, axis=1, kind="stable")[:, :k]
        return [[(keys[place], float(row[place])) for place in places] for row, places in zip(best, order, strict=True)]

    def _search_all(self, queries: Vectors, k: int) -> list[list[tuple[str, float]]]:
        merged = self._best_of(self._open, queries, k)
        if self._sealed is not None:
            for best, more in zip(merged, self._best_of(self._sealed, queries, k), strict=True):
                best.update(more)  # no key lives in both segments
        return [sorted(best.items(), key=lambda item: (-item[1], item[0]))[:k] for best in merged]

    def _best_of(self, segment: Segment, queries: Vectors, k: int) -> list[dict[str, float]]:
        """For each query the best `k` keys of a segment; asks for more rows until views and dead rows leave that many keys."""
        size = len(segment)
        if size == 0:
            return [{} for _ in queries]
        views = 1 if len(self._key_of_row) == len(self._vectors) else 2  # as many rows a key, for a start
        count = min(size, views * k + 8)
        while True:
            scores, rows = segment.search(queries, count)
            found = [self._by_key(*pair) for pair in zip(scores.tolist(), rows.tolist(), strict=True)]
            if count >= size or scores.shape[1] < count or all(len(best) >= k for best in found):
                return found
            count = min(size, 4 * count)

    def _by_key(self, scores: Sequence[float], rows: Sequence[int]) -> dict[str, float]:
        best: dict[str, float] = {}
        for score, row in zip(scores, rows, strict=True):
            key = self._key_of_row.get(row)
            if key is not None and score > best.get(key, -math.inf):
                best[key] = score
        return best

    # --- files -----------------------------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        """Keys and vectors, and the sealed segment as it was built, into a new folder. What changes meanwhile may be missing."""
        self.settle()
        folder.mkdir(parents=True)
        with self._lock:
            entries, sealed = dict(self._vectors), self._sealed
            place = {row: number for number, row in enumerate(row for key in entries for row in self._rows[key])}
        ids = np.zeros(0, np.int64) if sealed is None else sealed.ids
        np.savez(
            folder / "vectors.npz",
            keys=np.frombuffer(json.dumps(list(entries)).encode(), dtype=np.uint8),
            counts=np.array([len(vectors) for vectors in entries.values()], dtype=np.int64),
            vectors=np.concatenate([np.zeros((0, self.dim), np.float32), *entries.values()]),
            sealed=np.array([place.get(row, GONE) for row in ids.tolist()], dtype=np.int64),
        )
        if sealed is not None:
            sealed.save(folder / "sealed.faiss")

    @classmethod
    def load(cls, folder: Path, options: IndexOptions | None = None) -> "VectorIndex":
        """The index that `save` wrote; its sealed segment is not built again."""
        with np.load(folder / "vectors.npz", allow_pickle=False) as stored:
            keys = json.loads(stored["keys"].tobytes())
            counts, vectors, sealed = stored["counts"], stored["vectors"], stored["sealed"]
        index = cls(vectors.shape[1], options)
        if not len(sealed):
            index.apply(dict(zip(keys, np.split(vectors, np.cumsum(counts)[:-1]), strict=True)) if keys else {})
            return index
        first = 0
        for key, count in zip(keys, counts.tolist(), strict=True):
            rows = range(first, first + count)
            index._vectors[key], index._rows[key] = vectors[first : rows.stop], rows
            index._key_of_row.update(dict.fromkeys(rows, key))
            first = rows.stop
        gone = sealed == GONE
        ids = np.where(gone, len(vectors) + np.cumsum(gone), sealed)  # rows that no key holds any more
        index._sealed, index._dead = Sealed.load(folder / "sealed.faiss", ids, index._options), int(gone.sum())
        index._next_row = len(vectors) + index._dead + 1
        young = np.setdiff1d(np.arange(len(vectors)), sealed)
        if len(young):
            index._open.add(vectors[young], young)
        return index
