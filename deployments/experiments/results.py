"""What an experiment has shown so far, from the sums that the store makes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from deployments.settings import ExperimentConfig
from deployments.store import VariantSums
from models.evaluation.experiments import (
    ALPHA,
    LEAST_VIEWERS,
    MEASURES,
    RATIOS,
    SUSPECT_P,
    Estimate,
    Floats,
    Lift,
    adaptive_lift,
    adjusted,
    always_valid,
    estimate,
    lift,
    sample_ratio_p,
    thompson_weights,
)

LEAST_WEIGHT = 0.05  # of a variant under Thompson sampling: what is never tried is never learnt


@dataclass(frozen=True, slots=True)
class Interval:
    """A relative difference to the control, with bounds that hold at all times at once; None while too little is known."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class MetricLift(Interval):
    """Adjusted by what viewers did before their exposure (CUPED)."""

    unadjusted: Interval
    variance_reduction: float  # share of the variance that the adjustment took away


@dataclass(frozen=True, slots=True)
class VariantResult:
    variant: str
    is_control: bool
    weight: float  # share of the viewers who come now
    viewers: int  # exposed
    impressions: int  # these and the following since each viewer's exposure
    clicks: int
    purchases: int
    revenue: float
    ctr: float | None  # clicks / impressions
    cvr: float | None  # purchases / clicks
    revenue_per_viewer: float | None
    lift: Mapping[str, MetricLift]  # by metric; empty for the control


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Whether viewers came as the weights would have them; an experiment in which they did not proves nothing."""

    p: float
    ok: bool


@dataclass(frozen=True, slots=True)
class ExperimentResult:
    name: str
    graph: str
    enabled: bool
    allocation: Literal["fixed", "thompson"]
    metric: Literal["ctr", "cvr", "revenue_per_viewer"]
    traffic: float
    confidence: float  # of each interval
    variants: tuple[VariantResult, ...]
    sample_ratio: SampleRatio | None  # None where results move the weights
    computed_at: datetime


def result(
    name: str, config: ExperimentConfig, weights: Mapping[str, float], sums: Sequence[VariantSums], computed_at: datetime
) -> ExperimentResult:
    """All that is told of an experiment. Variants that the settings no longer have are left out."""
    arms = arms_of(config, sums)
    alpha = ALPHA / (len(arms) - 1)  # Bonferroni: each variant is compared with the control
    lifts: dict[str, dict[str, MetricLift]] = {label: {} for label in arms}
    for metric in RATIOS:
        for label, found in _lifts(arms, metric, config, alpha).items():
            lifts[label][metric] = found
    control = next(iter(arms))
    variants = tuple(_variant(label, arms[label], weights[label], label == control, lifts[label]) for label in arms)
    ratio = _sample_ratio(variants, weights) if config.allocation == "fixed" else None
    return ExperimentResult(
        name=name,
        graph=config.graph,
        enabled=config.enabled,
        allocation=config.allocation,
        metric=config.metric,
        traffic=config.traffic,
        confidence=1.0 - alpha,
        variants=variants,
        sample_ratio=ratio,
        computed_at=computed_at,
    )


def configured_weights(config: ExperimentConfig) -> dict[str, float]:
    """The settings' weights as shares."""
    total = sum(variant.weight for variant in config.variants.values())
    return {label: variant.weight / total for label, variant in config.variants.items()}


def next_weights(config: ExperimentConfig, sums: Sequence[VariantSums], *, seed: int) -> dict[str, float]:
    """Weights by Thompson sampling; the settings' own until each variant that has a weight has been seen by enough viewers."""
    weights = configured_weights(config)
    arms = {label: products for label, products in arms_of(config, sums).items() if weights[label] > 0}
    if len(arms) < 2 or min(products[0, 0] for products in arms.values()) < LEAST_VIEWERS:
        return weights
    found = thompson_weights(
        [estimate(products, config.metric) for products in arms.values()], config.metric, seed=seed, least=LEAST_WEIGHT
    )
    return {**dict.fromkeys(weights, 0.0), **dict(zip(arms, found, strict=True))}


def arms_of(config: ExperimentConfig, sums: Sequence[VariantSums]) -> dict[str, Floats]:
    """The summed products of each variant of the settings, in their order; zeros for one that nobody was exposed to."""
    found = {one.variant: one.products for one in sums}
    return {label: found.get(label, np.zeros((len(MEASURES), len(MEASURES)))) for label in config.variants}


def _lifts(arms: Mapping[str, Floats], metric: str, config: ExperimentConfig, alpha: float) -> dict[str, MetricLift]:
    plain = [estimate(products, metric) for products in arms.values()]
    others, reduction = adjusted(list(arms.values()), metric)

    def compared(one: Estimate, other: Estimate) -> Interval:
        if config.allocation == "thompson":
            found = adaptive_lift(one, other, config.planned_viewers, alpha)
        else:
            found = lift(one, other, always_valid(one.viewers + other.viewers, config.planned_viewers, alpha))
        return _interval(found, is_early=bool(np.minimum(one.viewers, other.viewers) < LEAST_VIEWERS))

    lifts: dict[str, MetricLift] = {}
    for place, label in list(enumerate(arms))[1:]:
        best, first = compared(others[0], others[place]), compared(plain[0], plain[place])
        lifts[label] = MetricLift(best.value, best.low, best.high, first, float(reduction))
    return lifts


def _interval(found: Lift, *, is_early: bool) -> Interval:
    low, high = (None, None) if is_early else (_number(found.low), _number(found.high))
    return Interval(_number(found.value), low, high)


def _number(value: Floats) -> float | None:
    return float(value) if math.isfinite(value) else None


def _variant(label: str, products: Floats, weight: float, is_control: bool, lifts: Mapping[str, MetricLift]) -> VariantResult:
    total = dict(zip(MEASURES, products[0], strict=True))
    values = {metric: _number(estimate(products, metric).value) for metric in RATIOS}
    return VariantResult(
        variant=label,
        is_control=is_control,
        weight=weight,
        viewers=round(total["viewers"]),
        impressions=round(total["impressions"]),
        clicks=round(total["clicks"]),
        purchases=round(total["purchases"]),
        revenue=float(total["revenue"]),
        ctr=values["ctr"],
        cvr=values["cvr"],
        revenue_per_viewer=values["revenue_per_viewer"],
        lift=lifts,
    )


def _sample_ratio(variants: Sequence[VariantResult], weights: Mapping[str, float]) -> SampleRatio:
    p = sample_ratio_p([one.viewers for one in variants], [weights[one.variant] for one in variants])
    return SampleRatio(p, p >= SUSPECT_P)
