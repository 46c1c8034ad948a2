"""The small models behind handles, for what the settings place in replicas of their own."""

from collections.abc import Collection, Sequence

from ray.serve.handle import DeploymentHandle

from deployments.remote.calls import answered
from models.types import Candidate, Event, Label, Match, Passage, ProductId, Ranked, RankedRoom, RankRequest, Room, Vectors


class RemoteRetriever:
    """PictureIndex, Knowledge, Candidates and RoomRanker."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def match(self, embeddings: Vectors, *, among: frozenset[ProductId] | None, top_k: int) -> list[tuple[Match, ...]]:
        found: list[tuple[Match, ...]] = await answered(self._handle.match.remote(embeddings, among, top_k), "Retriever")
        return found

    async def passages(self, query: str, *, products: frozenset[ProductId] | None, k: int) -> tuple[Passage, ...]:
        found: tuple[Passage, ...] = await answered(self._handle.passages.remote(query, products, k), "Retriever")
        return found

    async def by_behaviour(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        found: tuple[Candidate, ...] = await answered(self._handle.by_behaviour.remote(history, context, k, exclude), "Retriever")
        return found

    async def by_content(
        self, history: Sequence[Event], context: Sequence[ProductId], *, k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        found: tuple[Candidate, ...] = await answered(self._handle.by_content.remote(history, context, k, exclude), "Retriever")
        return found

    async def rank_rooms(self, history: Sequence[Event], live: Sequence[Room], *, k: int) -> tuple[RankedRoom, ...]:
        ranked: tuple[RankedRoom, ...] = await answered(self._handle.rank_rooms.remote(history, live, k), "Retriever")
        return ranked


class RemoteRanker:
    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def rank(self, request: RankRequest) -> tuple[Ranked, ...]:
        ranked: tuple[Ranked, ...] = await answered(self._handle.rank.remote(request), "Ranker")
        return ranked


class RemoteComprehension:
    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def intent(self, text: str) -> Label:
        label: Label = await answered(self._handle.intent.remote(text), "Comprehension")
        return label

    async def sentiment(self, text: str) -> Label:
        label: Label = await answered(self._handle.sentiment.remote(text), "Comprehension")
        return label
