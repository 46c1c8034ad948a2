"""Everything that outlives a request: SQLite by default, PostgreSQL by URL."""

from deployments.store.follower import Follower
from deployments.store.store import Store
from deployments.store.values import (
    Appended,
    Asking,
    AuditEntry,
    Change,
    ChangeKind,
    ChangeOp,
    Exposure,
    NumberedEvent,
    OwnQuestion,
    Page,
    Question,
    QuestionOrder,
    QuestionSource,
    QuestionStatus,
    ShelfMoment,
    StoreOptions,
    View,
    ViewerRecord,
)

__all__ = [
    "Appended",
    "Asking",
    "AuditEntry",
    "Change",
    "ChangeKind",
    "ChangeOp",
    "Exposure",
    "Follower",
    "NumberedEvent",
    "OwnQuestion",
    "Page",
    "Question",
    "QuestionOrder",
    "QuestionSource",
    "QuestionStatus",
    "ShelfMoment",
    "Store",
    "StoreOptions",
    "View",
    "ViewerRecord",
]
