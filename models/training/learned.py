"""Learned sources of candidates: trained where the log suits them, judged beside the simple ones, served where they win."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import get_args

import numpy as np

from models.evaluation.candidates import SIMPLE, Case, scores_by_source
from models.interactions.event_log import NONE, Histories
from models.interactions.events import interest_at
from models.interactions.log import Interactions
from models.recommend.als_source import AlsSource
from models.recommend.factorised import AlsPlan, AlsScorer
from models.recommend.learned import LearnedSource, LearnedSources
from models.recommend.sequence_source import SequenceSource
from models.recommend.sources import Sources
from models.training.sequence import LARGEST, SequencePlan, SequenceScorer
from models.training.verdict import STANDARD_ERRORS, gain_of
from models.types import LearnedKind, ModelInputError, Product, ProductId

LEAST_INTERACTIONS = 5_000
MOST_BY_DEFAULT = 50_000  # products: at 100,000 each learned source costs a request more than a millisecond of a core


@dataclass(frozen=True, slots=True)
class LearnedPlan:
    """`kinds`: None takes those that the log suits by its size. `run`: where checkpoints of the sequence model are kept, and resumed."""

    kinds: tuple[LearnedKind, ...] | None = None
    sequence: SequencePlan = field(default_factory=SequencePlan)
    ials: AlsPlan = field(default_factory=lambda: AlsPlan(factors=64))
    run: Path | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """nDCG@10 of a learned source and of the best simple one, on what viewers acted on within an hour; means over viewers."""

    serves: bool
    ndcg_at_10: float
    best_simple: str
    best_simple_ndcg_at_10: float
    gain: float  # mean of the viewers' differences
    gain_error: float  # standard error of it
    viewers: int
    why: str


def named_sources(names: str) -> tuple[LearnedKind, ...] | None:
    """Of comma-separated names; `auto` is None, `none` is none of them. Raises ModelInputError for another name."""
    if names.strip() in {"auto", "none"}:
        return None if names.strip() == "auto" else ()
    wanted = {name.strip() for name in names.split(",")}
    known = get_args(LearnedKind)
    if not wanted <= set(known):
        raise ModelInputError(f"there is no learned source {', '.join(sorted(wanted - set(known)))}; {', '.join(known)} are known")
    return tuple(kind for kind in known if kind in wanted)


def fit_learned(histories: Histories, products: Sequence[Product], until: datetime, plan: LearnedPlan, seed: int) -> LearnedSources:
    """The sources of the plan that the events before `until` suit."""
    found = interactions_before(histories, products, until)
    return LearnedSources(_fitted(found, plan, seed)) if found is not None else LearnedSources()


def _fitted(log: Interactions, plan: LearnedPlan, seed: int) -> Iterator[LearnedSource]:
    ids = [ProductId(item) for item in log.items]
    by_size = get_args(LearnedKind) if len(log) >= LEAST_INTERACTIONS and len(ids) <= MOST_BY_DEFAULT else ()
    wanted = by_size if plan.kinds is None else plan.kinds
    if "sequence" in wanted and len(log.items) <= LARGEST:
        sequence = SequenceScorer(plan.sequence, run=plan.run)
        sequence.fit(log)
        yield SequenceSource(sequence.network, ids)
    if "ials" in wanted:
        ials = AlsScorer(plan.ials, seed=seed)
        ials.fit(log)
        yield AlsSource(ials.factors, ids, regularization=plan.ials.regularization, alpha=plan.ials.alpha)


def interactions_before(histories: Histories, products: Sequence[Product], until: datetime) -> Interactions | None:
    """Interest shown before `until`, as the sources learn from it; None where there is none. Products nobody touched are not in it."""
    known = {product.product_id for product in products}
    wanted = np.array([not known or product_id in known for product_id in histories.log.products], dtype=np.bool_)
    earlier = histories.order[histories.order < histories.log.place_of(until)]
    product = histories.log.columns.product[earlier]
    touched = product != NONE
    touched[touched] = wanted[product[touched]]
    return interest_at(histories.log, np.sort(earlier[touched]))


def judged(sources: Sources, cases: Sequence[Case]) -> dict[LearnedKind, Verdict]:
    """Of each learned source whether it proposes better than every simple one, by more than chance."""
    kinds = sources.learned.kinds
    if not kinds or not cases:
        return {}
    scores = scores_by_source(sources, cases)
    best = max(SIMPLE, key=lambda name: float(scores[name].mean()))
    return {kind: _verdict(scores, kind, best) for kind in kinds}


def _verdict(scores: Mapping[str, np.ndarray[tuple[int], np.dtype[np.float64]]], kind: LearnedKind, best: str) -> Verdict:
    gain, error = gain_of(scores[kind] - scores[best])
    own, other, viewers = float(scores[kind].mean()), float(scores[best].mean()), len(scores[kind])
    serves = bool(gain > STANDARD_ERRORS * error)
    compared = f"nDCG@10 {own:.4f} against {other:.4f} of {best}, {gain:+.4f} ± {error:.4f} over {viewers} viewers"
    reason = "better by more than chance" if serves else "not better by more than chance, so it does not serve"
    return Verdict(serves, own, best, other, gain, error, viewers, f"{compared}: {reason}")
