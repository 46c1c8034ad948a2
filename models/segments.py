"""The parts of a vector index: an exact one that takes every update, and one that is built once, approximate on a CPU."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from models.types import Vectors

Ids = NDArray[np.int64]
_GPU_FETCH_LIMIT = 2048  # rows per query that a FAISS GPU index can return


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """When an index stops being exact, and where it lives."""

    exact_up_to: int = 10_000  # rows; below this every search is exact
    ivf_from: int = 2_000_000  # rows; HNSW (on a GPU: exact) between the two
    rebuild_fraction: float = 0.1  # removed rows over sealed rows that start a rebuild, `rebuild_from` rows at least; on a GPU new ones too
    rebuild_from: int = 5_000  # new rows that start to move into the sealed part
    gpu: bool = False  # put the sealed part on the first GPU, where this FAISS build sees one


def use_one_thread() -> None:
    """FAISS in the calling thread: a few rows at a time are added faster by one than by several that wait for each other."""
    faiss.omp_set_num_threads(1)


class Segment(Protocol):
    """Rows with ids that can be searched for the best inner products."""

    def __len__(self) -> int: ...

    def search(self, queries: Vectors, count: int) -> tuple[Vectors, Ids]:
        """Best `count` rows: scores float32 (n, count) and row ids int64 (n, count), -1 where there is none."""
        ...


class Open:
    """The exact segment that takes every update."""

    def __init__(self, dim: int) -> None:
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(dim))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, vectors: Vectors, ids: Ids) -> None:
        self._index.add_with_ids(vectors, ids)

    def latest(self, count: int) -> tuple[Vectors, Ids]:
        """At most `count` of the rows that came last."""
        ids = faiss.vector_to_array(self._index.id_map)[-count:]
        return np.stack([self._index.reconstruct(row) for row in ids.tolist()]), ids

    def remove(self, ids: Ids) -> None:
        self._index.remove_ids(faiss.IDSelectorBatch(ids))

    def search(self, queries: Vectors, count: int) -> tuple[Vectors, Ids]:
        scores, ids = self._index.search(queries, count)
        return scores, ids


class Sealed:
    """A segment that is built at once and then takes new rows one by one: HNSW or IVF, or exact on a GPU. Removed rows the caller drops.

    Not thread-safe while rows are added.
    """

    def __init__(self, vectors: Vectors, ids: Ids, options: IndexOptions) -> None:
        on_gpu = options.gpu and _gpu_count() > 0
        self._take(_built(vectors, options, exact=on_gpu), ids, on_gpu=on_gpu)

    def _take(self, index: faiss.Index, ids: Ids, *, on_gpu: bool) -> None:
        self._ids, self._count = ids, len(ids)  # the ids have room for more behind the first `_count`
        self._on_gpu = on_gpu
        self._ivf_lists = int(index.nlist) if isinstance(index, faiss.IndexIVF) else 0
        self._index = index
        if on_gpu:
            self._resources = faiss.StandardGpuResources()  # must outlive the index
            self._index = faiss.index_cpu_to_gpu(self._resources, 0, index)

    def save(self, path: Path) -> None:
        """The index without its row ids."""
        faiss.write_index(faiss.index_gpu_to_cpu(self._index) if self._on_gpu else self._index, str(path))

    @classmethod
    def load(cls, path: Path, ids: Ids, options: IndexOptions) -> "Sealed":
        """What `save` wrote; `ids` int64 (rows,) name its rows."""
        made = cls.__new__(cls)
        made._take(faiss.read_index(str(path)), ids, on_gpu=options.gpu and _gpu_count() > 0)
        return made

    def __len__(self) -> int:
        return self._count

    @property
    def ids(self) -> Ids:
        """int64 (rows,): of each row its id."""
        return self._ids[: self._count]

    @property
    def can_grow(self) -> bool:
        return not self._on_gpu

    def add(self, vectors: Vectors, ids: Ids) -> None:
        """Further rows, where it `can_grow`: about a millisecond each at a million."""
        self._index.add(vectors)
        if self._count + len(ids) > len(self._ids):
            self._ids = np.concatenate([self.ids, np.empty(self._count // 2 + len(ids), dtype=np.int64)])
        self._ids[self._count : self._count + len(ids)] = ids
        self._count += len(ids)

    def search(self, queries: Vectors, count: int) -> tuple[Vectors, Ids]:
        if self._on_gpu:
            count = min(count, _GPU_FETCH_LIMIT)
        scores, places = self._index.search(queries, count, params=self._parameters(count))  # type: ignore[call-overload]  # stub
        return scores, np.where(places >= 0, self.ids[places], -1)

    def _parameters(self, count: int) -> object | None:
        if self._ivf_lists:
            return faiss.SearchParametersIVF(nprobe=max(32, self._ivf_lists // 8))  # type: ignore[call-arg]  # stub lacks it
        if self._on_gpu:
            return None
        return faiss.SearchParametersHNSW(efSearch=max(64, 2 * count))  # type: ignore[attr-defined,no-any-return]  # stub lacks it


def _gpu_count() -> int:
    return int(faiss.get_num_gpus()) if hasattr(faiss, "get_num_gpus") else 0


def _built(vectors: Vectors, options: IndexOptions, *, exact: bool) -> faiss.Index:
    """A trained and filled CPU index."""
    count, dim = vectors.shape
    lists = max(1, round(2 * math.sqrt(count))) if count >= options.ivf_from else 0
    structure = f"IVF{lists},Flat" if lists else "Flat" if exact else "HNSW32,Flat"
    index = faiss.index_factory(dim, structure, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index.add(vectors)
    return index
