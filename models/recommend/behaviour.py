"""Candidates from what viewers did: bought together, popular, fresh."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.recommend.history import weighted_products
from models.recommend.popularity import Popularity
from models.types import Candidate, Event, ProductId, Vectors

HISTORY_PRODUCTS = 20  # of the latest interest that vote


@dataclass(frozen=True, slots=True)
class _Votes:
    """Of the products that got any: places, summed votes of a history, and the place of whichever of its products voted most."""

    places: NDArray[np.int64]
    scores: NDArray[np.float64]
    because: NDArray[np.int64]


class Behaviour:
    """Trained item-to-item weights and item vectors, and live popularity. Safe to call from any thread."""

    def __init__(self, ids: Sequence[ProductId], neighbours: sparse.csr_array, vectors: Vectors, popularity: Popularity) -> None:
        self.ids = tuple(ids)
        self._place = {product_id: place for place, product_id in enumerate(self.ids)}
        self._neighbours = neighbours  # float32 (items, items), non-negative
        self._vectors = vectors  # float32 (items, factor_dim), L2-normalised or zero
        self.popularity = popularity

    @property
    def factor_dim(self) -> int:
        return int(self._vectors.shape[1])

    def with_popularity(self, popularity: Popularity) -> "Behaviour":
        """These weights and vectors, with what is popular and new from elsewhere."""
        return Behaviour(self.ids, self._neighbours, self._vectors, popularity)

    def observe(self, event: Event) -> None:
        """Count an event into what is popular and new; cheap enough for every event."""
        self.popularity.observe(event)

    def announce(self, product_id: ProductId, at: datetime) -> None:
        """Tell of a product that entered the catalogue, so that it can be proposed as fresh."""
        self.popularity.announce(product_id, at)

    def item_vectors(self) -> dict[ProductId, Vectors]:
        """float32 (factor_dim,), L2-normalised, of every product that somebody touched."""
        return {product_id: vector for product_id, vector in zip(self.ids, self._vectors, strict=True) if vector.any()}

    def candidates(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        """At most `k` candidates of the kinds `bought_together`, `popular` and `fresh`; a product may come in several kinds.

        New products get up to an eighth of the places and popular ones at least a quarter, all of them for a viewer without history.
        """
        excluded = {*exclude, *context}
        fresh = self.popularity.fresh(k // 8, excluded)
        together = self._bought_together(weighted_products(history, context, limit=HISTORY_PRODUCTS), k - len(fresh) - k // 4, excluded)
        popular = self.popularity.popular(k - len(fresh) - len(together), excluded)
        return (*together, *popular, *fresh)

    def _bought_together(self, seeds: Mapping[ProductId, float], k: int, exclude: Collection[ProductId]) -> tuple[Candidate, ...]:
        votes = self._votes(seeds)
        order = np.argsort(-votes.scores, kind="stable")[: k + len(exclude)]
        named = zip(votes.places[order].tolist(), votes.scores[order].tolist(), votes.because[order].tolist(), strict=True)
        found = [
            Candidate(self.ids[place], "bought_together", score, self.ids[because])
            for place, score, because in named
            if score > 0 and self.ids[place] not in exclude
        ]
        return tuple(found[:k])

    def _votes(self, seeds: Mapping[ProductId, float]) -> _Votes:
        """In time that depends on the neighbours of the seeds, not on the catalogue."""
        matrix = self._neighbours
        voters = [(place, weight) for seed, weight in seeds.items() if (place := self._place.get(seed)) is not None]
        if not voters:
            return _Votes(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
        spans = [slice(matrix.indptr[place], matrix.indptr[place + 1]) for place, _ in voters]
        columns = np.concatenate([matrix.indices[span] for span in spans])
        votes = np.concatenate([matrix.data[span] * weight for span, (_, weight) in zip(spans, voters, strict=True)]).astype(np.float64)
        voter = np.repeat([place for place, _ in voters], [span.stop - span.start for span in spans])
        places, group = np.unique(columns, return_inverse=True)
        scores = np.zeros(len(places), dtype=np.float64)
        np.add.at(scores, group, votes)
        because = np.full(len(places), -1, dtype=np.int64)
        weakest_first = np.lexsort((-np.arange(len(votes)), votes))  # of equal ones the latest interest last, which stays
        because[group[weakest_first]] = voter[weakest_first]
        return _Votes(places.astype(np.int64), scores, because)

    # --- files -----------------------------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        """Write `behaviour.npz` and `behaviour.json` into an existing folder; the caller writes the manifest."""
        np.savez_compressed(
            folder / "behaviour.npz",
            data=self._neighbours.data.astype(np.float32),
            indices=self._neighbours.indices.astype(np.int32),
            indptr=self._neighbours.indptr.astype(np.int64),
            vectors=self._vectors,
        )
        state = {"ids": list(self.ids), "popularity": self.popularity.state()}
        (folder / "behaviour.json").write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Behaviour":
        """The object that `save` wrote; `folder` comes from `open_artifact(..., kind="recommender")`."""
        state = json.loads((folder / "behaviour.json").read_text(encoding="utf-8"))
        with np.load(folder / "behaviour.npz", allow_pickle=False) as stored:
            side = len(state["ids"])
            neighbours = sparse.csr_array((stored["data"], stored["indices"], stored["indptr"]), shape=(side, side))
            vectors = stored["vectors"]
        return cls([ProductId(product_id) for product_id in state["ids"]], neighbours, vectors, Popularity.restored(state["popularity"]))
