"""Evidence as it can be searched: BM25 and dense vectors, fused by rank, looked at again by a re-ranker."""

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from models.index import IndexOptions, VectorIndex
from models.language.lexical import Entry, LexicalIndex
from models.language.rerank import Reranker
from models.language.segment import terms
from models.types import Passage, ProductId, Vectors

Way = Literal["words", "meaning"]
WAYS: frozenset[Way] = frozenset({"words", "meaning"})
RRF_K = 60  # of reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)
_LEAST_DEPTH = 50  # of each ranking that is fused


class TextEmbedder(Protocol):
    """Texts -> float32 (n, dim), L2-normalised."""

    @property
    def dim(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """Passages with all that takes time to compute, so that they are put in place quickly."""

    passages: Mapping[str, Passage]  # by source_id
    entries: Mapping[str, Entry]
    vectors: Mapping[str, Vectors]  # float32 (dim,), L2-normalised


class PassageIndex:
    """Pieces of evidence by source_id, searched as a whole or within some products.

    Thread-safe: a change is visible as a whole, to both rankings at once. The re-ranker works outside the lock.
    """

    def __init__(
        self, text: TextEmbedder, reranker: Reranker | None = None, *, rerank_depth: int = 20, options: IndexOptions | None = None
    ) -> None:
        self._text = text
        self._reranker = reranker
        self._rerank_depth = rerank_depth
        self._lexical = LexicalIndex()
        self._dense = VectorIndex(text.dim, options)
        self._lock = threading.RLock()
        self._passages: dict[str, Passage] = {}
        self._sources_of: dict[ProductId | None, set[str]] = {}  # None: shop-wide

    def __len__(self) -> int:
        return len(self._passages)

    # --- updates ---------------------------------------------------------------------------------------------------------

    def prepare(self, passages: Iterable[Passage]) -> Prepared:
        """Embeds and segments; of passages with one source_id the last counts.

        A stored question is embedded without its answer: its cosine says whether the same is asked. BM25 knows both.
        """
        by_source = {passage.source_id: passage for passage in passages}
        vectors = self._text.embed([passage.question or passage.text for passage in by_source.values()])
        return Prepared(
            by_source,
            {source: Entry(terms(_told(passage)), passage.product_id) for source, passage in by_source.items()},
            dict(zip(by_source, vectors, strict=True)),
        )

    def apply(self, fresh: Prepared, removes: Collection[str] = ()) -> None:
        """Remove, then put, in one step; a passage put again is replaced, an unknown source_id is no error."""
        with self._lock:
            self._dense.apply(fresh.vectors, removes)  # first: it refuses what is no vector
            self._lexical.apply(fresh.entries, removes)
            for source in {*removes, *fresh.passages} & self._passages.keys():
                self._unlink(self._passages.pop(source))
            for source, passage in fresh.passages.items():
                self._passages[source] = passage
                self._sources_of.setdefault(passage.product_id, set()).add(source)

    def put(self, passages: Iterable[Passage]) -> None:
        """Index passages, replacing those with the same source_id, in one step."""
        self.apply(self.prepare(passages))

    def remove(self, sources: Collection[str]) -> None:
        """Forget passages; an unknown source_id is no error."""
        self.apply(Prepared({}, {}, {}), sources)

    def about(self, product_id: ProductId) -> tuple[Passage, ...]:
        """All passages about one product, in no order."""
        with self._lock:
            return tuple(self._passages[source] for source in self._sources_of.get(product_id, ()))

    def _unlink(self, passage: Passage) -> None:
        sources = self._sources_of[passage.product_id]
        sources.discard(passage.source_id)
        if not sources:
            del self._sources_of[passage.product_id]

    # --- search ----------------------------------------------------------------------------------------------------------

    def search(
        self,
        query: str,
        *,
        products: frozenset[ProductId] | None,
        k: int,
        ways: frozenset[Way] = WAYS,
        rerank: bool = True,
    ) -> tuple[Passage, ...]:
        """The best `k` passages, best first; with `products` only about them, and shop-wide ones.

        `score` is the cosine of the dense vectors, `relevance` what the re-ranker says of the first `rerank_depth`, which it orders.
        `ways` are the rankings that are fused; one alone is what evaluation compares with.
        """
        found = self._fused(query, products, max(k, self._rerank_depth if self._reranker and rerank else k), ways)
        if self._reranker is None or not rerank:
            return tuple(found[:k])
        near, far = found[: self._rerank_depth], found[self._rerank_depth :]
        relevance = self._reranker.relevance(query, near).tolist()
        judged = [replace(passage, relevance=value) for passage, value in zip(near, relevance, strict=True)]
        judged.sort(key=lambda passage: -(passage.relevance or 0.0))  # stable: ties stay as they were found
        return tuple([*judged, *far][:k])

    def _fused(self, query: str, products: frozenset[ProductId] | None, k: int, ways: frozenset[Way]) -> list[Passage]:
        vector = self._text.embed([query])
        wanted = terms(query) if "words" in ways else []
        depth = max(k, _LEAST_DEPTH)
        with self._lock:
            rankings: list[list[tuple[str, float]]] = []
            if "words" in ways:
                rankings.append(self._lexical.search(wanted, depth, about=products))
            if "meaning" in ways:
                rankings.append(self._dense.search(vector, depth, among=self._among(products))[0])
            best = [source for source, _ in fuse([[source for source, _ in ranking] for ranking in rankings])[:k]]
            passages = [self._passages[source] for source in best]
            stored = [self._dense.vectors(source) for source in best]
        cosines = [0.0 if rows is None else float(np.max(rows @ vector[0])) for rows in stored]
        return [replace(passage, score=cosine) for passage, cosine in zip(passages, cosines, strict=True)]

    def _among(self, products: frozenset[ProductId] | None) -> set[str] | None:
        if products is None:
            return None
        return set().union(*(self._sources_of.get(product_id, ()) for product_id in (None, *products)))


def fuse(rankings: Iterable[Sequence[str]]) -> list[tuple[str, float]]:
    """Reciprocal rank fusion: keys with the sum of 1 / (`RRF_K` + rank) over the rankings, best first, ties by key.

    >>> [key for key, _ in fuse([["a", "b", "c"], ["b", "c", "d"]])]
    ['b', 'c', 'a', 'd']
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, key in enumerate(ranking, start=1):
            scores[key] = scores.get(key, 0.0) + 1.0 / (RRF_K + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def _told(passage: Passage) -> str:
    return f"{passage.question} {passage.answer or passage.text}" if passage.question else passage.text
