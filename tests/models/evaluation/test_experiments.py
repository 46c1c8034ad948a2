"""The statistics keep their promises on simulated shops: a thousand experiments at once, from the moments the server has."""

import doctest
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from models.evaluation import experiments
from models.evaluation.experiments import (
    MEASURES,
    SUSPECT_P,
    Estimate,
    Floats,
    adaptive_lift,
    adjusted,
    always_valid,
    estimate,
    fixed_horizon,
    lift,
    products_of,
    sample_ratio_p,
    thompson_weights,
)

SIMULATIONS, LOOKS, VIEWERS_A_LOOK = 1_000, 10, 160  # of each variant
PLANNED = 2 * LOOKS * VIEWERS_A_LOOK
EFFECT = 0.1


def shop(rng: np.random.Generator, shape: tuple[int, ...], *, effect: float = 0.0) -> Floats:
    """Measures of viewers who differ: each has a taste for clicking and a habit of coming, but for the effect the same after exposure."""
    taste, habit = rng.beta(4.0, 16.0, shape), rng.gamma(2.0, 6.0, shape)
    rows = np.zeros((*shape, len(MEASURES)))
    rows[..., 0] = 1.0
    for first, more in ((1, effect), (5, 0.0)):
        rows[..., first] = 1 + rng.poisson(habit)
        rows[..., first + 1] = rng.binomial(rows[..., first].astype(int), np.minimum(taste * (1 + more), 1.0))
        rows[..., first + 2] = rng.binomial(rows[..., first + 1].astype(int), 0.2)
        rows[..., first + 3] = rows[..., first + 2] * 100.0
    return rows


@cache
def looks(seed: int, effect: float = 0.0) -> Floats:
    """Products at every look at a thousand variants, float64 (simulations, looks, measures, measures)."""
    rng = np.random.default_rng(seed)
    blocks = [products_of(shop(rng, (SIMULATIONS, VIEWERS_A_LOOK), effect=effect)) for _ in range(LOOKS)]
    return np.cumsum(np.stack(blocks, axis=1), axis=1)


def at_most(share: float) -> float:
    """The share of simulations that is still `share` by chance (99.9 % one-sided)."""
    return float(stats.binom.ppf(0.999, SIMULATIONS, share) / SIMULATIONS)


def at_least(share: float) -> float:
    return float(stats.binom.ppf(0.001, SIMULATIONS, share) / SIMULATIONS)


def misses(low: Floats, high: Floats) -> NDArray[np.bool_]:
    return (low > 0) | (high < 0)


@pytest.mark.parametrize("metric", ["ctr", "revenue_per_viewer"])
def test_looked_at_ten_times_nothing_is_found_where_there_is_nothing(metric: str) -> None:
    one, two = estimate(looks(1), metric), estimate(looks(2), metric)
    found = lift(one, two, always_valid(one.viewers + two.viewers, PLANNED))
    assert misses(found.low, found.high).any(axis=1).mean() <= at_most(0.05)
    often = lift(one, two, fixed_horizon())
    once = misses(often.low[:, -1], often.high[:, -1]).mean()
    assert at_least(0.05) <= once <= at_most(0.05)
    assert misses(often.low, often.high).any(axis=1).mean() > 0.12  # what looking again and again does to the usual interval


def test_the_adjusted_and_the_adaptive_interval_may_be_looked_at_too() -> None:
    (one, two), _ = adjusted([looks(1), looks(2)], "ctr")
    found = lift(one, two, always_valid(one.viewers + two.viewers, PLANNED))
    assert misses(found.low, found.high).any(axis=1).mean() <= at_most(0.05)
    cautious = adaptive_lift(one, two, PLANNED)
    assert misses(cautious.low, cautious.high).any(axis=1).mean() <= at_most(0.05)
    assert (cautious.high >= found.high).mean() > 0.99


def test_viewers_whose_outcomes_still_grow_do_not_break_the_interval() -> None:
    """All viewers are there at the first look; each look adds what they did since."""
    rng = np.random.default_rng(5)
    arms = []
    for _ in range(2):
        rows = np.zeros((400, 150, len(MEASURES)))
        taste = rng.beta(2.0, 23.0, (400, 150))
        at_each = []
        for _ in range(LOOKS):
            seen = rng.poisson(3.0, (400, 150))
            rows[..., 1] += seen
            rows[..., 2] += rng.binomial(seen, taste)
            rows[..., 0] = 1.0
            at_each.append(products_of(rows))
        arms.append(estimate(np.stack(at_each, axis=1), "ctr"))
    found = lift(arms[0], arms[1], always_valid(arms[0].viewers * 2, 500))
    assert misses(found.low, found.high).any(axis=1).mean() <= 0.05


def test_a_planted_lift_of_a_tenth_is_found_and_covered() -> None:
    control, treatment = looks(1), looks(3, EFFECT)
    (one, two), _ = adjusted([control, treatment], "ctr")
    found = lift(one, two, always_valid(one.viewers + two.viewers, PLANNED))
    assert (found.low[:, -1] > 0).mean() > 0.75
    assert (found.high[:, -1] < 0).mean() == 0
    assert abs(found.value[:, -1].mean() - EFFECT) < 0.005
    assert ((found.low <= EFFECT) & (found.high >= EFFECT)).all(axis=1).mean() >= 1 - at_most(0.05)


@pytest.mark.parametrize("metric", ["ctr", "cvr", "revenue_per_viewer"])
def test_the_variance_by_the_delta_method_is_the_one_seen(metric: str) -> None:
    found = estimate(looks(1)[:, -1], metric)
    assert found.variance.mean() == pytest.approx(found.value.var(), rel=0.12)


def test_adjusting_by_the_past_shrinks_the_variance_and_moves_nothing() -> None:
    control, treatment = looks(1)[:, -1], looks(3, EFFECT)[:, -1]
    for metric in ("ctr", "revenue_per_viewer"):
        plain = [estimate(one, metric) for one in (control, treatment)]
        (one, two), reduction = adjusted([control, treatment], metric)
        before, after = plain[1].value - plain[0].value, two.value - one.value
        assert after.var() < (1 - 0.5 * reduction.mean()) * before.var()
        assert after.mean() == pytest.approx(before.mean(), abs=4 * np.sqrt(before.var() / SIMULATIONS))
        assert (one.variance + two.variance).mean() == pytest.approx(after.var(), rel=0.15)
    assert adjusted([control, treatment], "ctr")[1].mean() > 0.2


def test_without_a_past_nothing_is_adjusted() -> None:
    rows = shop(np.random.default_rng(1), (2, 500))
    rows[..., 5:] = 0.0
    arms = list(products_of(rows))
    (one, _), reduction = adjusted(arms, "ctr")
    assert one == estimate(arms[0], "ctr")
    assert reduction == 0


def test_uneven_variants_are_told_from_even_ones() -> None:
    assert sample_ratio_p([5_200, 4_800], [0.5, 0.5]) < SUSPECT_P
    assert sample_ratio_p([9_010, 990], [0.9, 0.1]) > SUSPECT_P
    assert sample_ratio_p([0, 0], [1, 1]) == 1.0
    assert sample_ratio_p([50, 0], [1, 0]) == 1.0
    even = np.random.default_rng(1).binomial(10_000, 0.5, 1_000)
    assert np.mean([sample_ratio_p([seen, 10_000 - seen], [1, 1]) < 0.05 for seen in even]) <= at_most(0.05)


def arm(value: float, variance: float, trials: float = 10_000) -> Estimate:
    return Estimate(np.asarray(value), np.asarray(variance), np.asarray(1_000.0), np.asarray(trials))


def test_allocation_follows_the_better_variant_and_starves_nobody() -> None:
    weights = thompson_weights([arm(0.05, 5e-6), arm(0.06, 6e-6), arm(0.02, 2e-6)], "ctr", seed=1, least=0.05)
    assert sum(weights) == pytest.approx(1)
    assert weights[1] > 0.85
    assert weights[2] == 0.05
    assert weights == thompson_weights([arm(0.05, 5e-6), arm(0.06, 6e-6), arm(0.02, 2e-6)], "ctr", seed=1, least=0.05)
    assert thompson_weights([arm(10.0, 1.0), arm(14.0, 1.0)], "revenue_per_viewer", seed=1)[1] > 0.99


def test_what_viewers_do_alike_counts_less_than_as_many_trials() -> None:
    clustered = thompson_weights([arm(0.05, 1e-4), arm(0.06, 1e-4)], "ctr", seed=3)
    independent = thompson_weights([arm(0.05, 5e-6), arm(0.06, 6e-6)], "ctr", seed=3)
    assert clustered[1] < 0.85 < independent[1]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=0, max_size=30))
@settings(deadline=None, max_examples=50)
def test_no_shop_is_too_small_to_be_looked_at(viewers: list[tuple[int, int]]) -> None:
    rows = np.zeros((len(viewers), len(MEASURES)))
    for row, (seen, clicked) in zip(rows, viewers, strict=True):
        row[:3] = 1, seen, min(seen, clicked)
    products = products_of(rows)
    (one, two), reduction = adjusted([products, products], "ctr")
    found = lift(one, two, always_valid(one.viewers * 2, 100))
    assert 0 <= reduction <= 1
    assert np.isnan(found.low) or found.low <= 0 <= found.high
    assert sum(thompson_weights([one, two], "ctr", seed=1)) == pytest.approx(1)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(experiments).failed == 0
