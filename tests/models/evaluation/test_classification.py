"""Scores of a classifier stay in their range, and say what they say on cases that one can count by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.classification import classification_scores

LABELS = ("a", "b", "c", "d")


def test_a_case_counted_by_hand() -> None:
    probabilities = np.array([[0.7, 0.1, 0.1, 0.1], [0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]])
    scores = classification_scores(LABELS, probabilities, ["a", "b", "a"])
    assert scores["accuracy"] == pytest.approx(1 / 3)
    assert scores["top3"] == pytest.approx(2 / 3)
    assert scores["macro_f1"] == pytest.approx(0.5 / 3)  # a: 1/2, b: 0, and d that was predicted: 0
    assert scores["log_loss"] == pytest.approx(-(math.log(0.7) + math.log(0.3) + math.log(0.1)) / 3)
    assert scores["calibration_error"] == pytest.approx((0.3 + 0.4 + 0.4) / 3)


def test_a_label_that_was_never_learnt_is_a_miss() -> None:
    scores = classification_scores(LABELS, np.array([[1.0, 0.0, 0.0, 0.0]]), ["z"])
    assert (scores["accuracy"], scores["top3"], scores["macro_f1"]) == (0, 0, 0)
    assert "log_loss" not in scores


@given(
    rows=st.lists(st.tuples(st.lists(st.floats(0.01, 1), min_size=4, max_size=4), st.sampled_from([*LABELS, "z"])), min_size=1, max_size=20)
)
def test_scores_stay_in_range(rows: list[tuple[list[float], str]]) -> None:
    raw = np.array([values for values, _ in rows])
    scores = classification_scores(LABELS, raw / raw.sum(axis=1, keepdims=True), [label for _, label in rows])
    assert 0 <= scores["accuracy"] <= scores["top3"] <= 1
    assert 0 <= scores["macro_f1"] <= 1
    assert 0 <= scores["calibration_error"] <= 1
    assert scores.get("log_loss", 0) >= 0
