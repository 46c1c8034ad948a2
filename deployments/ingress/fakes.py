"""A real gateway over fake models: for tests, and for trying the HTTP front by itself. Answers are dull, everything else is true."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from deployments.fakes import FakeOpenAI, fake_text_model
from deployments.gateway import Gateway
from deployments.ingress.errors import from_model_input
from deployments.ports import Ports, TensorModels
from deployments.store import Store
from deployments.telemetry import Telemetry
from graphs.errors import Unavailable
from graphs.fakes import FakeComprehension, FakeDetector, FakeRanker, FakeRetriever, FakeSegmenter, FakeWriter
from graphs.ports import Catalog, Detector, Viewers
from models.types import (
    Event,
    FrameDetections,
    Match,
    ModelInputError,
    Passage,
    PictureEmbedding,
    Product,
    ProductId,
    Room,
    RoomId,
    Vectors,
    ViewerId,
)
from models.vision.images import decode

MAX_PIXELS = 40_000_000


@dataclass(frozen=True, slots=True)
class StoreShop:
    """Catalog and Viewers, read from the store each time."""

    store: Store

    async def products(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        return await self.store.products(product_ids)

    async def room(self, room_id: RoomId) -> Room | None:
        return await self.store.room(room_id)

    async def live_rooms(self) -> tuple[Room, ...]:
        return (await self.store.list_rooms(None, 500, live=True)).items

    async def history(self, viewer_id: ViewerId, *, limit: int) -> tuple[Event, ...]:
        return await self.store.viewer_history(viewer_id, limit)

    async def visits(self, viewer_id: ViewerId, *, limit: int) -> tuple[Event, ...]:
        return await self.store.visits(viewer_id, limit)

    async def displays(self, host: ViewerId, *, limit: int) -> tuple[Event, ...]:
        return await self.store.displays(host, limit)


@dataclass(frozen=True, slots=True)
class CheckingEye:
    """Detector and PictureEmbedder that decode the picture, as real ones do, and then see what `detector` sees."""

    detector: Detector

    async def detect(self, frame: bytes, min_score: float | None = None) -> FrameDetections:
        await asyncio.to_thread(check_picture, frame)
        return await self.detector.detect(frame, min_score)

    async def embed(self, pictures: Sequence[bytes]) -> list[PictureEmbedding]:
        for picture in pictures:
            await asyncio.to_thread(check_picture, picture)
        return [PictureEmbedding(np.eye(1, 4, dtype=np.float32), "fake") for _ in pictures]


def check_picture(picture: bytes) -> None:
    """Raises the error that a real eye's refusal becomes."""
    try:
        decode(picture, max_pixels=MAX_PIXELS)
    except ModelInputError as error:
        raise from_model_input(error) from None


@dataclass
class FakeModels:
    """What the fake gateway stands on; change it while it serves to make models slow, wrong or absent."""

    detector: FakeDetector
    retriever: FakeRetriever
    writer: FakeWriter
    openai: FakeOpenAI = field(default_factory=FakeOpenAI)
    missing: str | None = None  # a deployment that cannot answer


def fake_models() -> FakeModels:
    text = "The fake shop delivers within three days. The fake shop delivers everywhere."
    passage = Passage("D-1", "document", text, 0.95)
    retriever = FakeRetriever(enrolled=(Match(ProductId("P-1"), 0.9),), known=(passage,))
    return FakeModels(FakeDetector(), retriever, FakeWriter(texts=(text,)))


class Shop(Catalog, Viewers, Protocol):
    """What holds products, rooms and viewers."""


def fake_ports(shop: Shop, models: FakeModels | None = None) -> Ports:
    """Fake models around a shop."""
    models = models or fake_models()
    eye = CheckingEye(models.detector)

    async def ping() -> None:
        if models.missing is not None:
            raise Unavailable(f"{models.missing} is away")

    async def metrics_text() -> str:
        return "# no engine here\n"

    async def categories() -> tuple[str, ...]:
        return ("product",)

    async def score(rows: Vectors) -> Vectors:
        if not np.isfinite(rows).all():
            raise ModelInputError("features contain NaN or infinity")
        return np.full((len(rows), 3), 0.5, dtype=np.float32)

    return Ports(
        catalog=shop,
        viewers=shop,
        detector=eye,
        embedder=eye,
        pictures=models.retriever,
        knowledge=models.retriever,
        candidates=models.retriever,
        rooms=models.retriever,
        ranker=FakeRanker(),
        comprehension=FakeComprehension(),
        segmenter=FakeSegmenter(),
        writer=models.writer,
        openai=models.openai,
        texts=fake_text_model(),
        tensors=TensorModels(models.detector.dim, categories, score),
        metrics_text=metrics_text,
        pings={"Detector": ping},
    )


def fake_gateway(store: Store, models: FakeModels | None = None, telemetry: Telemetry | None = None) -> Gateway:
    """All graphs over fake models and a real store."""
    return Gateway(store, fake_ports(StoreShop(store), models), telemetry or Telemetry())
