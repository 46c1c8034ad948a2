"""Recommenders side by side on one log: full ranking, split by time."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.evaluation.peak_memory import peak_memory
from models.evaluation.protocols import Case, Split
from models.evaluation.ranking_metrics import NAMES, Values, metrics_of, popularity_percentiles
from models.interactions.log import InteractionsError
from models.recommend.content import AttributeScorer
from models.recommend.factorised import AlsScorer, BprScorer
from models.recommend.neighbours import EaseScorer, ItemKnnScorer, PopularScorer
from models.recommend.scoring import Described, Scorer, UnsuitableLogError, proposed
from models.training.blend import BlendScorer
from models.training.learned import LearnedPlan
from models.training.pipeline import PipelineScorer, Shop
from models.training.recommender import TrainOptions
from models.training.sequence import SequencePlan, SequenceScorer

_SCORES_AT_ONCE = 25_000_000  # floats: 100 MB


@dataclass(frozen=True, slots=True)
class Options:
    """What the models may be told."""

    seed: int = 7
    sequence_minutes: float = 15.0
    sequence_epochs: int = 10
    run: Path | None = None  # for checkpoints of the sequence model
    shop: Shop | None = None  # what `ranked`, the pipeline that serves, looks at besides interactions


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every model."""

    split: Split
    k: int = 10
    cold: int = 5  # histories of at most so many items make the cold slice


def _ranked(options: Options) -> Scorer:
    if options.shop is None:
        raise ValueError("`ranked` needs the shop: what its products are and how their texts are read")
    learned = LearnedPlan(sequence=_plan(options), run=options.run)
    return PipelineScorer(options.shop, seed=options.seed, options=TrainOptions(learned=learned))


def _blend(options: Options) -> Scorer:
    sources: dict[str, Scorer] = {
        "itemknn": ItemKnnScorer(),
        "ials": AlsScorer(seed=options.seed),
        "popular": PopularScorer(),
        "attributes": AttributeScorer(),
    }
    return BlendScorer(sources, seed=options.seed)


def _plan(options: Options) -> SequencePlan:
    return SequencePlan(epochs=options.sequence_epochs, max_minutes=options.sequence_minutes, seed=options.seed)


def _sequence(options: Options) -> Scorer:
    return SequenceScorer(_plan(options), run=options.run)


MODELS: Mapping[str, Callable[[Options], Scorer]] = {
    "popular": lambda _: PopularScorer(),
    "attributes": lambda _: AttributeScorer(),
    "itemknn": lambda _: ItemKnnScorer(),
    "ease": lambda _: EaseScorer(),
    "ials": lambda options: AlsScorer(seed=options.seed),
    "bpr": lambda options: BprScorer(seed=options.seed),
    "sequence": _sequence,
    "blend": _blend,
    "ranked": _ranked,
}


def named(names: Sequence[str]) -> list[str]:
    """The names of MODELS, each once. Raises InteractionsError for one that is not there."""
    unknown = [name for name in names if name not in MODELS]
    if unknown or not names:
        raise InteractionsError(f"there is no model {', '.join(map(repr, unknown)) or 'named'}; {', '.join(MODELS)} are known")
    return list(dict.fromkeys(names))


def compared(question: Question, scorers: Mapping[str, Scorer]) -> Iterator[dict[str, object]]:
    """One row a model: the metrics of NAMES at k, coverage, popularity bias, the cold slice, seconds and memory; or why it was skipped."""
    for name, scorer in scorers.items():
        try:
            yield {"model": name, **_measured(question, scorer)}
        except UnsuitableLogError as error:
            yield {"model": name, "skipped": str(error)}


def _measured(question: Question, scorer: Scorer) -> dict[str, object]:
    train, cases = question.split.train, question.split.cases
    with peak_memory() as peak:
        began, cpu = time.perf_counter(), time.process_time()
        scorer.fit(train)
        fitted, cpu = time.perf_counter(), time.process_time() - cpu
        found = _Found(question)
        at_once = max(1, _SCORES_AT_ONCE // len(train.items))
        predict_s = sum(found.take(scorer, cases[first : first + at_once]) for first in range(0, len(cases), at_once))
    return {
        **found.report(),
        **({"made_of": scorer.described()} if isinstance(scorer, Described) else {}),
        "fit_s": round(fitted - began, 2),
        "fit_cpu_s": round(cpu, 2),
        "predict_s": round(predict_s, 2),
        "peak_mib": None if peak.mib is None else round(peak.mib),
    }


class _Found:
    """Collects what one model answers, block by block."""

    def __init__(self, question: Question) -> None:
        self._question = question
        train = question.split.train
        pairs = np.unique(train.user.astype(np.int64) * len(train.items) + train.item)
        self._percentiles = popularity_percentiles(np.bincount(pairs % len(train.items), minlength=len(train.items)))
        self._metrics = list[Values]()
        self._proposed = list[NDArray[np.int64]]()

    def take(self, scorer: Scorer, cases: Sequence[Case]) -> float:
        """Returns the seconds that scoring and choosing the best took."""
        began = time.perf_counter()
        masked = [case.history.items for case in cases]
        scores = scorer.scores([case.history for case in cases])
        self._proposed.append(proposed(scores, masked, self._question.k))
        took_s = time.perf_counter() - began
        self._metrics.append(metrics_of(scores, masked, [case.targets for case in cases], self._question.k))
        return took_s

    def report(self) -> dict[str, object]:
        metrics = np.concatenate(self._metrics)
        proposed = np.concatenate(self._proposed)
        chosen = proposed[proposed >= 0]
        past = np.array([len(set(case.history.items.tolist())) for case in self._question.split.cases])
        cold = metrics[past <= self._question.cold]
        return {
            **_means(metrics),
            "coverage": round(len(np.unique(chosen)) / len(self._percentiles), 4),
            "popularity_percentile": round(float(self._percentiles[chosen].mean()), 4) if len(chosen) else None,
            "cold": {"users": len(cold), **_means(cold)},
        }


def _means(metrics: Values) -> dict[str, float | None]:
    """Of no users nothing is known."""
    if not len(metrics):
        return dict.fromkeys(NAMES)
    return {name: round(float(value), 4) for name, value in zip(NAMES, metrics.mean(axis=0), strict=True)}
