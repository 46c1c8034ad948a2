"""All sources of candidates asked at once: what the recommend graph does, in one process, for training and evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from models.recommend.behaviour import Behaviour
from models.recommend.learned import LearnedSources
from models.recommend.retriever import ShopIndex
from models.types import CANDIDATES_PER_SOURCE, CANDIDATES_PER_TASTE, HISTORY_EVENTS, Candidate, Event, ProductId, RankRequest, ViewerId


@dataclass(frozen=True, slots=True)
class Sources:
    behaviour: Behaviour
    shop: ShopIndex
    learned: LearnedSources = field(default_factory=LearnedSources)

    def request(
        self,
        viewer_id: ViewerId,
        history: Sequence[Event],
        context: Sequence[ProductId],
        shelf: Sequence[ProductId],
        at: datetime,
        *,
        shown: Sequence[ProductId] = (),
    ) -> RankRequest:
        """The request as the ranker gets it; `history` oldest first, cut to its latest `HISTORY_EVENTS`.

        `context` is what the caller names and is not recommended back; where they name nothing, `shown` is what the room shows.
        """
        recent = tuple(history[-HISTORY_EVENTS:])
        around = tuple(context or shown)
        on_shelf = [Candidate(p, "on_shelf", 1.0 / rank) for rank, p in enumerate(shelf, start=1) if p not in context]
        candidates = (
            *on_shelf,
            *self.behaviour.candidates(recent, around, k=CANDIDATES_PER_SOURCE, exclude=()),
            *self.shop.candidates(recent, around, k=CANDIDATES_PER_SOURCE, exclude=()),
            *self.learned.candidates(recent, around, k=CANDIDATES_PER_TASTE, exclude=()),
        )
        return RankRequest(viewer_id, recent, candidates, around, tuple(shelf), at)
