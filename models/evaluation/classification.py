"""What a classifier's probabilities are worth against labels that people gave."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

_BINS = 15
_FLOOR = 1e-6  # of a probability in the log loss


def classification_scores(labels: Sequence[str], probabilities: NDArray[np.floating], truth: Sequence[str]) -> dict[str, float]:
    """`probabilities`: (n, len(labels)), rows sum to 1; `truth`: n labels, n > 0. A true label that is not in `labels` is a miss.

    `macro_f1` is the mean over the labels that are true or predicted anywhere; `log_loss` leaves out rows of unknown labels;
    `calibration_error` is the expected one: over 15 bins of confidence the mean of |confidence - accuracy|, weighted by their sizes.
    """
    known = {label: index for index, label in enumerate(labels)}
    target = np.array([known.get(label, -1) for label in truth])
    order = np.argsort(-probabilities, axis=1, kind="stable")
    hit = order[:, 0] == target
    answerable = target >= 0
    given = probabilities[answerable, target[answerable]]
    scores = {
        "accuracy": float(hit.mean()),
        "macro_f1": float(f1_score(list(truth), [labels[i] for i in order[:, 0]], average="macro", zero_division=0)),
        "top3": float((order[:, :3] == target[:, None]).any(axis=1).mean()),
        "calibration_error": _calibration_error(probabilities.max(axis=1), hit),
    }
    return scores | ({"log_loss": float(-np.log(given.clip(min=_FLOOR)).mean())} if len(given) else {})


def _calibration_error(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> float:
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [abs(float(confidence[bins == b].mean()) - float(correct[bins == b].mean())) * float((bins == b).mean()) for b in set(bins)]
    return float(sum(gaps))
