"""Ids and frozen values that cross a boundary between models, graphs and deployments; numpy only, no tensors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, NewType

import numpy as np
from numpy.typing import NDArray

ProductId = NewType("ProductId", str)
DocumentId = NewType("DocumentId", str)
RoomId = NewType("RoomId", str)
ViewerId = NewType("ViewerId", str)
EventId = NewType("EventId", str)

Language = Literal["zh", "en"]
Vectors = NDArray[np.float32]  # float32 (n, dim), L2-normalised unless a docstring says otherwise
Box = tuple[float, float, float, float]  # x1, y1, x2, y2 in pixels of the frame as submitted (EXIF orientation applied)

# What the ranker is asked with, in training and in serving
HISTORY_EVENTS = 50  # latest events of a viewer; `limits.history_events` sets it for serving
CANDIDATES_PER_SOURCE = 100
CANDIDATES_PER_TASTE = 50  # of each model of whole histories

EventType = Literal[
    "enter", "leave", "watch", "impression", "click", "like", "comment", "share", "cart", "purchase", "display", "correction"
]


class ModelInputError(ValueError):
    """Input that a model refuses: the caller's fault, told to the caller.

    `kind` is what the ingress turns into a status: `invalid` 400, `too_large` 413, `unsupported` 415.
    """

    def __init__(self, message: str, *, kind: Literal["invalid", "too_large", "unsupported"] = "invalid") -> None:
        super().__init__(message)
        self.message = message
        self.kind: Literal["invalid", "too_large", "unsupported"] = kind

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_model_input_error, (self.message, self.kind))


def _rebuild_model_input_error(message: str, kind: Literal["invalid", "too_large", "unsupported"]) -> ModelInputError:
    return ModelInputError(message, kind=kind)


class ModelStoppedError(RuntimeError):
    """A model's engine is gone or gave up a request, in words for callers: the same request may succeed later."""


class ArtifactError(RuntimeError):
    """A weights folder is missing, damaged or of another schema; the message says which file and what to run."""


# --- state of the shop -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Money:
    amount: Decimal
    currency: str  # ISO 4217


@dataclass(frozen=True, slots=True)
class Product:
    product_id: ProductId
    title: str
    category: str
    price: Money
    brand: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)  # name -> value with unit, e.g. {"净含量": "500 ml"}
    description: str | None = None
    tags: tuple[str, ...] = ()
    stock: int | None = None  # None: not tracked


@dataclass(frozen=True, slots=True)
class Document:
    """A piece of knowledge: a question with its answer (`qa`) or free text (`document`)."""

    document_id: DocumentId
    kind: Literal["qa", "document"]
    product_id: ProductId | None = None  # None: about the shop as a whole
    question: str | None = None
    answer: str | None = None
    text: str | None = None
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Room:
    room_id: RoomId
    title: str
    host: str
    tags: tuple[str, ...] = ()
    live: bool = False
    shelf: tuple[ProductId, ...] = ()  # in display order
    showing: ProductId | None = None  # what the host holds up now


@dataclass(frozen=True, slots=True)
class Event:
    event_id: EventId
    viewer_id: ViewerId
    type: EventType
    at: datetime  # with zone
    room_id: RoomId | None = None
    product_id: ProductId | None = None
    value: float | None = None  # seconds for watch/display, money for purchase, else free
    text: str | None = None


# --- vision ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Detection:
    box: Box
    score: float  # 0..1
    category: str
    embedding: Vectors  # float32 (dim,), L2-normalised: the identity of what is in the box
    category_index: int = 0  # of `category` among the detector's labels


@dataclass(frozen=True, slots=True)
class FrameDetections:
    width: int  # pixels, after EXIF orientation
    height: int
    detections: tuple[Detection, ...]  # best score first
    match_threshold: float = 0.5  # cosine above which an embedding of this frame shows an enrolled product; calibrated with the embedder


@dataclass(frozen=True, slots=True)
class PictureEmbedding:
    """What is kept of one enrolled picture."""

    vectors: Vectors  # float32 (v, dim), L2-normalised: one row per crop
    model: str  # which embedder made them: vectors of different models must not be compared


@dataclass(frozen=True, slots=True)
class Match:
    product_id: ProductId
    similarity: float  # cosine, -1..1


# --- language ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Label:
    """A classifier's verdict with its calibrated probability (0..1)."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved piece of evidence.

    `score` says how near the question is to the passage, or to its stored question: 1.0 is the same wording, whoever found it. Put the
    threshold of "the same question" on it. `relevance` says whether the passage answers: a calibrated probability, by which passages
    are ordered. Put the threshold of "evidence" on it; of .5 half are wrong.
    """

    source_id: str  # document_id, or `product_id#attribute` for a specification
    kind: Literal["spec", "qa", "document"]
    text: str  # what is cited and shown to the LLM
    score: float  # cosine of the dense vectors, -1..1
    product_id: ProductId | None = None
    question: str | None = None  # the stored question of a `qa`
    answer: str | None = None
    relevance: float | None = None  # 0..1, the re-ranker's; None: not looked at by one


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request to the LLM: chat messages, rendered with the checkpoint's own template."""

    messages: tuple[tuple[Literal["system", "user", "assistant"], str], ...]
    max_tokens: int = 128
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None
    json_schema: str | None = None  # structured output: a JSON schema as JSON text


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A step of generation. The deltas joined are the text."""

    text: str
    token_count: int  # tokens in this delta
    finish_reason: Literal["stop", "length", "abort"] | None = None  # set on the last one
    prompt_token_count: int = 0


# --- recommendation ----------------------------------------------------------------------------------------------------

ReasonKind = Literal["similar_to", "bought_together", "on_shelf", "popular", "fresh"]
LearnedKind = Literal["sequence", "ials"]  # models of whole histories; they serve where an artifact's manifest says so
SourceKind = Literal[ReasonKind, LearnedKind]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product that one source proposes."""

    product_id: ProductId
    source: SourceKind
    score: float  # of its own source, higher is better; comparable within a source only
    because: ProductId | None = None  # the product of the history or context that led here


@dataclass(frozen=True, slots=True)
class RankRequest:
    """All that the ranker may look at for one viewer. Features are computed from this by one function, in training and serving."""

    viewer_id: ViewerId
    history: tuple[Event, ...]  # the viewer's recent events, oldest first
    candidates: tuple[Candidate, ...]  # the same product may come from several sources
    context: tuple[ProductId, ...]  # what is on screen or under discussion
    shelf: tuple[ProductId, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Ranked:
    product_id: ProductId
    score: float  # what the list is sorted by, 0..1
    click: float  # calibrated probabilities, 0..1
    cart: float
    purchase: float
    reasons: tuple[tuple[SourceKind, ProductId | None, float], ...]  # source, because, weight >= 0; additive, largest first


RoomReasonKind = Literal["watched_before", "similar_to", "topic", "popular", "fresh"]


@dataclass(frozen=True, slots=True)
class RankedRoom:
    room_id: RoomId
    score: float  # 0..1
    reasons: tuple[tuple[RoomReasonKind, float], ...]  # kind, weight >= 0; additive, largest first
