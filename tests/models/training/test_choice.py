"""Weights are learnt from what was chosen among what could be chosen then, and from nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.choice import likeliest_weights


def choices(weights: list[float], count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each among two to five rows, by a logit of these weights."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 6, size=count)
    rows = rng.random((int(sizes.sum()), len(weights)))
    owners = np.repeat(np.arange(count), sizes)
    noise = rng.gumbel(size=len(rows))
    scores = rows @ np.array(weights) + noise
    starts = np.cumsum([0, *sizes[:-1]])
    wanted = np.array([start + scores[start : start + size].argmax() for start, size in zip(starts, sizes, strict=True)])
    return rows, owners, wanted


def test_planted_weights_are_found() -> None:
    rows, owners, wanted = choices([4.0, 1.0, 0.0], 3_000, 1)
    found = likeliest_weights(rows, owners, wanted)
    assert found == pytest.approx([4.0, 1.0, 0.0], abs=0.35)


@given(shift=st.floats(-5, 5), seed=st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_what_all_rows_of_a_choice_share_teaches_nothing(shift: float, seed: int) -> None:
    rows, owners, wanted = choices([2.0, 1.0], 60, seed)
    shifted = rows + shift * np.random.default_rng(seed).random(60)[owners][:, None]
    assert likeliest_weights(shifted, owners, wanted) == pytest.approx(likeliest_weights(rows, owners, wanted), abs=1e-3)


@given(seed=st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_weights_are_not_negative(seed: int) -> None:
    rows, owners, wanted = choices([-3.0, 1.0], 40, seed)
    assert (likeliest_weights(rows, owners, wanted) >= 0).all()
