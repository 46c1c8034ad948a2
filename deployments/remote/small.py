"""The small models behind handles, for what the settings place in replicas of their own.

Each has one channel: what a graph asks of it at the same moment (two sources of candidates, intent and sentiment) is one hop.
"""

from collections.abc import Collection, Sequence
from typing import Any

from ray.serve.handle import DeploymentHandle

from deployments.remote.calls import Question, channel
from deployments.settings import CoalesceSettings
from models.types import Candidate, Event, Label, Match, Passage, ProductId, Ranked, RankedRoom, RankRequest, Room, Vectors


class _Remote:
    def __init__(self, handle: DeploymentHandle, deployment: str, limits: CoalesceSettings) -> None:
        self._channel = channel(handle.ask.remote, deployment, limits)

    async def _ask(self, method: str, **arguments: object) -> Any:  # noqa: ANN401  # each method has its own type
        return await self._channel(Question(method, arguments))


class RemoteRetriever(_Remote):
    """PictureIndex, Knowledge, Candidates and RoomRanker."""

    async def match(self, embeddings: Vectors, *, among: frozenset[ProductId] | None, top_k: int) -> list[tuple[Match, ...]]:
        found: list[tuple[Match, ...]] = await self._ask("match", embeddings=embeddings, among=among, top_k=top_k)
        return found

    async def passages(self, query: str, *, products: frozenset[ProductId] | None, k: int) -> tuple[Passage, ...]:
        found: tuple[Passage, ...] = await self._ask("passages", query=query, products=products, k=k)
        return found

    async def embed_texts(self, texts: Sequence[str]) -> Vectors:
        vectors: Vectors = await self._ask("embed_texts", texts=texts)
        return vectors

    async def by_behaviour(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        found: tuple[Candidate, ...] = await self._ask("by_behaviour", history=history, context=context, k=k, exclude=exclude)
        return found

    async def by_content(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        found: tuple[Candidate, ...] = await self._ask("by_content", history=history, context=context, k=k, exclude=exclude)
        return found

    async def by_taste(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        found: tuple[Candidate, ...] = await self._ask("by_taste", history=history, context=context, k=k, exclude=exclude)
        return found

    async def rank_rooms(self, history: Sequence[Event], live: Sequence[Room], *, k: int) -> tuple[RankedRoom, ...]:
        ranked: tuple[RankedRoom, ...] = await self._ask("rank_rooms", history=history, live=live, k=k)
        return ranked


class RemoteRanker(_Remote):
    async def rank(self, request: RankRequest) -> tuple[Ranked, ...]:
        ranked: tuple[Ranked, ...] = await self._ask("rank", request=request)
        return ranked

    async def score(self, rows: Vectors) -> Vectors:
        scores: Vectors = await self._ask("score", rows=rows)
        return scores


class RemoteComprehension(_Remote):
    async def intent(self, text: str) -> Label:
        label: Label = await self._ask("intent", text=text)
        return label

    async def sentiment(self, text: str) -> Label:
        label: Label = await self._ask("sentiment", text=text)
        return label
