"""Weights of the room ranking: learnt from which of the rooms that were live viewers entered, served where they win."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from models.evaluation.rooms import BASELINES, Choice, Lot, choices, places_by
from models.interactions.event_log import Histories
from models.recommend.rooms import PARTS, SET_BY_HAND, RoomRanker, Weights
from models.training.choice import likeliest_weights
from models.training.verdict import STANDARD_ERRORS, gain_of
from models.types import Room, ViewerId

LEAST_CHOICES = 200
MOST_CHOICES = 5_000  # drawn by lot from all entries


@dataclass(frozen=True, slots=True)
class RoomVerdict:
    """Mean reciprocal rank of the room entered, among those live then, of viewers that the weights were not learnt from.

    Means over a viewer's entries first, since those are alike, then over viewers.
    """

    serves: bool
    mrr: float
    best_other: str
    best_other_mrr: float
    gain: float
    gain_error: float  # standard error of it, over viewers
    entries: int
    viewers: int
    why: str


def learnt_weights(
    asked: Histories, rooms: Sequence[Room], ranker: RoomRanker, window: tuple[datetime, datetime], seed: int
) -> tuple[Weights, RoomVerdict | None]:
    """Availability-masked softmax (after LiveRec, Rappaz et al. 2021) over the parts of the ranking, and whether it serves.

    Entries of every second viewer within `window` teach, those of the others judge. Without enough of them, those set by hand.
    """
    found = list(choices(asked, rooms, ranker, *window, Lot(MOST_CHOICES, seed)))
    second = {viewer_id for number, viewer_id in enumerate(sorted(asked)) if number % 2}
    taught, left = ([c for c in found if (c.viewer_id in second) == side] for side in (False, True))
    if min(len(taught), len(left)) < LEAST_CHOICES:
        return SET_BY_HAND, None
    weights = _taught(taught)
    verdict = _judged(weights, left)
    return (weights if verdict.serves else SET_BY_HAND), verdict


def _taught(found: Sequence[Choice]) -> Weights:
    rows = [[choice.parts[part].get(room_id, 0.0) for part in PARTS] for choice in found for room_id in choice.live]
    sizes = [len(choice.live) for choice in found]
    first = np.cumsum([0, *sizes[:-1]])
    wanted = first + np.array([choice.live.index(choice.entered) for choice in found])
    weights = likeliest_weights(np.array(rows, dtype=np.float64), np.repeat(np.arange(len(found)), sizes), wanted)
    total = max(float(weights.sum()), 1e-12)
    return {part: float(weight) / total for part, weight in zip(PARTS, weights.tolist(), strict=True)}


def _judged(weights: Weights, found: Sequence[Choice]) -> RoomVerdict:
    own = _reciprocal(found, weights)
    others = {name: _reciprocal(found, each) for name, each in BASELINES.items()}
    best = max(others, key=lambda name: float(others[name].mean()))
    gain, error = gain_of(own - others[best])
    serves = gain > STANDARD_ERRORS * error
    compared = f"MRR {own.mean():.4f} against {others[best].mean():.4f} of {best}, {gain:+.4f} ± {error:.4f} over {len(own)} viewers"
    reason = "better by more than chance" if serves else "not better by more than chance, so the weights set by hand serve"
    return RoomVerdict(
        serves, float(own.mean()), best, float(others[best].mean()), gain, error, len(found), len(own), f"{compared}: {reason}"
    )


def _reciprocal(found: Sequence[Choice], weights: Weights) -> NDArray[np.float64]:
    """float64 (viewers,): means over each viewer's entries, viewers in one order."""
    by_viewer = defaultdict[ViewerId, list[float]](list)
    for choice in found:
        by_viewer[choice.viewer_id].append(1.0 / (1.0 + places_by(choice, weights)))
    return np.array([np.mean(each) for each in by_viewer.values()])
