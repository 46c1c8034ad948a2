"""Leave-one-out counts what it says: a pattern is found, chance is not."""

from pathlib import Path

import numpy as np

from models.evaluation.sequential import leave_one_out, read_sequences
from models.recommend.item_factors import Fit


def test_a_pattern_that_repeats_is_foreseen() -> None:
    turns = [(0, 1, 2), (1, 2, 0), (2, 0, 1)]  # each of three that go together is the last one once
    found = leave_one_out([[a + turn for turn in order] for a in range(0, 90, 3) for order in turns] * 5, Fit(ridge=1.0))
    assert found["hr_at_10"] == 1.0
    assert found["ndcg_at_10"] > 0.95
    assert (found["viewers"], found["items"]) == (450.0, 90.0)


def test_pure_chance_is_hit_as_often_as_chance_allows() -> None:
    rng = np.random.default_rng(0)
    found = leave_one_out([rng.choice(200, size=5, replace=False).tolist() for _ in range(600)], Fit())
    assert found["hr_at_10"] < 0.12


def test_sequences_are_read_without_their_viewer(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("1 5 6 7\n2 8\n3 5 9\n")
    assert read_sequences(path) == [[5, 6, 7], [5, 9]]
