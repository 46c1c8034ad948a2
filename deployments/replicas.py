"""Ray shells around the models: load what `user_config` names, warm it up, swap it in, answer.

A new configuration is loaded beside the old one, which keeps serving until the new one has answered a warm-up request.
Model arithmetic runs on one named thread per replica: the event loop stays free for health checks and cancellation.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from deployments.loading import load_comprehension, load_detector, load_ranker, load_retriever, load_writer
from deployments.retrieval import LiveRetriever
from deployments.settings import ComprehensionConfig, DetectorConfig, RankerConfig, RetrieverConfig, Settings, WriterConfig
from deployments.shop import open_store
from models.types import (
    Candidate,
    Event,
    FrameDetections,
    Label,
    Match,
    ModelInputError,
    Passage,
    PictureEmbedding,
    ProductId,
    Prompt,
    Ranked,
    RankedRoom,
    RankRequest,
    Room,
    TextDelta,
    Vectors,
)
from models.vision.embedder_info import embedder_info

T = TypeVar("T")


class OneThread:
    """Blocking work of one replica, one piece at a time, off the event loop."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, call: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *args)


class DetectorReplica:
    def __init__(self, embedder: str) -> None:
        self._thread = OneThread("detector")
        self._embedder = embedder
        self._tag = embedder_info(embedder).tag

    async def reconfigure(self, config: dict[str, object]) -> None:
        self._model = await asyncio.to_thread(load_detector, DetectorConfig.model_validate(config), self._embedder)

    async def detect(self, frames: list[bytes]) -> list[FrameDetections | ModelInputError]:
        found = await self._thread.run(self._model.detect, frames)
        threshold = self._model.match_threshold
        return [seen if isinstance(seen, ModelInputError) else replace(seen, match_threshold=threshold) for seen in found]

    async def embed(self, pictures: list[bytes]) -> list[PictureEmbedding | ModelInputError]:
        found = await self._thread.run(self._model.embed, pictures)
        return [vectors if isinstance(vectors, ModelInputError) else PictureEmbedding(vectors, self._tag) for vectors in found]

    async def ping(self) -> None:
        """Answers when the model is loaded: Serve sends nothing before `reconfigure` is done."""


class WriterReplica:
    async def reconfigure(self, config: dict[str, object]) -> None:
        started = await load_writer(WriterConfig.model_validate(config))
        old, self._model = getattr(self, "_model", None), started
        if old is not None:
            old.close()

    async def write(self, prompt: Prompt, timeout_s: float) -> AsyncIterator[TextDelta]:
        async with asyncio.timeout(timeout_s):
            async for delta in self._model.write(prompt):
                yield delta

    async def metrics_text(self) -> str:
        return self._model.metrics_text()

    async def ping(self) -> None:
        await self._model.check_health()

    async def check_health(self) -> None:
        """Asked by Serve, also while the engine starts. An engine that died makes Serve replace the replica."""
        if hasattr(self, "_model"):
            await self._model.check_health()


class RetrieverReplica:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def reconfigure(self, config: dict[str, object]) -> None:
        loaded = await asyncio.to_thread(load_retriever, RetrieverConfig.model_validate(config), self._settings.embedder)
        store = await open_store(self._settings)
        fresh = await LiveRetriever(store, loaded, poll_s=self._settings.store.follow_every_s).start()
        old, self._live = getattr(self, "_live", None), fresh
        if old is not None:
            await old.stop()

    async def ping(self) -> None:
        await self._live.ping()

    async def match(self, embeddings: Vectors, among: frozenset[ProductId] | None, top_k: int) -> list[tuple[Match, ...]]:
        return await self._live.match(embeddings, among=among, top_k=top_k)

    async def passages(self, query: str, products: frozenset[ProductId] | None, k: int) -> tuple[Passage, ...]:
        return await self._live.passages(query, products=products, k=k)

    async def by_behaviour(
        self, history: Sequence[Event], context: Sequence[ProductId], k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        return await self._live.by_behaviour(history, context, k=k, exclude=exclude)

    async def by_content(
        self, history: Sequence[Event], context: Sequence[ProductId], k: int, exclude: Collection[ProductId]
    ) -> tuple[Candidate, ...]:
        return await self._live.by_content(history, context, k=k, exclude=exclude)

    async def rank_rooms(self, history: Sequence[Event], live: Sequence[Room], k: int) -> tuple[RankedRoom, ...]:
        return await self._live.rank_rooms(history, live, k=k)


class RankerReplica:
    def __init__(self) -> None:
        self._thread = OneThread("ranker")

    async def reconfigure(self, config: dict[str, object]) -> None:
        self._model = await asyncio.to_thread(load_ranker, RankerConfig.model_validate(config))

    async def ping(self) -> None:
        """Answers when the model is loaded."""

    async def rank(self, request: RankRequest) -> tuple[Ranked, ...]:
        return await self._thread.run(self._model.rank, request)


class ComprehensionReplica:
    def __init__(self) -> None:
        self._thread = OneThread("comprehension")

    async def reconfigure(self, config: dict[str, object]) -> None:
        self._models = await asyncio.to_thread(load_comprehension, ComprehensionConfig.model_validate(config))

    async def ping(self) -> None:
        """Answers when the models are loaded."""

    async def intent(self, text: str) -> Label:
        return (await self._thread.run(self._models.intent.classify, [text]))[0]

    async def sentiment(self, text: str) -> Label:
        return (await self._thread.run(self._models.sentiment.classify, [text]))[0]
