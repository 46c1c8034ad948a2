"""Candidates from behaviour: what goes together, what is popular, what is new."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from models.recommend import item_factors
from models.recommend.behaviour import Behaviour
from models.recommend.history import STEP_DECAY, weighted_products
from models.recommend.item_factors import Fit, item_to_item, item_vectors
from models.recommend.popularity import Popularity
from models.types import ProductId
from tests.models.recommend.conftest import NOW, event


def kinds(candidates: object) -> set[tuple[str, str]]:
    return {(c.source, c.product_id) for c in candidates}  # type: ignore[attr-defined]  # any iterable of candidates


def test_what_was_bought_together_is_proposed_with_its_reason(behaviour: Behaviour) -> None:
    best = behaviour.candidates([event("mug")], [], k=10, exclude=())[0]
    assert (best.source, best.product_id, best.because) == ("bought_together", "tea", "mug")


def test_a_click_changes_the_next_answer(behaviour: Behaviour) -> None:
    before = behaviour.candidates([event("mug", ago_s=60)], [], k=10, exclude=())
    after = behaviour.candidates([event("mug", ago_s=60), event("ball")], [], k=10, exclude=())
    assert before[0].product_id == "tea"
    assert after[0].product_id == "rope"


def test_the_context_counts_and_is_not_proposed_back(behaviour: Behaviour) -> None:
    found = behaviour.candidates([], [ProductId("ball")], k=10, exclude=())
    assert found[0].product_id == "rope"
    assert "ball" not in {candidate.product_id for candidate in found}


def test_a_viewer_without_history_gets_what_is_popular(behaviour: Behaviour) -> None:
    found = behaviour.candidates([], [], k=3, exclude=())
    assert [candidate.source for candidate in found] == ["popular"] * 3
    assert found[0].product_id == "mug"
    assert found[0].score == 1.0


@given(k=st.integers(0, 12), exclude=st.sets(st.sampled_from(["mug", "tea", "ball", "rope"])))
@settings(max_examples=40, deadline=None)
def test_never_more_than_asked_never_the_excluded_never_twice(behaviour: Behaviour, k: int, exclude: set[ProductId]) -> None:
    found = behaviour.candidates([event("mug")], [ProductId("unknown")], k=k, exclude=exclude)
    assert len(found) <= k
    assert not {candidate.product_id for candidate in found} & exclude
    assert len(kinds(found)) == len(found)


def test_live_events_change_what_is_popular(zoo: Path) -> None:
    behaviour = Behaviour.load(zoo)
    trained = [candidate.product_id for candidate in behaviour.popularity.popular(10, ())]
    behaviour.popularity.observe(event(trained[9]), now=NOW)
    assert [c.product_id for c in behaviour.popularity.popular(3, ())] == trained[:3]  # years later, what was trained is still the prior
    for number in range(5000):
        behaviour.popularity.observe(event("brand-new", viewer=f"n{number}"), now=NOW)
    assert behaviour.popularity.popular(1, ())[0].product_id == "brand-new"


def test_a_new_product_is_proposed_as_fresh_until_it_ages() -> None:
    popularity = Popularity()
    popularity.observe(event("old", ago_s=30 * 86_400))
    popularity.announce(ProductId("new"), NOW)
    popularity.announce(ProductId("old"), NOW)
    assert kinds(popularity.fresh(5, ())) == {("fresh", "new")}
    popularity.observe(event("old"), now=NOW)
    popularity.announce(ProductId("old"), NOW + timedelta(days=20))
    assert popularity.fresh(5, ()) == ()


def test_popularity_halves_each_day_and_survives_years() -> None:
    popularity = Popularity()
    popularity.observe(event("then", ago_s=86_400))
    popularity.observe(event("now"))
    assert popularity.share([ProductId("then"), ProductId("now"), ProductId("never")]) == pytest.approx(
        {"then": 0.5, "now": 1.0, "never": 0.0}
    )
    later = NOW + timedelta(days=2000)
    popularity.observe(event("later", ago_s=-2000 * 86_400), now=later)
    assert popularity.popular(1, ())[0].product_id == "later"
    assert np.isfinite(popularity.popular(3, ())[0].score)


def test_no_event_moves_the_clock_beyond_now() -> None:
    popularity = Popularity()
    for number in range(3):
        popularity.observe(event("real", viewer=f"v{number}"), now=NOW)
    popularity.observe(replace(event("unknown", "click"), at=NOW + timedelta(days=365_000)), now=NOW)
    popularity.observe(event("real"), now=NOW)
    assert popularity.share([ProductId("real"), ProductId("unknown")]) == pytest.approx({"real": 1.0, "unknown": 0.25})


def test_a_first_event_of_long_ago_does_not_wipe_out_what_was_trained(zoo: Path) -> None:
    popularity = Behaviour.load(zoo).popularity
    trained = popularity.popular(5, ())
    popularity.observe(replace(event(trained[0].product_id), at=NOW - timedelta(days=9_000)), now=NOW)
    popularity.observe(event("elsewhere"), now=NOW)
    assert {c.product_id for c in trained} <= {c.product_id for c in popularity.popular(10, ())}


def test_what_was_saved_comes_back_the_same(behaviour: Behaviour, tmp_path: Path) -> None:
    behaviour.save(tmp_path)
    loaded = Behaviour.load(tmp_path)
    history = [event("mug", ago_s=5), event("ball")]
    assert loaded.candidates(history, [], k=10, exclude=()) == behaviour.candidates(history, [], k=10, exclude=())
    assert loaded.item_vectors().keys() == behaviour.item_vectors().keys()


def test_what_goes_together_has_near_vectors(behaviour: Behaviour) -> None:
    vectors = {str(product_id): vector for product_id, vector in behaviour.item_vectors().items()}
    assert vectors["ball"] @ vectors["rope"] > 0.9
    assert abs(vectors["ball"] @ vectors["tea"]) < 0.1


def interactions(seed: int, viewers: int = 40, items: int = 12) -> sparse.csr_array:
    return sparse.csr_array((np.random.default_rng(seed).random((viewers, items)) < 0.2).astype(np.float32))


def test_the_weights_are_those_of_the_ridge_regression_of_each_item_on_the_others() -> None:
    matrix = interactions(1)
    weights = item_to_item(matrix, Fit(ridge=2.0, neighbours=12)).toarray()
    dense = matrix.toarray().astype(np.float64)
    others = [column for column in range(12) if column != 3]
    left = dense[:, others]
    solved = np.linalg.solve(left.T @ left + 2.0 * np.eye(11), left.T @ dense[:, 3])
    assert weights[others, 3] == pytest.approx(np.maximum(solved, 0.0), abs=1e-5)


@pytest.mark.parametrize("limit", [0, 5_000], ids=["knn", "ease"])
def test_each_product_keeps_its_strongest_neighbours_and_never_itself(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_factors, "EASE_UP_TO", limit)
    weights = item_to_item(interactions(2), Fit(neighbours=3)).toarray()
    assert ((weights > 0).sum(axis=1) <= 3).all()
    assert (weights >= 0).all()
    assert (np.diag(weights) == 0).all()


def test_vectors_are_unit_length_or_zero_also_for_tiny_logs() -> None:
    for viewers, items in ((40, 12), (2, 3), (1, 1)):
        norms = np.linalg.norm(item_vectors(interactions(3, viewers, items), Fit(factor_dim=8), seed=0), axis=1)
        assert all(norm == pytest.approx(1.0, abs=1e-4) or norm == 0.0 for norm in norms)


def test_interest_so_old_that_nothing_is_left_of_it_has_no_vectors() -> None:
    for left in (0.0, 1e-30):
        faded = interactions(3) * np.float32(left)
        faded.data[:] = left  # stored all the same
        assert not item_vectors(faded, Fit(factor_dim=8), seed=0).any()


def test_interest_is_the_strongest_event_and_fades_with_what_came_after() -> None:
    history = [event("mug", "purchase", ago_s=30), event("mug", ago_s=20), event("tea", ago_s=10), event("ball", "impression")]
    weights = weighted_products(history, limit=5)
    assert list(weights) == ["tea", "mug"]
    assert weights[ProductId("mug")] == 1.0
    assert weights[ProductId("tea")] == pytest.approx(1.0 / (5.0 * STEP_DECAY))
    assert weighted_products([], limit=5) == {}
    assert NOW - timedelta(seconds=30) == history[0].at
