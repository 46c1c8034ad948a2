"""Multinomial logit: the weights under which what was chosen is the likeliest of what could be chosen then."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

RIDGE = 1e-3

Rows = NDArray[np.float64]  # float64 (n, columns): what could be chosen, choice by choice
Places = NDArray[np.int64]


def likeliest_weights(rows: Rows, owners: Places, wanted: Places) -> Rows:
    """float64 (columns,), >= 0, of the likeliest logit, with a ridge.

    `owners` int64 (n,), ascending from 0 without gaps: the choice that a row could be made in; the softmax is over the rows of one
    choice only, so that what could not be had then teaches nothing. `wanted` int64 (choices,): the row that was chosen.
    """
    starts = np.searchsorted(owners, np.arange(len(wanted)))

    def loss(weights: Rows) -> tuple[float, Rows]:
        logits = rows @ weights
        largest = np.maximum.reduceat(logits, starts)
        powers = np.exp(logits - largest[owners])
        sums = np.add.reduceat(powers, starts)
        chances = powers / sums[owners]
        value = (np.log(sums) + largest - logits[wanted]).mean() + RIDGE * (weights @ weights)
        gradient = (rows.T @ chances - rows[wanted].sum(axis=0)) / len(wanted) + 2.0 * RIDGE * weights
        return float(value), gradient

    width = rows.shape[1]
    found = minimize(loss, np.ones(width), jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * width)
    return np.asarray(found.x, dtype=np.float64)
