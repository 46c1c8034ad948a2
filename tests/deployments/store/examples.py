"""Values to store."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from deployments.store import Asking, View
from models.types import Document, DocumentId, Event, EventId, EventType, Money, Product, ProductId, Room, RoomId, ViewerId

START = datetime(2025, 11, 11, 20, 0, tzinfo=UTC)
BY = "test"


def product(number: int = 1, *, title: str = "保温杯 thermos", stock: int | None = 7) -> Product:
    return Product(
        product_id=ProductId(f"p{number}"),
        title=title,
        category="cup",
        price=Money(Decimal("199.00"), "CNY"),
        brand="虎牌",
        attributes={"净含量": "500 ml", "colour": "blue"},
        description="keeps warm",
        tags=("hot", "新品"),
        stock=stock,
    )


def document(number: int = 1, *, about: int | None = None) -> Document:
    product_id = None if about is None else ProductId(f"p{about}")
    return Document(DocumentId(f"d{number}"), "qa", product_id, question="几天发货？", answer="48 小时内", language="zh")


def room(number: int = 1, *, shelf: tuple[int, ...] = (), showing: int | None = None, live: bool = True) -> Room:
    held_up = None if showing is None else ProductId(f"p{showing}")
    return Room(RoomId(f"r{number}"), "夜场", "Li", ("tea",), live, tuple(ProductId(f"p{item}") for item in shelf), held_up)


def event(number: int = 1, *, viewer: str = "v1", kind: EventType = "click", after_s: float | None = None) -> Event:
    at = START + timedelta(seconds=number if after_s is None else after_s)
    return Event(EventId(f"e{number}"), ViewerId(viewer), kind, at, RoomId("r1"), ProductId("p1"), 1.5, "喜欢")


def view(number: int = 1, *, rows: int = 2, model: str = "m1") -> View:
    vectors = np.random.default_rng(number).standard_normal((rows, 4)).astype(np.float32)
    return View(b"picture %d" % number, vectors / np.linalg.norm(vectors, axis=1, keepdims=True), model)


def asking(
    question: str = "能机洗吗？", *, viewer: str | None = None, after_s: float = 0, room: str | None = "r1", about: int | None = None
) -> Asking:
    return Asking(
        question,
        START + timedelta(seconds=after_s),
        "none",
        language="zh",
        room_id=None if room is None else RoomId(room),
        product_id=None if about is None else ProductId(f"p{about}"),
        viewer_id=None if viewer is None else ViewerId(viewer),
    )
