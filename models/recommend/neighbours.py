"""Popularity, and the item-to-item models whose weights a history votes with, the latest items most."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from models.interactions.log import Interactions
from models.recommend.item_factors import Fit, ease, item_knn, strongest
from models.recommend.scoring import History, Scores, UnsuitableLogError, interest_of, votes_of

LARGEST_EASE = 15_000  # items: the inverse takes 24 bytes a pair, 5 GiB
MOST_PAIRS = 400_000_000  # of items that one user had, summed over users: up to 12 bytes each


class PopularScorer:
    """The same for everybody: how many users an item had."""

    def fit(self, log: Interactions) -> None:
        self._counts = (interest_of(log) > 0).sum(axis=0).astype(np.float32)

    def scores(self, histories: Sequence[History]) -> Scores:
        return np.tile(self._counts, (len(histories), 1))


class _VotingScorer:
    _weights: sparse.csr_array

    def scores(self, histories: Sequence[History]) -> Scores:
        return np.asarray((votes_of(histories, self._weights.shape[0]) @ self._weights).toarray(), dtype=np.float32)


class ItemKnnScorer(_VotingScorer):
    """Shrunk cosine; what `livecart train recommender` takes for shops of more than `models.recommend.item_factors.EASE_UP_TO` products."""

    def __init__(self, fit: Fit | None = None) -> None:
        self._fit = fit or Fit()

    def fit(self, log: Interactions) -> None:
        matrix = interest_of(log)
        pairs = int((np.diff(matrix.indptr).astype(np.int64) ** 2).sum())
        if pairs > MOST_PAIRS:
            raise UnsuitableLogError(f"item-kNN counts the pairs of items that users had: {pairs} are more than {MOST_PAIRS}; use ials")
        self._weights = strongest(item_knn(matrix, self._fit.shrinkage), self._fit.neighbours)


class EaseScorer(_VotingScorer):
    """Steck 2019; what `livecart train recommender` takes for shops of up to `models.recommend.item_factors.EASE_UP_TO` products."""

    def __init__(self, fit: Fit | None = None) -> None:
        self._fit = fit or Fit()

    def fit(self, log: Interactions) -> None:
        if len(log.items) > LARGEST_EASE:
            raise UnsuitableLogError(
                f"EASE inverts a matrix of items by items: {len(log.items)} items are more than {LARGEST_EASE}; use itemknn"
            )
        self._weights = strongest(sparse.csr_array(ease(interest_of(log), self._fit.ridge)), self._fit.neighbours)
