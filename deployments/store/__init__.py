"""Everything that outlives a request: SQLite by default, PostgreSQL by URL."""

from deployments.store.follower import Follower
from deployments.store.store import Store
from deployments.store.values import (
    Appended,
    AuditEntry,
    Change,
    ChangeKind,
    ChangeOp,
    Exposure,
    NumberedEvent,
    Page,
    Question,
    QuestionStatus,
    ShelfMoment,
    StoreOptions,
    View,
    ViewerRecord,
)

__all__ = [
    "Appended",
    "AuditEntry",
    "Change",
    "ChangeKind",
    "ChangeOp",
    "Exposure",
    "Follower",
    "NumberedEvent",
    "Page",
    "Question",
    "QuestionStatus",
    "ShelfMoment",
    "Store",
    "StoreOptions",
    "View",
    "ViewerRecord",
]
