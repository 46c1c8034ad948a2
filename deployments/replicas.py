"""Ray shells around the models: load what `user_config` names, warm it up, swap it in, answer.

A new configuration is loaded beside the old one, which keeps serving until the new one is ready: the detector has then answered a
warm-up request, the engine its own. What the old engine was writing then ends with an error; the other models finish what they began.
Model arithmetic runs on worker threads: the event loop stays free for health checks and cancellation.
"""

import asyncio
from collections.abc import AsyncIterator

from deployments.eye import AskedFrame
from deployments.loading import load_comprehension, load_eye, load_ranker, load_retriever, load_writer
from deployments.local import LocalComprehension, LocalRanker
from deployments.remote.calls import Question
from deployments.remote.entries import all_together, each_alone
from deployments.remote.openai import delivered, encoded
from deployments.remote.postbox import Address, Courier
from deployments.retrieval import LiveRetriever
from deployments.settings import ComprehensionConfig, DetectorConfig, RankerConfig, RetrieverConfig, Settings, WriterConfig
from deployments.shop import open_store
from deployments.telemetry import configure_logging
from deployments.versions import Swap, VersionFollower, resolved
from models.language.openai_types import Kind, ModelCard, Usage
from models.types import FrameDetections, ModelInputError, PictureEmbedding, Prompt, TextDelta


class _Replica:
    def __init__(self) -> None:
        configure_logging(type(self).__name__.removesuffix("Replica").lower())


class DetectorReplica(_Replica):
    def __init__(self, embedder: str) -> None:
        super().__init__()
        self._embedder = embedder

    async def reconfigure(self, config: dict[str, object]) -> None:
        self._eye = await asyncio.to_thread(load_eye, DetectorConfig.model_validate(config), self._embedder)

    async def detect(self, asked: list[AskedFrame], remaining_s: list[float]) -> list[FrameDetections | Exception]:
        return await all_together(asked, remaining_s, self._eye.detect)

    async def embed(self, pictures: list[bytes]) -> list[PictureEmbedding | ModelInputError]:
        return await self._eye.embed(pictures)

    async def categories(self) -> tuple[str, ...]:
        return self._eye.categories

    async def ping(self) -> None:
        """Answers when the model is loaded: Serve sends nothing before `reconfigure` is done."""


class WriterReplica(_Replica):
    def __init__(self) -> None:
        super().__init__()
        self._courier = Courier()

    async def reconfigure(self, config: dict[str, object]) -> None:
        started = await load_writer(WriterConfig.model_validate(config))
        old, self._model = getattr(self, "_model", None), started
        if old is not None:
            old.close()

    async def write(self, prompt: Prompt, timeout_s: float) -> AsyncIterator[TextDelta]:
        async with asyncio.timeout(timeout_s):
            async for delta in self._model.write(prompt):
                yield delta

    async def openai(self, kind: Kind, body: bytes, timeout_s: float, reply_to: Address | None) -> tuple[bytes, Usage]:
        """One call in OpenAI's protocol; what a stream says goes to `reply_to`."""
        async with asyncio.timeout(timeout_s):
            return await delivered(self._model.openai.generate(kind, body), self._courier, reply_to)

    async def openai_stream(self, kind: Kind, body: bytes, timeout_s: float) -> AsyncIterator[bytes | Usage]:
        """The same for callers whose postbox is out of reach."""
        async with asyncio.timeout(timeout_s):
            async for piece in encoded(self._model.openai.generate(kind, body)):
                yield piece

    async def openai_cards(self) -> list[ModelCard]:
        return await self._model.openai.cards()

    async def metrics_text(self) -> str:
        return self._model.metrics_text()

    async def ping(self) -> None:
        await self._model.check_health()

    async def check_health(self) -> None:
        """Asked by Serve, also while the engine starts. An engine that died makes Serve replace the replica."""
        if hasattr(self, "_model"):
            await self._model.check_health()


class _Port(_Replica):
    """A port in a replica: answers questions that came in one hop, each within the time that its caller has left."""

    _methods: frozenset[str]
    _port: object

    def _follow(self, swap: Swap, location: str, served: str) -> None:
        """Serve what the link `location` points to, from now on; not any more what was followed before."""
        if (before := getattr(self, "_following", None)) is not None:
            before.cancel()
        self._following = asyncio.create_task(VersionFollower(location, swap, served=served).run(), name="follow versions")

    async def ask(self, questions: list[Question], remaining_s: list[float]) -> list[object]:
        return list(await each_alone(questions, remaining_s, self._answer))

    async def _answer(self, question: Question) -> object:
        if question.method not in self._methods:
            raise AttributeError(f"{type(self).__name__} answers {sorted(self._methods)}, not {question.method}")
        return await getattr(self._port, question.method)(**question.arguments)

    async def ping(self) -> None:
        await self._answer(Question("ping", {}))


class RetrieverReplica(_Port):
    _methods = frozenset({"match", "passages", "by_behaviour", "by_content", "by_taste", "rank_rooms", "embed_texts", "ping"})

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    async def reconfigure(self, config: dict[str, object]) -> None:
        wanted = RetrieverConfig.model_validate(config)
        served = resolved(wanted.recommender)
        settings, chosen = self._settings, wanted.model_copy(update={"recommender": served})
        loaded = await asyncio.to_thread(load_retriever, chosen, settings.embedder, settings.home)
        self._store = getattr(self, "_store", None) or await open_store(self._settings)
        fresh = await LiveRetriever(self._store, loaded, poll_s=self._settings.store.follow_every_s).start()
        old, self._port = getattr(self, "_port", None), fresh
        self._follow(fresh.swap, wanted.recommender, served)
        if isinstance(old, LiveRetriever):
            await old.stop()


class RankerReplica(_Port):
    _methods = frozenset({"rank", "score", "ping"})

    async def reconfigure(self, config: dict[str, object]) -> None:
        wanted = RankerConfig.model_validate(config)
        served = resolved(wanted.recommender)
        fresh = self._port = LocalRanker(await asyncio.to_thread(load_ranker, RankerConfig(recommender=served)))
        self._follow(fresh.swap, wanted.recommender, served)


class ComprehensionReplica(_Port):
    _methods = frozenset({"intent", "sentiment", "ping"})

    async def reconfigure(self, config: dict[str, object]) -> None:
        self._port = LocalComprehension(await asyncio.to_thread(load_comprehension, ComprehensionConfig.model_validate(config)))
