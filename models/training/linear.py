"""How the small text classifiers are fitted and measured: texts that are held out decide, then the weights see everything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit, softmax
from sklearn.svm import LinearSVC

from models.evaluation.classification import classification_scores
from models.language.comment_ngrams import CommentNgrams, frequent_columns
from models.language.comprehension import TextClassifier
from models.types import ModelInputError

FOLDS = 5
_ABSENT = -1.0  # the score of a label that a fold's other rows do not have: beyond the margin
_LEAST_GROUPS = 2  # of a label that can be both learnt and tested

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    text: str
    label: str
    group: str  # samples of one group stay in one fold
    weight: float = 1.0
    source: str = "generated"
    tested: bool = True  # False: learnt from in every fold, such as the description of a label


@dataclass(frozen=True, slots=True)
class Plan:
    """The defaults are those that cross-validation on noisy buyers' messages in 118 classes favoured; see docs/intent.md."""

    inverse_regularisation: float = 0.3
    balance: float = 0.25  # a label's samples weigh (their number / the mean number) ** -balance
    longest: int = 2  # n-gram
    least_texts: int = 2  # that hold an n-gram which gets a weight
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Fitted:
    classifier: TextClassifier
    metrics: Mapping[str, float]
    held_out: Floats  # (samples, labels): what the models that had not seen a sample's group say; the truth where it is not tested


@dataclass(frozen=True, slots=True)
class _Rows:
    features: sparse.csr_matrix
    target: NDArray[np.int64]
    weights: Floats

    def __getitem__(self, chosen: NDArray[np.bool_]) -> "_Rows":
        return _Rows(self.features[chosen], self.target[chosen], self.weights[chosen])


def fit(samples: Sequence[Sample], plan: Plan) -> Fitted:
    """Cross-validate by group, calibrate on the held-out scores, then fit the weights on all samples.

    The metrics are of the cross-validation: each sample judged by a model that saw none of its group. Raises ModelInputError when
    there are not two labels that have samples in two groups each, or no n-gram is frequent enough.
    """
    _check(samples)
    labels = sorted({sample.label for sample in samples})
    texts = [sample.text for sample in samples]
    columns = frequent_columns(texts, longest=plan.longest, least_texts=plan.least_texts)
    if not len(columns):
        raise ModelInputError(
            f"the {len(samples)} sentences have nothing in common to learn from: no run of characters stands in {plan.least_texts} of "
            "them; ten or more sentences of each label are needed"
        )
    target = np.array([labels.index(sample.label) for sample in samples])
    rows = _Rows(CommentNgrams(columns)(texts), target, _weights(samples, target, plan.balance))
    scores = _held_out_scores(rows, _folds(samples, plan.seed), len(labels), plan)
    tested = np.array([sample.tested for sample in samples])
    temperature, arbitrary = _calibration(scores[tested], target[tested])
    held_out = np.where(tested[:, None], _probabilities(scores, temperature, arbitrary), np.eye(len(labels))[target])
    weights, bias = (part.astype(np.float32) for part in _machines(rows, len(labels), plan))
    classifier = TextClassifier(labels, columns, weights, bias, temperature=temperature, arbitrary=arbitrary)
    calibrated = {"temperature": temperature, "arbitrary_share": arbitrary}
    return Fitted(classifier, {**calibrated, **_metrics(samples, labels, held_out)}, held_out)


def _check(samples: Sequence[Sample]) -> None:
    groups: dict[str, set[str]] = {}
    for sample in samples:
        if sample.tested:
            groups.setdefault(sample.label, set()).add(sample.group)
    if sum(len(each) >= _LEAST_GROUPS for each in groups.values()) < 2:
        found = ", ".join(f"{label}: {len(each)}" for label, each in sorted(groups.items())[:5]) or "none"
        raise ModelInputError(
            f"too few rows to learn from: two labels with at least {_LEAST_GROUPS} different sentences each are needed, and ten of each "
            f"to be worth anything; found {len(samples)} rows, of different sentences {found}"
        )


def _weights(samples: Sequence[Sample], target: NDArray[np.int64], balance: float) -> Floats:
    counts = np.bincount(target)
    own = np.array([sample.weight for sample in samples])
    return np.asarray(own * (counts / counts.mean())[target] ** -balance)


def _folds(samples: Sequence[Sample], seed: int) -> NDArray[np.int64]:
    """(samples,): the fold that each is tested in, -1 for none; a label's groups are dealt out in turn."""
    label_of = {sample.group: sample.label for sample in samples if sample.tested}
    groups = sorted(label_of)
    shuffled = np.random.default_rng(seed).permutation(len(groups))
    dealt = sorted(shuffled, key=lambda index: label_of[groups[index]])
    fold_of = {groups[index]: place % FOLDS for place, index in enumerate(dealt)}
    return np.array([fold_of[sample.group] if sample.tested else -1 for sample in samples])


def _held_out_scores(rows: _Rows, folds: NDArray[np.int64], labels: int, plan: Plan) -> Floats:
    """One fold after the other: liblinear's random numbers are the process's, threads would mix them up."""
    scores = np.zeros((len(folds), labels))
    for fold in range(FOLDS):
        weights, bias = _machines(rows[folds != fold], labels, plan)
        scores[folds == fold] = rows.features[folds == fold] @ weights + bias
    return scores


def _machines(rows: _Rows, labels: int, plan: Plan) -> tuple[Floats, Floats]:
    """A linear support vector machine for each label against the rest: weights (columns, labels) and bias (labels,)."""
    present = np.unique(rows.target)
    weights, bias = np.zeros((rows.features.shape[1], labels)), np.full(labels, _ABSENT)
    if len(present) == 1:
        bias[present] = 1.0
        return weights, bias
    machine = LinearSVC(C=plan.inverse_regularisation, tol=0.01, random_state=plan.seed).fit(rows.features, rows.target, rows.weights)
    one_sided = len(present) == 2  # then scikit-learn has only the machine of the second label
    weights[:, present] = (np.vstack([-machine.coef_, machine.coef_]) if one_sided else machine.coef_).T
    bias[present] = np.concatenate([-machine.intercept_, machine.intercept_]) if one_sided else machine.intercept_
    return weights, bias


def _calibration(scores: Floats, target: NDArray[np.int64]) -> tuple[float, float]:
    """The temperature and the arbitrary share that minimise the log loss (Guo et al., 2017, beside a share of uniform noise)."""

    def loss(point: Floats) -> float:
        given = _probabilities(scores, float(np.exp(point[0])), float(expit(point[1])))[np.arange(len(target)), target]
        return float(-np.log(given.clip(min=1e-12)).mean())

    best = minimize(loss, x0=(-1.0, -3.0), method="Nelder-Mead", options={"xatol": 0.01, "fatol": 1e-5}, bounds=((-5, 3), (-12, 3))).x
    return float(np.exp(best[0])), float(expit(best[1]))


def _probabilities(scores: Floats, temperature: float, arbitrary: float) -> Floats:
    return np.asarray((1 - arbitrary) * softmax(scores / temperature, axis=1) + arbitrary / scores.shape[1])


def _metrics(samples: Sequence[Sample], labels: Sequence[str], held_out: Floats) -> dict[str, float]:
    """Of all tested samples and, where there are several, of each source."""
    tested = [index for index, sample in enumerate(samples) if sample.tested]
    sources = sorted({samples[index].source for index in tested})
    parts = {"held_out": tested}
    if len(sources) > 1:
        parts |= {f"held_out_{source}": [index for index in tested if samples[index].source == source] for source in sources}
    metrics: dict[str, float] = {}
    for name, chosen in parts.items():
        scores = classification_scores(labels, held_out[chosen], [samples[index].label for index in chosen])
        metrics |= {f"{name}_samples": float(len(chosen)), **{f"{name}_{score}": round(value, 4) for score, value in scores.items()}}
    return metrics
