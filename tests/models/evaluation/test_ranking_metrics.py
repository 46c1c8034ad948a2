"""Metrics of full rankings stay in range, are 1 for a perfect ranking, and do not depend on the order of equal scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.ranking_metrics import NAMES, metrics_of, popularity_percentiles, ranking_metrics, target_ranks
from models.interactions.log import Places

NOTHING: Places = np.array([], dtype=np.int32)


@st.composite
def rankings(draw: st.DrawFn) -> tuple[np.ndarray[tuple[int], np.dtype[np.float32]], Places, Places, int]:
    """Scores with many ties, masked items, targets apart from them, and k."""
    size = draw(st.integers(1, 30))
    row = np.array(draw(st.lists(st.integers(-2, 2), min_size=size, max_size=size)), dtype=np.float32)
    targets = draw(st.lists(st.integers(0, size - 1), min_size=1, unique=True))
    masked = draw(st.lists(st.sampled_from([*set(range(size)) - set(targets)] or [-1]), unique=True))
    kept = [item for item in masked if item >= 0]
    return row, np.array(kept, dtype=np.int32), np.array(targets, dtype=np.int32), draw(st.integers(1, 35))


@given(rankings())
def test_every_metric_is_within_0_and_1_and_no_two_targets_share_a_place(
    case: tuple[np.ndarray[tuple[int], np.dtype[np.float32]], Places, Places, int],
) -> None:
    row, masked, targets, k = case
    places = target_ranks(row, masked, targets)
    assert (places >= np.arange(len(places))).all()
    assert (np.diff(places) >= 1).all()
    assert places[-1] <= len(row) - len(masked) - 1
    found = ranking_metrics(places, k)
    assert ((found >= 0) & (found <= 1)).all()
    assert found[0] >= found[1]
    assert found[4] <= found[0]


@given(rankings())
def test_targets_above_all_others_are_a_perfect_ranking(
    case: tuple[np.ndarray[tuple[int], np.dtype[np.float32]], Places, Places, int],
) -> None:
    row, masked, targets, k = case
    row[targets] = 9.0
    found = dict(zip(NAMES, metrics_of(row[None], [masked], [targets], k)[0].tolist(), strict=True))
    assert found["hr"] == found["mrr"] == 1.0
    assert found["ndcg"] == pytest.approx(1.0)
    assert found["recall"] == pytest.approx(min(k, len(targets)) / len(targets))
    assert found["precision"] == pytest.approx(min(k, len(targets)) / k)


@given(rankings())
def test_the_numbering_of_items_changes_nothing(case: tuple[np.ndarray[tuple[int], np.dtype[np.float32]], Places, Places, int]) -> None:
    row, masked, targets, k = case
    order = np.random.default_rng(len(row)).permutation(len(row))
    place_of = np.argsort(order).astype(np.int32)
    moved = metrics_of(row[order][None], [place_of[masked]], [place_of[targets]], k)
    assert moved == pytest.approx(metrics_of(row[None], [masked], [targets], k))


def test_a_model_that_tells_nothing_apart_is_in_the_middle() -> None:
    assert target_ranks(np.zeros(101, np.float32), NOTHING, np.array([7], np.int32)).tolist() == [50.0]


def test_known_values() -> None:
    row = np.array([9, 8, 7, 6, 5], np.float32)
    found = dict(zip(NAMES, metrics_of(row[None], [np.array([0], np.int32)], [np.array([2, 4], np.int32)], 3)[0].tolist(), strict=True))
    assert (found["hr"], found["recall"], found["mrr"]) == (1.0, 0.5, 0.5)
    assert found["precision"] == pytest.approx(1 / 3)
    assert found["ndcg"] == pytest.approx((1 / np.log2(3)) / (1 + 1 / np.log2(3)))


def test_scores_that_are_not_finite_are_an_error() -> None:
    with pytest.raises(ValueError, match="1 scores that are NaN"):
        metrics_of(np.array([[np.nan, 1.0]], np.float32), [NOTHING], [np.array([1], np.int32)], 1)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_percentiles_are_within_0_and_1_with_the_mean_in_the_middle(counts: list[int]) -> None:
    found = popularity_percentiles(np.array(counts, dtype=np.int64))
    assert ((found >= 0) & (found <= 1)).all()
    assert found.mean() == pytest.approx(0.5)
