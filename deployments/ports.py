"""The ports of the graphs, filled: which adapter answers for which model system in this process."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from graphs.ports import (
    Candidates,
    Catalog,
    Comprehension,
    Detector,
    Knowledge,
    PictureEmbedder,
    PictureIndex,
    Ranker,
    RoomRanker,
    Viewers,
    Writer,
)


@dataclass(frozen=True, slots=True)
class Ports:
    catalog: Catalog
    viewers: Viewers
    detector: Detector
    embedder: PictureEmbedder
    pictures: PictureIndex
    knowledge: Knowledge
    candidates: Candidates
    rooms: RoomRanker
    ranker: Ranker
    comprehension: Comprehension
    writer: Writer
    metrics_text: Callable[[], Awaitable[str]]  # Prometheus text of the engine
    pings: Mapping[str, Callable[[], Awaitable[object]]]  # deployment -> raises Unavailable when it cannot answer
