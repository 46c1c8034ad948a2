"""Ports over models in this process, for what the settings place `fused`: a function call instead of a hop."""

import asyncio

from deployments.loading import LoadedComprehension, load_ranker
from deployments.settings import RankerConfig
from models.language.segment import is_chinese, pieces, words
from models.recommend.ranker import Ranker
from models.types import Label, Ranked, RankRequest, Vectors


class LocalRanker:
    def __init__(self, model: Ranker) -> None:
        self._model = model

    async def swap(self, folder: str) -> None:
        """Load another recommender and rank with it from then on. Raises ArtifactError, and goes on as before."""
        self._model = await asyncio.to_thread(load_ranker, RankerConfig(recommender=folder))

    async def rank(self, request: RankRequest) -> tuple[Ranked, ...]:
        return await asyncio.to_thread(self._model.rank, request)

    async def score(self, rows: Vectors) -> Vectors:
        """See `models.recommend.ranker.Ranker.score`."""
        return await asyncio.to_thread(self._model.score, rows)

    async def ping(self) -> None:
        """A model in this process answers when the process does."""


class LocalComprehension:
    """Classifies on the event loop: a sentence takes less time than a change of threads would."""

    def __init__(self, models: LoadedComprehension) -> None:
        self._models = models

    async def intent(self, text: str) -> Label:
        return self._models.intent.classify([text])[0]

    async def sentiment(self, text: str) -> Label:
        return self._models.sentiment.classify([text])[0]

    async def ping(self) -> None:
        """A model in this process answers when the process does."""


class LocalSegmenter:
    """Cuts on the event loop: a sentence takes microseconds."""

    async def words(self, text: str) -> tuple[str, ...]:
        return tuple(word for piece in pieces(text) for word in (words(piece) if is_chinese(piece) else [piece]))
