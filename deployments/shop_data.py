"""What a recommender is trained on: events, products and rooms, from the store or from a folder of files."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from deployments.ingress.call import as_dataclass
from deployments.ingress.routes.products import product_from
from deployments.rows import RowError, read_rows, to_product
from deployments.settings import Settings
from deployments.shop import open_store
from deployments.store.values import Page
from livecart_client import wire
from models.interactions.event_log import EventLog
from models.interactions.events import event_files, read_events
from models.interactions.staging import Staging
from models.types import ModelInputError, Product, Room

T = TypeVar("T")
Body = TypeVar("Body", bound=BaseModel)
PAGE = 500
EVENTS_AT_ONCE = 10_000
SUFFIXES = (".jsonl", ".ndjson", ".csv")


@dataclass(frozen=True, slots=True)
class ShopData:
    events: EventLog
    products: list[Product]
    rooms: list[Room]
    source: str


def from_folder(folder: Path) -> ShopData:
    """`events.csv|jsonl|parquet`, `products.csv|jsonl` and, if there are rooms, `rooms.jsonl`, in the forms of the HTTP API.

    Raises ModelInputError that names file, line and what is needed.
    """
    if not folder.is_dir():
        raise ModelInputError(f"{folder} is no folder; it should hold events.csv or events.jsonl, and products.csv or products.jsonl")
    products = _file(folder, "products")
    if products is None:
        raise ModelInputError(f"{folder} holds no products.jsonl or products.csv; what viewers touched has to be known")
    if not any(path.name.startswith("events") for path in event_files(folder)):
        raise ModelInputError(f"{folder} holds no events.csv, events.jsonl or events.parquet")
    rooms = _rooms_file(folder)
    return ShopData(
        read_events(folder),
        products_from(products),
        [as_dataclass(Room, body) for body in _bodies(rooms, wire.Room)] if rooms else [],
        folder.as_posix(),
    )


def products_from(path: Path) -> list[Product]:
    """The products of a CSV or JSONL file, as `livecart catalog import` takes it. Raises ModelInputError."""
    return [product_from(body) for body in _bodies(path, wire.Product)]


def from_store(settings: Settings) -> ShopData:
    """Everything that the installation's store holds. Raises Unavailable."""
    return asyncio.run(_from_store(settings))


def products_of_store(settings: Settings) -> list[Product]:
    """The products that the installation's store holds. Raises Unavailable."""
    return asyncio.run(_products_of_store(settings))


async def _products_of_store(settings: Settings) -> list[Product]:
    async with await open_store(settings) as store:
        return [product async for product in _all(store.list_products)]


async def _from_store(settings: Settings) -> ShopData:
    async with await open_store(settings) as store:
        with Staging() as staging:
            seen = 0
            while numbered := await store.events_since(seen, EVENTS_AT_ONCE):
                staging.add(one.event for one in numbered)
                seen = numbered[-1].seq
            events = staging.finish()
        products = [product async for product in _all(store.list_products)]
        rooms = [room async for room in _all(store.list_rooms)]
    return ShopData(events, products, rooms, "the store")


async def _all(list_page: Callable[[str | None, int], Awaitable[Page[T]]]) -> AsyncIterator[T]:
    cursor: str | None = None
    while True:
        page = await list_page(cursor, PAGE)
        for item in page.items:
            yield item
        cursor = page.next_cursor
        if cursor is None:
            return


def _file(folder: Path, name: str) -> Path | None:
    return next((path for suffix in SUFFIXES if (path := folder / f"{name}{suffix}").is_file()), None)


def _rooms_file(folder: Path) -> Path | None:
    found = _file(folder, "rooms")
    if found is not None and found.suffix == ".csv":
        raise ModelInputError(f"{found}: a room's shelf and times do not fit the cells of a table; write rooms.jsonl, or leave it out")
    return found


def _bodies(path: Path, kind: type[Body]) -> Iterator[Body]:
    try:
        for number, row in enumerate(read_rows(path, to_product), start=1):
            yield _body(path, number, kind, row)
    except RowError as error:
        raise ModelInputError(str(error)) from error


def _body(path: Path, number: int, kind: type[Body], row: Mapping[str, Any]) -> Body:
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "row"
        raise ModelInputError(f"{path}, row {number}: {where}: {first['msg']}") from error
