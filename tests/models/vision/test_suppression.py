"""Overlaps and suppression keep their laws for any boxes."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.types import Vectors
from models.vision.suppression import keep_best, overlaps


@st.composite
def boxes(draw: st.DrawFn) -> Vectors:
    corners = draw(arrays(np.float32, st.tuples(st.integers(0, 12), st.just(4)), elements=st.floats(0, 1, width=32)))
    return np.concatenate((np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])), axis=1)


@given(boxes(), boxes())
def test_overlap_is_a_share_and_symmetric(some: Vectors, others: Vectors) -> None:
    shared = overlaps(some, others)
    assert shared.shape == (len(some), len(others))
    assert ((shared >= 0) & (shared <= 1 + 1e-5)).all()
    assert np.allclose(shared, overlaps(others, some).T)


@given(boxes(), st.integers(0, 8), st.randoms())
def test_kept_boxes_are_few_sorted_and_apart(some: Vectors, limit: int, rng: Random) -> None:
    scores = np.asarray([rng.random() for _ in range(len(some))], dtype=np.float32)
    kept = keep_best(some, scores, limit=limit)
    assert len(kept) <= limit
    assert (np.diff(scores[kept]) <= 0).all()
    shared = overlaps(some[kept], some[kept])
    assert (np.triu(shared, 1) <= 0.6 + 1e-6).all()


def test_a_double_of_the_same_product_goes() -> None:
    some = np.asarray([[0, 0, 1, 1], [0.02, 0, 1, 1], [2, 2, 3, 3]], dtype=np.float32)
    assert keep_best(some, np.asarray([0.5, 0.9, 0.7], dtype=np.float32), limit=20).tolist() == [1, 2]
