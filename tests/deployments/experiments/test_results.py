"""From sums to what is told."""

from datetime import UTC, datetime

import numpy as np
import pytest

from deployments.experiments.results import configured_weights, next_weights, result
from deployments.settings import ExperimentConfig
from deployments.store import VariantSums
from models.evaluation.experiments import MEASURES, Floats, products_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def config(**given: object) -> ExperimentConfig:
    variants = {"control": {"weight": 1}, "bold": {"weight": 1}}
    return ExperimentConfig.model_validate({"graph": "recommend", "variants": variants, "planned_viewers": 4_000, **given})


def viewers(count: int, rate: float, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    rows = np.zeros((count, len(MEASURES)))
    rows[:, 0] = 1.0
    for first in (1, 5):
        rows[:, first] = rng.poisson(20, count)
        rows[:, first + 1] = rng.binomial(rows[:, first].astype(int), rate if first == 1 else 0.2)
    return products_of(rows)


def test_counts_rates_and_a_lift_that_is_found() -> None:
    one = config()
    found = result(
        "x",
        one,
        configured_weights(one),
        [VariantSums("bold", viewers(2_000, 0.24, 1)), VariantSums("control", viewers(2_000, 0.2, 2))],
        NOW,
    )
    control, bold = found.variants
    assert [(variant.variant, variant.is_control, variant.weight, variant.viewers) for variant in found.variants] == [
        ("control", True, 0.5, 2_000),
        ("bold", False, 0.5, 2_000),
    ]
    assert bold.ctr == pytest.approx(bold.clicks / bold.impressions)
    assert control.lift == {}
    lift = bold.lift["ctr"]
    assert lift.low is not None and lift.low > 0
    assert lift.value == pytest.approx(0.2, abs=0.05)
    assert lift.unadjusted.value == pytest.approx(bold.ctr / control.ctr - 1) if control.ctr and bold.ctr else False
    assert (bold.cvr, bold.revenue_per_viewer, bold.lift["cvr"].value) == (0.0, 0.0, None)
    assert found.sample_ratio is not None
    assert found.sample_ratio.ok
    assert found.confidence == 0.95


def test_before_anybody_came_there_is_nothing_but_the_variants() -> None:
    one = config()
    found = result("x", one, configured_weights(one), [], NOW)
    assert [(variant.viewers, variant.ctr) for variant in found.variants] == [(0, None), (0, None)]
    lift = found.variants[1].lift["ctr"]
    assert (lift.value, lift.low, lift.unadjusted.high, lift.variance_reduction) == (None, None, None, 0.0)
    assert found.sample_ratio is not None
    assert found.sample_ratio.ok


def test_few_viewers_have_a_difference_but_no_interval() -> None:
    one = config()
    sums = [VariantSums("control", viewers(99, 0.2, 1)), VariantSums("bold", viewers(99, 0.4, 2))]
    lift = result("x", one, configured_weights(one), sums, NOW).variants[1].lift["ctr"]
    assert lift.value is not None
    assert (lift.low, lift.high) == (None, None)


def test_uneven_variants_are_told() -> None:
    one = config()
    sums = [VariantSums("control", viewers(1_000, 0.2, 1)), VariantSums("bold", viewers(1_200, 0.2, 2))]
    ratio = result("x", one, configured_weights(one), sums, NOW).sample_ratio
    assert ratio is not None
    assert not ratio.ok


def test_more_variants_make_each_interval_wider_and_gone_ones_are_left_out() -> None:
    sums = [VariantSums(label, viewers(2_000, 0.2, seed)) for seed, label in enumerate(("control", "bold", "third", "gone"))]
    two, three = config(), config(variants={"control": {}, "bold": {}, "third": {}})
    narrow, wide = (result("x", one, configured_weights(one), sums, NOW) for one in (two, three))
    assert [variant.variant for variant in wide.variants] == ["control", "bold", "third"]
    assert wide.confidence == 0.975
    assert (narrow.variants[1].lift["ctr"].low or 0) > (wide.variants[1].lift["ctr"].low or 0)


def test_moved_weights_have_no_sample_ratio_and_wait_for_viewers() -> None:
    one = config(allocation="thompson", variants={"control": {"weight": 3}, "bold": {}, "off": {"weight": 0}})
    few = [VariantSums("control", viewers(99, 0.2, 1)), VariantSums("bold", viewers(500, 0.3, 2))]
    assert next_weights(one, few, seed=1) == configured_weights(one) == {"control": 0.75, "bold": 0.25, "off": 0.0}
    many = [VariantSums("control", viewers(400, 0.2, 1)), VariantSums("bold", viewers(500, 0.3, 2))]
    moved = next_weights(one, many, seed=1)
    assert moved == {"control": 0.05, "bold": 0.95, "off": 0.0}
    found = result("x", one, moved, many, NOW)
    assert found.sample_ratio is None
    assert [variant.weight for variant in found.variants] == [0.05, 0.95, 0.0]
