"""How well each source of candidates, by itself, foresees what a viewer acts on next."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from models.evaluation.recommender import ACTED, ndcg
from models.recommend.history import FORESEEN, Log, touched
from models.recommend.sources import Sources
from models.types import HISTORY_EVENTS, Event, ProductId, ViewerId

SIMPLE = ("bought_together", "similar_to", "popular")
MOMENTS = 5  # of a viewer, at most
_MOST_CASES = 5_000


@dataclass(frozen=True, slots=True)
class Case:
    viewer_id: ViewerId
    past: Sequence[Event]  # oldest first
    at: datetime
    relevant: frozenset[ProductId]  # not empty


def cases_of(log: Log, start: datetime, end: datetime, *, seed: int) -> list[Case]:
    """Moments in [start, end) at which viewers who had touched something acted within the hour: up to `MOMENTS` a viewer, drawn by lot."""
    rng = np.random.default_rng(seed)
    found = list[Case]()
    for viewer_id, events in sorted(log.items()):
        open_ = [place for place, event in enumerate(events) if start <= event.at < end and event.type in ACTED]
        for place in sorted(rng.permutation(open_)[:MOMENTS].tolist()):
            past, at = events[max(0, place - HISTORY_EVENTS) : place], events[place].at
            if touched(past, limit=1):
                found.append(Case(viewer_id, past, at, _acted(events[place:], at)))
    if len(found) > _MOST_CASES:
        found = [found[place] for place in sorted(rng.choice(len(found), size=_MOST_CASES, replace=False).tolist())]
    return found


def _acted(events: Sequence[Event], at: datetime) -> frozenset[ProductId]:
    acted = set[ProductId]()
    for event in events:
        if event.at - at > FORESEEN:
            break
        if event.type in ACTED and event.product_id is not None:
            acted.add(event.product_id)
    return frozenset(acted)


def scores_by_source(sources: Sources, cases: Sequence[Case]) -> dict[str, NDArray[np.float64]]:
    """nDCG@10 of each source alone, float64 (viewers,): means over a viewer's moments, viewers in one order."""
    names = (*SIMPLE, *sources.learned.kinds)
    by_viewer = {name: defaultdict[ViewerId, list[float]](list) for name in names}
    for case in cases:
        request = sources.request(case.viewer_id, case.past, (), (), case.at)
        ranked = sorted(request.candidates, key=lambda candidate: -candidate.score)
        for name in names:
            by_viewer[name][case.viewer_id].append(ndcg([c.product_id for c in ranked if c.source == name], case.relevant))
    return {name: np.array([np.mean(values) for values in each.values()]) for name, each in by_viewer.items()}
