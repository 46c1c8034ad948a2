"""Frozen values that the store hands out beside those of `models.types`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.types import DocumentId, Event, EventId, Language, ProductId, RoomId, Vectors, ViewerId

T = TypeVar("T")
Sums = NDArray[np.float64]

ChangeKind = Literal["product", "document", "room", "view"]
ChangeOp = Literal["put", "delete"]
QuestionStatus = Literal["open", "answered", "dismissed"]
QuestionSource = Literal["none", "llm"]  # who answered the viewer: nobody, or the writer
QuestionOrder = Literal["most_asked", "newest"]


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Limits within which every call answers or raises `Unavailable`."""

    statement_timeout_s: float = 5.0  # one statement of PostgreSQL
    lock_timeout_s: float = 5.0  # waiting for another writer (SQLite's busy timeout too)
    connect_timeout_s: float = 3.0
    call_timeout_s: float = 15.0  # one call of `Store`, waiting for a free thread included
    migrate_timeout_s: float = 60.0  # waiting for another process that migrates
    reader_threads: int = 4
    max_pending_events: int = 100_000  # events waiting for their commit; above, callers get Overloaded
    max_group_events: int = 5_000  # events in one transaction
    max_clock_skew_s: float = 300.0  # an event may say that it happened this much later than now
    max_views_per_product: int = 64
    max_picture_bytes: int = 8 * 1024 * 1024
    keep_changes: int = 100_000  # a follower further behind loads everything again


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: tuple[T, ...]
    next_cursor: str | None  # None: this was the last page


@dataclass(frozen=True, slots=True)
class View:
    """One enrolled picture of a product."""

    picture: bytes | None  # encoded as it came; None where the caller asked for embeddings only
    embeddings: Vectors  # float32 (n, dim), L2-normalised: one row per crop or flip of the picture
    model: str  # which embedder made them


@dataclass(frozen=True, slots=True)
class Appended:
    accepted: int
    duplicates: int  # event ids that were known already, within the batch or from before


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    seq: int  # from 1, without gaps, in order of commit
    event: Event


@dataclass(frozen=True, slots=True)
class Change:
    seq: int  # from 1, without gaps, in order of commit
    kind: ChangeKind
    key: str  # the id of the object; of the product for a `view`
    op: ChangeOp


@dataclass(frozen=True, slots=True)
class AuditEntry:
    seq: int
    at: datetime
    actor: str
    action: str  # `product.put`, `room.delete`, `viewer.erase`, ...
    key: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class ShelfMoment:
    """What a room sold from `at` on, until the next moment."""

    at: datetime
    live: bool
    shelf: tuple[ProductId, ...]
    showing: ProductId | None


@dataclass(frozen=True, slots=True)
class Exposure:
    experiment: str
    variant: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NewExposure:
    """A viewer was given a variant; only the first one of an experiment is kept."""

    experiment: str
    variant: str
    viewer_id: ViewerId
    at: datetime


@dataclass(frozen=True, slots=True)
class Allocation:
    """Weights that an experiment's results have led to, the same for all replicas."""

    period: int
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class VariantSums:
    """What a variant's viewers have done, summed in the database."""

    variant: str
    products: Sums  # float64 (m, m): over viewers, the sum of each product of two of the measures of models.evaluation.experiments


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody asked what the store and the bank do not answer."""

    question: str
    at: datetime
    source: QuestionSource
    answer: str | None = None  # what the LLM said
    language: Language | None = None
    room_id: RoomId | None = None
    product_id: ProductId | None = None
    viewer_id: ViewerId | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question for the knowledge's editors; asked again in other spacing, case or punctuation it is the same one."""

    question_id: int
    question: str  # as it was asked first
    status: QuestionStatus
    source: QuestionSource  # of the latest time
    answer: str | None  # what the LLM said the latest time it did
    language: Language | None
    product_id: ProductId | None
    room_ids: tuple[RoomId, ...]  # where it was asked, in order of id
    count: int
    first_asked: datetime
    last_asked: datetime
    document_id: DocumentId | None = None  # the bank entry that was made of it


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """What is held about one viewer's asking."""

    question: str
    at: datetime  # the latest time
    status: QuestionStatus
    room_id: RoomId | None = None
    product_id: ProductId | None = None


@dataclass(frozen=True, slots=True)
class ViewerRecord:
    """All that is held about one viewer."""

    viewer_id: ViewerId
    events: tuple[Event, ...]  # oldest first
    questions: tuple[OwnQuestion, ...]
    exposures: tuple[Exposure, ...]


__all__ = [
    "Allocation",
    "Appended",
    "Asking",
    "AuditEntry",
    "Change",
    "ChangeKind",
    "ChangeOp",
    "EventId",
    "Exposure",
    "NewExposure",
    "NumberedEvent",
    "OwnQuestion",
    "Page",
    "Question",
    "QuestionOrder",
    "QuestionSource",
    "QuestionStatus",
    "ShelfMoment",
    "StoreOptions",
    "VariantSums",
    "View",
    "ViewerRecord",
]
