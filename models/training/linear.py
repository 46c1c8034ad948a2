"""How the small text classifiers are fitted and measured: held-out templates decide, then the weights see everything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GroupKFold

from models.language.comprehension import TextClassifier
from models.language.features import HashedNgrams

FOLDS = 5
_CALIBRATION_BINS = 15


@dataclass(frozen=True, slots=True)
class Sample:
    text: str
    label: str
    group: str  # samples of one group stay in one fold
    weight: float = 1.0
    source: str = "generated"


@dataclass(frozen=True, slots=True)
class Fitted:
    classifier: TextClassifier
    metrics: Mapping[str, float]


def fit(samples: Sequence[Sample], *, bits: int, inverse_regularisation: float, seed: int) -> Fitted:
    """Cross-validate by group, fit the temperature on the held-out logits, then fit the shipped weights on all samples.

    The metrics are of the cross-validation: each sample judged by a model that saw none of its group.
    """
    labels = sorted({sample.label for sample in samples})
    features = HashedNgrams(bits)([sample.text for sample in samples])
    target = np.array([labels.index(sample.label) for sample in samples])
    weights = np.array([sample.weight for sample in samples])
    groups = np.array([sample.group for sample in samples])
    logits = np.zeros((len(samples), len(labels)))
    for train, test in GroupKFold(FOLDS, shuffle=True, random_state=seed).split(features, target, groups):
        coefficients, intercepts = _regressions(features[train], target[train], weights[train], inverse_regularisation)
        logits[test] = features[test] @ coefficients + intercepts
    temperature = _temperature(logits, target)
    sources = np.array([sample.source for sample in samples])
    metrics = {"temperature": temperature, **_metrics(logits / temperature, target, prefix="held_out")}
    for source in sorted(set(sources)) if len(set(sources)) > 1 else []:
        metrics |= _metrics(logits[sources == source] / temperature, target[sources == source], prefix=f"held_out_{source}")
    coefficients, intercepts = _regressions(features, target, weights, inverse_regularisation)
    classifier = TextClassifier(labels, coefficients.astype(np.float32), intercepts.astype(np.float32), temperature)
    return Fitted(classifier, metrics)


def _regressions(
    features: sparse.csr_matrix, target: NDArray[np.int64], weights: NDArray[np.float64], inverse_regularisation: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One regression a label against the rest; coefficients (columns, labels) and intercepts (labels,), joined later by a softmax."""
    model = LogisticRegression(solver="liblinear", C=inverse_regularisation, tol=0.01, max_iter=50)
    fitted = [clone(model).fit(features, target == label, weights) for label in range(int(target.max()) + 1)]
    return np.vstack([one.coef_ for one in fitted]).T, np.concatenate([one.intercept_ for one in fitted])


def _temperature(logits: NDArray[np.float64], target: NDArray[np.int64]) -> float:
    """The T that minimises the log-loss of softmax(logits / T) (Guo et al., 2017)."""

    def loss(log_temperature: float) -> float:
        return float(-log_softmax(logits / np.exp(log_temperature), axis=1)[np.arange(len(target)), target].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded").x))


def _metrics(logits: NDArray[np.float64], target: NDArray[np.int64], *, prefix: str) -> dict[str, float]:
    log_probabilities = log_softmax(logits, axis=1)
    predicted = logits.argmax(axis=1)
    present = sorted(set(target))
    return {
        f"{prefix}_samples": float(len(target)),
        f"{prefix}_accuracy": round(float(accuracy_score(target, predicted)), 4),
        f"{prefix}_macro_f1": round(float(f1_score(target, predicted, average="macro", labels=present)), 4),
        f"{prefix}_log_loss": round(float(-log_probabilities[np.arange(len(target)), target].mean()), 4),
        f"{prefix}_calibration_error": round(_calibration_error(np.exp(log_probabilities.max(axis=1)), predicted == target), 4),
    }


def _calibration_error(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> float:
    """Expected calibration error: the mean over bins of |confidence - accuracy|, weighted by the bins' sizes."""
    bins = np.minimum((confidence * _CALIBRATION_BINS).astype(int), _CALIBRATION_BINS - 1)
    gaps = [abs(float(confidence[bins == b].mean()) - float(correct[bins == b].mean())) * float((bins == b).mean()) for b in set(bins)]
    return float(sum(gaps))
