"""Matrix factorisation by `implicit`: a history becomes a vector at the moment of asking, so that new users are served as well."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from scipy import sparse
from threadpoolctl import threadpool_limits

from models.interactions.log import Interactions
from models.recommend.scoring import History, Scores, interest_of, votes_of
from models.types import Vectors


@dataclass(frozen=True, slots=True)
class AlsPlan:
    factors: int = 256
    regularization: float = 0.05
    alpha: float = 10.0  # confidence of an interaction against none (Hu et al. 2008)
    iterations: int = 15


@dataclass(frozen=True, slots=True)
class BprPlan:
    factors: int = 64
    learning_rate: float = 0.05
    regularization: float = 0.002
    iterations: int = 100


class AlsScorer:
    """iALS (Hu, Koren and Volinsky 2008); the votes of a history are folded in by one exact least-squares step."""

    def __init__(self, plan: AlsPlan | None = None, *, seed: int = 7) -> None:
        self._plan = plan or AlsPlan()
        self._seed = seed

    def fit(self, log: Interactions) -> None:
        plan = self._plan
        with threadpool_limits(1, "blas"):  # `implicit` runs threads of its own, and warns of others when it is made
            self._model = AlternatingLeastSquares(
                factors=plan.factors,
                regularization=plan.regularization,
                alpha=plan.alpha,
                iterations=plan.iterations,
                random_state=self._seed,
                num_threads=1,
            )
            self._model.fit(_of_implicit(interest_of(log)), show_progress=False)

    @property
    def factors(self) -> Vectors:
        """float32 (items, factors) after `fit`."""
        found: Vectors = self._model.item_factors
        return found

    def scores(self, histories: Sequence[History]) -> Scores:
        items = self.factors
        if not histories:
            return np.zeros((0, len(items)), dtype=np.float32)
        votes = _of_implicit(votes_of(histories, len(items)))  # the model multiplies by alpha, as in training
        with threadpool_limits(1, "blas"):
            users = self._model.recalculate_user(np.arange(len(histories)), votes)
        return np.asarray(users @ items.T, dtype=np.float32)


class BprScorer:
    """BPR (Rendle et al. 2009); a history is the mean of its items' vectors, weighted by its votes."""

    def __init__(self, plan: BprPlan | None = None, *, seed: int = 7) -> None:
        self._plan = plan or BprPlan()
        self._seed = seed

    def fit(self, log: Interactions) -> None:
        plan = self._plan
        model = BayesianPersonalizedRanking(
            factors=plan.factors,
            learning_rate=plan.learning_rate,
            regularization=plan.regularization,
            iterations=plan.iterations,
            random_state=self._seed,
            num_threads=1,
        )
        with threadpool_limits(1, "blas"):
            model.fit(_of_implicit(interest_of(log)), show_progress=False)
        vectors: Vectors = model.item_factors[:, :-1]  # the last column is an item's bias
        self._bias: Vectors = model.item_factors[:, -1]
        self._vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def scores(self, histories: Sequence[History]) -> Scores:
        votes = votes_of(histories, len(self._vectors))
        return np.asarray((votes @ self._vectors) @ self._vectors.T + 1e-3 * self._bias, dtype=np.float32)


def _of_implicit(matrix: sparse.csr_array) -> sparse.csr_matrix:
    """`implicit` checks for the older class, with int32 indices."""
    return sparse.csr_matrix((matrix.data.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)
