"""When a gain over viewers counts as one."""

import numpy as np
from numpy.typing import NDArray

STANDARD_ERRORS = 1.645  # a gain of so many is chance in one of twenty cases


def gain_of(gains: NDArray[np.float64]) -> tuple[float, float]:
    """Mean of what each viewer gained, float64 (viewers,), and its standard error; infinite for a single viewer.

    >>> gain_of(np.array([1.0, 3.0]))
    (2.0, 1.0)
    """
    error = float(gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else float("inf")
    return float(gains.mean()), error
