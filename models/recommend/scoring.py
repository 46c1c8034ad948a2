"""What a recommender is to an evaluation: learn from a log, score every item for a history."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.interactions.log import Interactions, Places
from models.recommend.behaviour import HISTORY_PRODUCTS
from models.recommend.history import STEP_DECAY
from models.types import ModelInputError

Scores = NDArray[np.float32]  # float32 (n, items): higher is better, comparable within a row only


class UnsuitableLogError(ModelInputError):
    """A log that a model cannot learn from; the text says what it would need, or how large it may be."""


@dataclass(frozen=True, slots=True)
class History:
    """What one user had to do with, oldest first; an item may come again."""

    items: Places  # int32 (n,)
    weights: NDArray[np.float32]  # (n,): interest shown
    user: int = -1  # index into the log's users; -1 somebody else


@runtime_checkable
class Described(Protocol):
    """A scorer that came to be made of parts."""

    def described(self) -> Mapping[str, object]:
        """What it is made of after `fit`, as JSON."""
        ...


class Scorer(Protocol):
    """Deterministic: the same log and histories give the same scores. `scores` needs `fit` before."""

    def fit(self, log: Interactions) -> None:
        """Forget what was learnt and learn from `log`. Raises UnsuitableLogError."""
        ...

    def scores(self, histories: Sequence[History]) -> Scores:
        """float32 (len(histories), items), finite. A history may be empty, and need not be of a user of the log."""
        ...


def histories_of(log: Interactions) -> list[History]:
    """Of every user, in the order of `log.users`."""
    return [History(log.item[places], log.weight[places], user) for user, places in enumerate(log.by_user())]


def interest_of(log: Interactions) -> sparse.csr_array:
    """float32 (users, items): 1 + log of the interest a user showed in an item altogether; 0 where there was none."""
    shape = (len(log.users), len(log.items))
    summed = sparse.csr_array(sparse.coo_array((log.weight, (log.user, log.item)), shape=shape))
    summed.data = 1.0 + np.log(np.maximum(summed.data, 1.0))
    return summed.astype(np.float32)


def votes_of(histories: Sequence[History], items: int) -> sparse.csr_array:
    """float32 (n, items): the latest distinct items of each history, as `models.recommend.history` weighs them, the largest being 1."""
    return stacked((_votes(history) for history in histories), len(histories), items)


def _votes(history: History) -> dict[int, float]:
    strongest: dict[int, float] = {}
    for item, weight in zip(reversed(history.items.tolist()), reversed(history.weights.tolist()), strict=True):
        strongest[item] = max(weight, strongest.get(item, 0.0))
    recent = list(strongest.items())[:HISTORY_PRODUCTS]
    weighed = {item: weight * STEP_DECAY**age for age, (item, weight) in enumerate(recent)}
    top = max(weighed.values(), default=1.0)
    return {item: weight / top for item, weight in weighed.items()}


def stacked(rows: Iterable[dict[int, float]], count: int, items: int) -> sparse.csr_array:
    """float32 (count, items) of rows item -> value."""
    kept = list(rows)
    starts = np.cumsum([0, *map(len, kept)])
    columns = np.fromiter((item for row in kept for item in row), dtype=np.int32, count=int(starts[-1]))
    values = np.fromiter((value for row in kept for value in row.values()), dtype=np.float32, count=int(starts[-1]))
    return sparse.csr_array((values, columns, starts), shape=(count, items))


def proposed(scores: Scores, masked: Sequence[Places], k: int) -> NDArray[np.int64]:
    """int64 (n, min(k, items)): the best items of each row, best first, equal scores by place; a masked item is -1, at the end."""
    hidden = scores.copy()
    for row, places in zip(hidden, masked, strict=True):
        row[places] = -np.inf
    k = min(k, scores.shape[1])
    kth = -np.partition(-hidden, k - 1, axis=1)[:, k - 1]
    best = np.stack([_best(row, least, k) for row, least in zip(hidden, kth, strict=True)]) if len(hidden) else np.zeros((0, k), np.int64)
    return np.where(np.isneginf(np.take_along_axis(hidden, best, axis=1)), -1, best)


def best_places(scores: NDArray[np.float32], k: int) -> list[int]:
    """Places of the `k` best of (n,), best first, equal ones by place."""
    k = min(k, len(scores))
    return _best(scores, float(-np.partition(-scores, k - 1)[k - 1]), k).tolist() if k > 0 else []


def _best(row: NDArray[np.float32], least: float, k: int) -> NDArray[np.int64]:
    candidates = np.flatnonzero(row >= least)
    return candidates[np.argsort(-row[candidates], kind="stable")][:k].astype(np.int64)
