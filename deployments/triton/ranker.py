"""The ranker's arithmetic on an external server: features and reasons are made here, the chances there."""

import asyncio

import numpy as np

from deployments.loading import load_ranker
from deployments.settings import RankerConfig
from deployments.triton.model import TritonModel
from graphs.errors import Internal
from models.recommend.ranker import Ranker
from models.types import Ranked, RankRequest, Vectors


class TritonRanker:
    """`local` computes the features and knows what a click, a cart and a purchase are worth; its own weights are not asked."""

    def __init__(self, model: TritonModel, local: Ranker) -> None:
        self._model = model
        self._local = local

    async def swap(self, folder: str) -> None:
        """Compute features as another recommender does from then on. Raises ArtifactError, and goes on as before."""
        self._local = await asyncio.to_thread(load_ranker, RankerConfig(recommender=folder))

    async def rank(self, request: RankRequest) -> tuple[Ranked, ...]:
        local = self._local
        asked = await asyncio.to_thread(local.asked, request)
        if not asked.products:
            return ()
        return await asyncio.to_thread(local.ranked, request, asked, await self._chances(asked.rows))

    async def score(self, rows: Vectors) -> Vectors:
        """See `models.recommend.ranker.Ranker.score`."""
        self._local.check(rows)
        return await self._chances(rows)

    async def fit(self) -> None:
        """Raises Unfit when the model is not what is needed, Unavailable when it is away."""
        await self._model.fit()

    async def ping(self) -> None:
        await self._model.ping()

    async def aclose(self) -> None:
        await self._model.aclose()

    async def _chances(self, rows: Vectors) -> Vectors:
        chances: Vectors = (await self._model(rows))["scores"].astype(np.float32)
        if not ((chances >= 0) & (chances <= 1)).all():
            raise Internal(f"{self._model.where} answered chances that are not from 0 to 1")
        return chances
