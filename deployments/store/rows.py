"""Values to rows and back. What PostgreSQL or SQLite could not store is refused here, alike for both, before any transaction."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import RowMapping

from deployments.store.schema import is_storable
from deployments.store.values import View
from graphs.errors import InvalidEvent, InvalidRow
from models.types import Document, Event, Money, Product, Room

T = TypeVar("T")
Row = dict[str, Any]  # column -> what the driver takes

_MOST_STOCK = 2**63 - 1
_FLOAT32 = np.dtype("<f4")
_OLDEST_EVENT = datetime(2000, 1, 1, tzinfo=UTC)
_MEASURED = frozenset({"watch", "display", "purchase"})  # events whose value is a length of time or money
_LARGEST_MEASURE = 1e12


def checked_rows(values: Iterable[T], to_row: Callable[[T], Row], error: type[InvalidRow] | type[InvalidEvent] = InvalidRow) -> list[Row]:
    """All rows, or `error` with `details` of one `{"index", "message"}` for each value that cannot be stored."""
    rows: list[Row] = []
    faults: list[Mapping[str, object]] = []
    for index, value in enumerate(values):
        try:
            rows.append(to_row(value))
        except (ValueError, OverflowError) as fault:
            faults.append({"index": index, "message": str(fault)})
    if faults:
        raise error(f"{len(faults)} of {len(rows) + len(faults)} rows cannot be stored: {faults[0]['message']}", details=tuple(faults))
    return rows


def require_storable(*texts: str | None) -> None:
    """Raises ValueError for text that is no valid UTF-8 (lone surrogates) or holds NUL, which PostgreSQL does not take."""
    for text in texts:
        if text is not None and not is_storable(text):
            raise ValueError(f"text with a NUL character or half of a surrogate pair cannot be stored: {text[:40]!a}")


def product_row(product: Product) -> Row:
    require_storable(product.product_id, product.title, product.category, product.brand, product.description, product.price.currency)
    require_storable(*product.tags, *product.attributes.keys(), *product.attributes.values())
    if not product.price.amount.is_finite():
        raise ValueError(f"the price {product.price.amount} is not a number")
    if product.stock is not None and abs(product.stock) > _MOST_STOCK:
        raise ValueError(f"the stock {product.stock} does not fit 64 bits")
    return {
        "product_id": product.product_id,
        "title": product.title,
        "category": product.category,
        "price_amount": str(product.price.amount),
        "price_currency": product.price.currency,
        "brand": product.brand,
        "attributes": dict(product.attributes),
        "description": product.description,
        "tags": list(product.tags),
        "stock": product.stock,
    }


def product_of(row: RowMapping) -> Product:
    fields = dict(row)
    price = Money(Decimal(fields.pop("price_amount")), fields.pop("price_currency"))
    return Product(**{**fields, "price": price, "tags": tuple(fields["tags"])})


def document_row(document: Document) -> Row:
    row: Row = {name: getattr(document, name) for name in Document.__slots__}
    require_storable(*row.values())
    return row


def document_of(row: RowMapping) -> Document:
    return Document(**row)


def room_row(room: Room) -> Row:
    """Without the shelf, which has rows of its own."""
    require_storable(room.room_id, room.title, room.host, room.showing, *room.tags, *room.shelf)
    return {
        "room_id": room.room_id,
        "title": room.title,
        "host": room.host,
        "tags": list(room.tags),
        "live": room.live,
        "showing": room.showing,
    }


def event_row(event: Event, *, latest: datetime) -> Row:
    """Without `seq`, which the commit gives. Raises ValueError for an event after `latest`: a clock that is wrong must not move ours."""
    require_storable(event.event_id, event.viewer_id, event.type, event.room_id, event.product_id, event.text)
    if event.at.tzinfo is None:
        raise ValueError(f"the time {event.at.isoformat()} has no zone")
    if not _OLDEST_EVENT <= event.at <= latest:
        raise ValueError(f"the time {event.at.isoformat()} is not between {_OLDEST_EVENT.isoformat()} and {latest.isoformat()}")
    if event.value is not None and not math.isfinite(event.value):
        raise ValueError(f"the value {event.value} is not a finite number")
    if event.value is not None and event.type in _MEASURED and not 0 <= event.value <= _LARGEST_MEASURE:
        raise ValueError(f"the value {event.value} of a {event.type} is not between 0 and {_LARGEST_MEASURE:g}")
    return {**{name: getattr(event, name) for name in Event.__slots__}, "at": event.at.astimezone(UTC)}


def event_of(row: RowMapping) -> Event:
    return Event(**{name: row[name] for name in Event.__slots__})


def view_row(view: View) -> Row:
    """Without `product_id`. The picture's sha256 makes enrolling it again a replacement."""
    require_storable(view.model)
    embeddings = np.ascontiguousarray(view.embeddings, dtype=_FLOAT32)
    if view.picture is None:
        raise ValueError("a view is enrolled with its picture")
    if embeddings.ndim != 2 or embeddings.size == 0:
        raise ValueError(f"embeddings are (n, dim) with n and dim above 0, not {embeddings.shape}")
    if not np.isfinite(embeddings).all():
        raise ValueError("embeddings hold a number that is not finite")
    return {
        "picture_sha256": sha256(view.picture).digest(),
        "picture": view.picture,
        "embeddings": embeddings.tobytes(),
        "dim": embeddings.shape[1],
        "model": view.model,
    }


def view_of(row: RowMapping) -> View:
    """`picture` is None when the column was not selected."""
    embeddings = np.frombuffer(row["embeddings"], dtype=_FLOAT32).reshape(-1, row["dim"]).astype(np.float32)
    return View(picture=row.get("picture"), embeddings=embeddings, model=row["model"])


def distinct(values: Sequence[T], key: Callable[[T], str]) -> list[T]:
    """One value per key, the last: as if they were put one after the other."""
    return list({key(value): value for value in values}.values())
