"""The demo shop: sixty invented products, what is known about them, and eight rooms; read from `models/demo/data`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import TypedDict, cast

from models.types import Document, DocumentId, Language, Money, Product, ProductId, Room, RoomId


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question that neither the catalogue nor the documents answer: the service has to decline it."""

    question: str
    language: Language
    product_id: ProductId | None = None  # what the viewer asks about; None: the shop


class _MoneyRow(TypedDict):
    amount: str
    currency: str


class _ProductRow(TypedDict):
    product_id: str
    language: Language
    title: str
    brand: str | None
    category: str
    price: _MoneyRow
    stock: int | None
    attributes: Mapping[str, str]
    tags: list[str]
    description: str | None


class _RoomRow(TypedDict):
    room_id: str
    title: str
    host: str
    tags: list[str]
    live: bool
    shelf: list[str]
    showing: str | None


@cache
def demo_products() -> tuple[Product, ...]:
    """The sixty products, five of each category, in order of their ids."""
    return tuple(_product(row) for row in cast(list[_ProductRow], _rows("products.json")))


@cache
def demo_documents() -> tuple[Document, ...]:
    """Questions with answers about every product, and about the shop (shipping, returns, payment, coupons, after-sales)."""
    return tuple(_document(row) for row in cast(list[dict[str, str | None]], _rows("documents.json")))


@cache
def demo_rooms() -> tuple[Room, ...]:
    """Six rooms that are live and two that are not."""
    return tuple(_room(row) for row in cast(list[_RoomRow], _rows("rooms.json")))


@cache
def unanswerable_questions() -> tuple[OpenQuestion, ...]:
    """Questions for measuring whether the service declines what it cannot support."""
    rows = cast(list[dict[str, str | None]], _rows("unanswerable.json"))
    return tuple(OpenQuestion(str(row["question"]), cast(Language, row["language"]), _product_id(row["product_id"])) for row in rows)


@cache
def paraphrased_questions() -> Mapping[str, DocumentId]:
    """Other wordings of stored questions -> the document that answers them, for measuring retrieval; never trained on."""
    rows = cast(list[dict[str, str]], _rows("paraphrases.json"))
    return {row["question"]: DocumentId(row["document_id"]) for row in rows}


@cache
def demo_languages() -> Mapping[ProductId, Language]:
    """The language in which each product is described."""
    return {ProductId(row["product_id"]): row["language"] for row in cast(list[_ProductRow], _rows("products.json"))}


def _rows(name: str) -> list[object]:
    text = resources.files("models.demo").joinpath("data", name).read_text(encoding="utf-8")
    return cast(list[object], json.loads(text))


def _product_id(value: str | None) -> ProductId | None:
    return None if value is None else ProductId(value)


def _product(row: _ProductRow) -> Product:
    return Product(
        product_id=ProductId(row["product_id"]),
        title=row["title"],
        category=row["category"],
        price=Money(Decimal(row["price"]["amount"]), row["price"]["currency"]),
        brand=row["brand"],
        attributes=dict(row["attributes"]),
        description=row["description"],
        tags=tuple(row["tags"]),
        stock=row["stock"],
    )


def _document(row: Mapping[str, str | None]) -> Document:
    return Document(
        document_id=DocumentId(str(row["document_id"])),
        kind="qa" if row["kind"] == "qa" else "document",
        product_id=_product_id(row["product_id"]),
        question=row["question"],
        answer=row["answer"],
        text=row["text"],
        language=cast(Language | None, row["language"]),
    )


def _room(row: _RoomRow) -> Room:
    return Room(
        room_id=RoomId(row["room_id"]),
        title=row["title"],
        host=row["host"],
        tags=tuple(row["tags"]),
        live=row["live"],
        shelf=tuple(ProductId(product_id) for product_id in row["shelf"]),
        showing=_product_id(row["showing"]),
    )
