"""Leave-one-out on public purchase sequences: how far behaviour alone foresees the next purchase, by full ranking."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.recommend.behaviour import HISTORY_PRODUCTS
from models.recommend.history import STEP_DECAY
from models.recommend.item_factors import Fit, item_to_item

_VIEWERS_AT_ONCE = 2_000


def read_sequences(path: Path) -> list[list[int]]:
    """Lines of `viewer item item ...` in order of time, as S3-Rec publishes the Amazon sets."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [[int(item) for item in line.split()[1:]] for line in lines if len(line.split()) > 2]


def leave_one_out(sequences: Sequence[Sequence[int]], fit: Fit, *, step_decay: float = STEP_DECAY) -> dict[str, float]:
    """HR@10 and NDCG@10 of each viewer's last item among all items that they did not have before; ties count half.

    Weights are fitted on everything before the last items, and a history votes as `Behaviour` lets it vote.
    """
    past = [sequence[:-1] for sequence in sequences]
    items = 1 + max(max(sequence) for sequence in sequences)
    weights = item_to_item(_matrix([dict.fromkeys(sequence, 1.0) for sequence in past], items), fit)
    ranks = np.concatenate(list(_ranks(sequences, weights, step_decay)))
    hits = ranks < 10
    return {
        "hr_at_10": float(hits.mean()),
        "ndcg_at_10": float((hits / np.log2(np.maximum(ranks, 0.0) + 2.0)).mean()),
        "viewers": float(len(sequences)),
        "items": float(items),
    }


def _ranks(sequences: Sequence[Sequence[int]], weights: sparse.csr_array, step_decay: float) -> Iterator[NDArray[np.float64]]:
    for first in range(0, len(sequences), _VIEWERS_AT_ONCE):
        block = sequences[first : first + _VIEWERS_AT_ONCE]
        votes = _matrix([_votes(sequence[:-1], step_decay) for sequence in block], weights.shape[0])
        scores = (votes @ weights).toarray()
        yield np.array([_rank(row, sequence) for row, sequence in zip(scores, block, strict=True)])


def _rank(scores: NDArray[np.float32], sequence: Sequence[int]) -> float:
    """Place of the last item, from 0, among the items that are not in the sequence before."""
    scores[list(sequence[:-1])] = -math.inf
    target = scores[sequence[-1]]
    return float((scores > target).sum() + ((scores == target).sum() - 1) / 2)


def _votes(past: Sequence[int], step_decay: float) -> dict[int, float]:
    recent = list(dict.fromkeys(reversed(past)))[:HISTORY_PRODUCTS]
    return {item: step_decay**age for age, item in enumerate(recent)}


def _matrix(rows: Sequence[dict[int, float]], items: int) -> sparse.csr_array:
    starts = np.cumsum([0, *map(len, rows)])
    columns = np.fromiter((item for row in rows for item in row), dtype=np.int32, count=int(starts[-1]))
    values = np.fromiter((value for row in rows for value in row.values()), dtype=np.float32, count=int(starts[-1]))
    return sparse.csr_array((values, columns, starts), shape=(len(rows), items))
