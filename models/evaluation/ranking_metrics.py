"""Metrics of full rankings: every item is ranked but those that the user had; items of equal score share their places evenly."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.interactions.log import Places
from models.recommend.scoring import Scores

Values = NDArray[np.float64]
NAMES = ("hr", "recall", "precision", "ndcg", "mrr")


def target_ranks(row: NDArray[np.float32], masked: Places, targets: Places) -> Values:
    """float64 (t,): the places of the targets from 0, best first. `row` is (items,); masked items have no place.

    Equal scores count half: a target among g items of equal score that begin at place a is at a + (g - 1) / 2, and t targets among
    them stand at even distances, so that no two share a place.

    >>> target_ranks(np.array([3, 2, 1], np.float32), np.array([0], np.int32), np.array([2], np.int32)).tolist()
    [1.0]
    >>> target_ranks(np.ones(4, np.float32), np.array([], np.int32), np.array([1, 3], np.int32)).tolist()
    [0.5, 2.5]
    """
    open_ = np.ones(len(row), dtype=np.bool_)
    open_[masked] = False
    ranked = row[open_]
    values, counts = np.unique(row[targets], return_counts=True)
    places = list[float]()
    for value, count in zip(values[::-1], counts[::-1], strict=True):
        above, equal = int((ranked > value).sum()), int((ranked == value).sum())
        places.extend(above + (2 * turn + 1) * equal / (2 * count) - 0.5 for turn in range(int(count)))
    return np.array(places, dtype=np.float64)


def ranking_metrics(places: Values, k: int) -> Values:
    """float64 (5,) in the order of NAMES, each 0..1, of one user's targets at distinct `places` from 0, ascending.

    hr: any target among the first k; recall: the share of the targets; precision: the share of the k; ndcg: binary gains over the
    best possible (Järvelin and Kekäläinen 2002); mrr: 1 / place of the first target, 0 beyond k.

    >>> ranking_metrics(np.array([0.0, 1.0]), k=2).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0]
    >>> ranking_metrics(np.array([1.0, 9.0]), k=2).tolist()[:3]
    [1.0, 0.5, 0.5]
    """
    hits = places[places < k]
    if not len(hits):
        return np.zeros(len(NAMES), dtype=np.float64)
    best = (1.0 / np.log2(np.arange(min(k, len(places))) + 2.0)).sum()
    gained = (1.0 / np.log2(hits + 2.0)).sum()
    return np.array([1.0, len(hits) / len(places), len(hits) / k, gained / best, 1.0 / (hits[0] + 1.0)])


def popularity_percentiles(counts: NDArray[np.int64]) -> Values:
    """float64 (items,): the share of items that fewer users had, equal ones counting half; 0..1, mean .5.

    >>> popularity_percentiles(np.array([5, 0, 0, 9])).tolist()
    [0.625, 0.25, 0.25, 0.875]
    """
    ordered = np.sort(counts)
    below, up_to = np.searchsorted(ordered, counts, "left"), np.searchsorted(ordered, counts, "right")
    return np.asarray((below + up_to) / (2.0 * max(len(counts), 1)), dtype=np.float64)


def metrics_of(scores: Scores, masked: Sequence[Places], targets: Sequence[Places], k: int) -> Values:
    """float64 (n, 5): `ranking_metrics` of each row. Raises ValueError for scores that are not finite."""
    if not np.isfinite(scores).all():
        raise ValueError(f"a model answered with {int((~np.isfinite(scores)).sum())} scores that are NaN or infinite")
    rows = zip(scores, masked, targets, strict=True)
    return np.stack([ranking_metrics(target_ranks(row, hidden, sought), k) for row, hidden, sought in rows])
