"""Ports over models in this process, for what the settings place `fused`: a function call instead of a hop."""

import asyncio

from deployments.loading import LoadedComprehension
from models.recommend.ranker import Ranker
from models.types import Label, Ranked, RankRequest


class LocalRanker:
    def __init__(self, model: Ranker) -> None:
        self._model = model

    async def rank(self, request: RankRequest) -> tuple[Ranked, ...]:
        return await asyncio.to_thread(self._model.rank, request)

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
