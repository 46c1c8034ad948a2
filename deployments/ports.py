"""The ports of the graphs, filled: which adapter answers for which model system in this process."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

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
    Segmenter,
    Viewers,
    Writer,
)
from models.language.openai_types import Kind, ModelCard, Usage
from models.types import Vectors


class OpenAI(Protocol):
    """The writer, asked in OpenAI's protocol."""

    async def cards(self) -> Sequence[ModelCard]:
        """The writer first, then its adapters."""
        ...

    def generate(self, kind: Kind, body: bytes, *, stream: bool, timeout_s: float) -> AsyncGenerator[bytes | Usage, None]:
        """What is sent to the caller, in whole server-sent events or as one JSON text; last, what it took.

        Closing the generator aborts the generation. Raises LivecartError, also in the middle of a stream.
        """
        ...


class External(Protocol):
    """A port over models that somebody else serves."""

    async def fit(self) -> None:
        """Raises Unfit when a model there is not what is needed, Unavailable when it is away."""
        ...

    async def ping(self) -> None:
        """Raises Unavailable when it cannot answer."""
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class TextModel:
    """The text embedder, as a model of its own."""

    card: ModelCard
    embed: Callable[[Sequence[str]], Awaitable[Vectors]]  # texts -> float32 (n, dim), L2-normalised


@dataclass(frozen=True, slots=True)
class TensorModels:
    """What the Open Inference Protocol asks of the models beyond the graphs' ports."""

    embedding_dim: int  # of the picture embedder
    categories: Callable[[], Awaitable[Sequence[str]]]  # the detector's, in the order of `Detection.category_index`
    score: Callable[[Vectors], Awaitable[Vectors]]  # the ranker's features float32 (n, features) -> P(click), P(cart), P(purchase) (n, 3)


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
    segmenter: Segmenter
    writer: Writer
    openai: OpenAI
    texts: TextModel
    tensors: TensorModels
    metrics_text: Callable[[], Awaitable[str]]  # Prometheus text of the engine
    pings: Mapping[str, Callable[[], Awaitable[object]]]  # deployment -> raises Unavailable when it cannot answer
