"""Frame -> products on screen -> which products of the catalogue they are."""

from dataclasses import dataclass

import numpy as np

from graphs.errors import NotFound
from graphs.flow import Graph, GraphBuilder
from graphs.ports import Catalog, Detector, PictureIndex
from models.types import Box, FrameDetections, Match, ProductId, RoomId

Shelf = frozenset[ProductId] | None  # None: no room was named, the whole catalogue is searched


@dataclass(frozen=True, slots=True)
class RecognizeRequest:
    frame: bytes  # encoded picture
    room_id: RoomId | None = None
    top_k: int = 3
    min_score: float | None = None  # None: the detector's own


@dataclass(frozen=True, slots=True)
class FrameSize:
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ProductMatch:
    product_id: ProductId
    title: str
    similarity: float


@dataclass(frozen=True, slots=True)
class SeenProduct:
    box: Box
    score: float
    category: str
    matches: tuple[ProductMatch, ...]
    track_id: int | None = None


@dataclass(frozen=True, slots=True)
class RecognizeReply:
    frame: FrameSize
    products: tuple[SeenProduct, ...]


@dataclass(frozen=True, slots=True)
class RecognizeNodes:
    detector: Detector
    pictures: PictureIndex
    catalog: Catalog
    match_threshold: float | None = None  # similarity under which an object stays unknown; None: as calibrated with the embedder

    async def detect(self, request: RecognizeRequest) -> FrameDetections:
        return await self.detector.detect(request.frame, request.min_score)

    async def shelf(self, request: RecognizeRequest) -> Shelf:
        if request.room_id is None:
            return None
        room = await self.catalog.room(request.room_id)
        if room is None:
            raise NotFound(f"no room `{request.room_id}`; PUT /v1/rooms/{request.room_id} makes it", param="room_id")
        return frozenset(room.shelf)

    async def match(self, request: RecognizeRequest, seen: FrameDetections, shelf: Shelf) -> list[tuple[Match, ...]]:
        if not seen.detections:
            return []
        embeddings = np.stack([d.embedding for d in seen.detections])
        nearest = await self.pictures.match(embeddings, among=shelf, top_k=request.top_k)
        threshold = seen.match_threshold if self.match_threshold is None else self.match_threshold
        return [tuple(m for m in matches if m.similarity >= threshold) for matches in nearest]

    async def name(self, seen: FrameDetections, matches: list[tuple[Match, ...]]) -> RecognizeReply:
        products = await self.catalog.products({m.product_id for found in matches for m in found})
        return RecognizeReply(
            frame=FrameSize(seen.width, seen.height),
            products=tuple(
                SeenProduct(
                    box=d.box,
                    score=d.score,
                    category=d.category,
                    matches=tuple(
                        ProductMatch(m.product_id, products[m.product_id].title, m.similarity)
                        for m in found
                        if m.product_id in products  # deleted a moment ago
                    ),
                )
                for d, found in zip(seen.detections, matches, strict=True)
            ),
        )


def recognize_graph(nodes: RecognizeNodes) -> Graph[RecognizeRequest, RecognizeReply]:
    g = GraphBuilder("recognize", RecognizeRequest)
    seen = g.add(nodes.detect, g.request, timeout_s=10.0)
    shelf = g.add(nodes.shelf, g.request, timeout_s=2.0)
    matches = g.add(nodes.match, g.request, seen, shelf, timeout_s=2.0)
    reply = g.add(nodes.name, seen, matches, timeout_s=2.0)
    return g.build(reply)
