"""What an online experiment has shown: ratio metrics by viewer, intervals that may be looked at any time, allocation.

The unit is the viewer, so everything starts from one matrix a variant: the sums over its viewers of all products of two measures. It is
enough for every mean, variance and covariance below, and small however many viewers there are. Functions take any leading axes, so that
a thousand simulated experiments are one call.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

Floats = NDArray[np.float64]

MEASURES = (  # of one viewer: `viewers` is 1; the `before` ones are from before the viewer's exposure
    "viewers",
    "impressions",
    "clicks",
    "purchases",
    "revenue",
    "impressions_before",
    "clicks_before",
    "purchases_before",
    "revenue_before",
)
RATIOS: Mapping[str, tuple[str, str]] = {  # metric -> what is divided by what
    "ctr": ("clicks", "impressions"),
    "cvr": ("purchases", "clicks"),
    "revenue_per_viewer": ("revenue", "viewers"),
}
RATES = frozenset({"ctr", "cvr"})  # shares of trials; the rest are amounts
ALPHA = 0.05
SUSPECT_P = 0.001  # below: the sizes of the variants are not what the weights make by chance (Fabijan et al. 2019)
LEAST_VIEWERS = 100  # of a variant, before asymptotic intervals are told
_DRAWS = 20_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric of one variant, or of as many as its arrays have entries; NaN where there is nothing to divide by."""

    value: Floats
    variance: Floats  # of the value, not of a viewer
    viewers: Floats
    trials: Floats  # the denominator's sum: impressions, clicks, or viewers


@dataclass(frozen=True, slots=True)
class Lift:
    """Relative difference to the control, and an interval that covers it; NaN where a value is not above 0."""

    value: Floats
    low: Floats
    high: Floats


def products_of(viewers: Floats) -> Floats:
    """Measures of single viewers, float64 (..., n, len(MEASURES)) -> their summed products (..., len(MEASURES), len(MEASURES))."""
    return np.asarray(np.swapaxes(viewers, -1, -2) @ viewers)


def estimate(products: Floats, metric: str) -> Estimate:
    """A ratio of sums R = sum(y) / sum(x) over viewers, with its variance by the delta method (Deng, Knoblich, Lu 2018).

    Var(R) = Var(y - R x) / (n mean(x)^2): events of one viewer are not independent, viewers are.

    >>> clicks, impressions = np.array([1.0, 0.0, 2.0]), np.array([10.0, 10.0, 20.0])
    >>> rows = np.zeros((3, len(MEASURES)))
    >>> rows[:, 0], rows[:, 1], rows[:, 2] = 1.0, impressions, clicks
    >>> found = estimate(products_of(rows), "ctr")
    >>> float(found.value), round(float(found.variance), 6)
    (0.075, 0.00082)
    >>> round(float(np.var(clicks - 0.075 * impressions, ddof=1) / 3 / np.mean(impressions) ** 2), 6)
    0.00082
    """
    means, covariances = _moments(_of(products, metric))
    influence, value = _influence(means, 1, 2)
    viewers = products[..., 0, 0]
    return Estimate(value, _quadratic(influence, covariances, influence) / viewers, viewers, means[..., 2] * viewers)


def adjusted(arms: Sequence[Floats], metric: str) -> tuple[list[Estimate], Floats]:
    """The metric of each variant with what its viewers did before exposure taken out (CUPED; Deng, Xu, Kohavi, Walker 2013).

    R' = R - theta mean(c), where c is the linearised metric before exposure, centred over all variants, and
    theta = Cov(linearised metric, c) / Var(c), pooled within variants. Also answers the share of variance that went: the squared
    correlation of the two. Without anything before exposure the metric stays as it is.

    >>> rng = np.random.default_rng(1)
    >>> rows = np.zeros((2, 500, len(MEASURES)))
    >>> habit = rng.gamma(2.0, 10.0, (2, 500))
    >>> rows[..., 0], rows[..., 4], rows[..., 8] = 1.0, habit + rng.normal(0, 5, (2, 500)), habit + rng.normal(0, 5, (2, 500))
    >>> arms = list(products_of(rows))
    >>> found, reduction = adjusted(arms, "revenue_per_viewer")
    >>> bool(found[0].variance < 0.5 * estimate(arms[0], "revenue_per_viewer").variance), round(float(reduction), 1)
    (True, 0.8)
    """
    chosen = [_of(products, metric) for products in arms]
    covariate, _ = _influence(_moments(np.sum(chosen, axis=0))[0], 3, 4)
    covariate = np.where(np.isfinite(covariate), covariate, 0.0)
    plain = [estimate(products, metric) for products in arms]
    parts = [_arm_parts(products, covariate) for products in chosen]
    shared, before, after = (
        np.sum([one.viewers * part[name] for one, part in zip(plain, parts, strict=True)], axis=0) for name in ("shared", "before", "after")
    )
    theta = _divided(shared, before, otherwise=0.0)
    found = [
        Estimate(
            one.value - theta * part["mean"],
            (part["after"] + theta**2 * part["before"] - 2 * theta * part["shared"]) / one.viewers,
            one.viewers,
            one.trials,
        )
        for one, part in zip(plain, parts, strict=True)
    ]
    return found, _divided(theta * shared, after, otherwise=0.0)


def always_valid(viewers: ArrayLike, planned_viewers: float, alpha: float = ALPHA) -> Floats:
    """Standard errors on either side of an interval that holds at all times at once, however often it is looked at.

    The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2021), in standard errors:
    sqrt((1 + 1/u) log((u + 1) / alpha^2)), u = viewers rho^2. rho makes it tightest at `planned_viewers`, to be chosen beforehand.

    >>> [round(float(always_valid(n, 10_000)), 2) for n in (1_000, 10_000, 100_000)]
    [3.82, 3.04, 3.25]
    """
    tightest = -special.lambertw(-(alpha**2) / np.e, k=-1).real - 1.0
    u = np.asarray(viewers, dtype=np.float64) * (tightest / planned_viewers)
    with np.errstate(divide="ignore"):
        return np.asarray(np.sqrt((1.0 + 1.0 / u) * np.log((u + 1.0) / alpha**2)))


def fixed_horizon(alpha: float = ALPHA) -> float:
    """As `always_valid`, for an interval that is looked at once, at a time chosen beforehand.

    >>> round(fixed_horizon(), 2)
    1.96
    """
    return float(stats.norm.isf(alpha / 2))


def lift(control: Estimate, treatment: Estimate, standard_errors: ArrayLike) -> Lift:
    """Relative difference of two variants with an interval of so many standard errors of the log ratio (delta method).

    >>> one, two = (Estimate(*map(np.float64, (value, 1e-6, 1_000, 50_000))) for value in (0.05, 0.055))
    >>> found = lift(one, two, fixed_horizon())
    >>> round(float(found.value), 3), round(float(found.low), 3), round(float(found.high), 3)
    (0.1, 0.043, 0.16)
    """
    errors = np.sqrt(_log_variance(control) + _log_variance(treatment))
    return _lift(control, treatment, np.asarray(standard_errors) * errors)


def adaptive_lift(control: Estimate, treatment: Estimate, planned_viewers: float, alpha: float = ALPHA) -> Lift:
    """As `lift` where earlier results have moved the weights: each variant's own sequence at half of `alpha`, added up (union bound)."""
    sides = [always_valid(one.viewers, planned_viewers / 2, alpha / 2) * np.sqrt(_log_variance(one)) for one in (control, treatment)]
    return _lift(control, treatment, sides[0] + sides[1])


def sample_ratio_p(counts: ArrayLike, weights: ArrayLike) -> float:
    """How likely viewers fall so unevenly if they are dealt out by the weights (Pearson's chi-square); 1.0 before the first viewer.

    >>> sample_ratio_p([5_200, 4_800], [1, 1]) < SUSPECT_P, sample_ratio_p([5_030, 4_970], [1, 1]) < SUSPECT_P
    (True, False)
    """
    seen, share = np.asarray(counts, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    seen, share = seen[share > 0], share[share > 0]
    if seen.sum() == 0 or len(seen) < 2:
        return 1.0
    return float(stats.chisquare(seen, seen.sum() * share / share.sum()).pvalue)


def thompson_weights(arms: Sequence[Estimate], metric: str, *, seed: int, least: float = 0.0) -> list[float]:
    """The share of posterior draws in which each variant is the best (Thompson 1933; Russo et al. 2018), none below `least`.

    A rate is Beta(1 + s, 1 + t - s) with the trials t cut to their effective number, value (1 - value) / variance, because the trials
    of one viewer are alike; an amount is normal around its mean. The same seed and data give the same weights everywhere.

    >>> arms = [Estimate(*map(np.float64, (value, value * (1 - value) / 20_000, 1_000, 20_000))) for value in (0.05, 0.06)]
    >>> thompson_weights(arms, "ctr", seed=7, least=0.1)
    [0.1, 0.9]
    """
    rng = np.random.default_rng(seed)
    draws = np.stack([_posterior(one, metric, rng) for one in arms])
    best = np.bincount(draws.argmax(axis=0), minlength=len(arms)) / _DRAWS
    return [round(float(weight), 6) for weight in least + (1.0 - least * len(arms)) * best]


def _posterior(one: Estimate, metric: str, rng: np.random.Generator) -> Floats:
    if metric not in RATES:
        spread = float(np.sqrt(np.maximum(np.nan_to_num(one.variance), 0.0)))
        return rng.normal(float(np.nan_to_num(one.value)), spread, _DRAWS)
    value = float(np.clip(np.nan_to_num(one.value), 0.0, 1.0))
    trials = float(one.trials)
    if one.variance > 0 and 0 < value < 1:
        trials = min(trials, value * (1 - value) / float(one.variance))
    return rng.beta(1.0 + value * trials, 1.0 + (1.0 - value) * trials, _DRAWS)


def _of(products: Floats, metric: str) -> Floats:
    """The products of (1, y, x, y before, x before), float64 (..., 5, 5)."""
    names = ["viewers", *RATIOS[metric], *(name if name == "viewers" else f"{name}_before" for name in RATIOS[metric])]
    places = [MEASURES.index(name) for name in names]
    return np.asarray(products, dtype=np.float64)[..., places, :][..., places]


def _moments(products: Floats) -> tuple[Floats, Floats]:
    """Means (..., 5) and unbiased covariances (..., 5, 5) of viewers; NaN with fewer than two of them."""
    viewers = products[..., 0, 0]
    means = _divided(products[..., 0, :], viewers[..., None])
    spread = _divided(products, viewers[..., None, None]) - means[..., :, None] * means[..., None, :]
    return means, spread * _divided(viewers, viewers - 1.0)[..., None, None]


def _influence(means: Floats, top: int, bottom: int) -> tuple[Floats, Floats]:
    """The linear form of a viewer's row whose mean moves as the ratio does, float64 (..., 5), and the ratio."""
    value = _divided(means[..., top], means[..., bottom])
    form = np.zeros_like(means)
    form[..., top] = _divided(np.ones_like(value), means[..., bottom])
    form[..., bottom] -= _divided(value, means[..., bottom])
    return form, value


def _arm_parts(products: Floats, covariate: Floats) -> dict[str, Floats]:
    means, covariances = _moments(products)
    influence, _ = _influence(means, 1, 2)
    return {
        "mean": (covariate * means).sum(axis=-1),
        "shared": _quadratic(influence, covariances, covariate),
        "before": _quadratic(covariate, covariances, covariate),
        "after": _quadratic(influence, covariances, influence),
    }


def _quadratic(left: Floats, matrix: Floats, right: Floats) -> Floats:
    return np.asarray(np.einsum("...i,...ij,...j->...", left, matrix, right))


def _divided(top: Floats, bottom: Floats, *, otherwise: float = np.nan) -> Floats:
    top, bottom = np.broadcast_arrays(top, bottom)
    return np.asarray(np.divide(top, bottom, out=np.full(top.shape, otherwise), where=bottom > 0))


def _log_variance(one: Estimate) -> Floats:
    return _divided(one.variance, np.square(one.value))


def _lift(control: Estimate, treatment: Estimate, radius: Floats) -> Lift:
    is_positive = (control.value > 0) & (treatment.value > 0)
    ratio = np.where(is_positive, _divided(treatment.value, control.value), np.nan)
    return Lift(ratio - 1.0, ratio * np.exp(-radius) - 1.0, ratio * np.exp(radius) - 1.0)
