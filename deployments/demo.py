"""The demo world in the store: products with pictures, knowledge, rooms and a week of simulated viewers.

Everything is written as a backend team would write it: through the store, with the configured embedder for the pictures.
"""

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from deployments.loading import load_detector
from deployments.settings import Settings
from deployments.shop import open_store
from deployments.store import Store
from deployments.store.values import View
from models.demo.catalog import demo_documents, demo_products, demo_rooms
from models.demo.drawing.look import look_of
from models.demo.pictures import catalogue_picture
from models.demo.simulator import simulate
from models.types import Event, Product
from models.vision.embedder_info import embedder_info

ACTOR = "demo"
SEED = 7
VIEWERS = 300
DAYS = 7.0
VIEWS = 4  # pictures per product
EVENTS_AT_ONCE = 2_000

Progress = Callable[[str, int, int], None]  # what, done, of how many
T = TypeVar("T")


def main() -> None:
    """`python -m deployments.demo SETTINGS_JSON`: fill the store if it is empty, telling progress on standard output."""

    async def load() -> bool:
        settings = Settings.model_validate_json(sys.argv[1])
        async with await open_store(settings) as store:
            return await load_demo(store, settings, lambda what, done, of: print(f"demo world: {what} {done}/{of}", flush=True))

    asyncio.run(load())


async def load_demo(store: Store, settings: Settings, progress: Progress) -> bool:
    """Fill an empty store; False, and nothing done, when it holds anything else. Doing it again after an interruption completes it.

    Rooms come last: a store with the demo's first product and without its rooms is taken for an interrupted load.
    """
    if not await wants_demo(store):
        return False
    products, rooms = demo_products(), demo_rooms()
    await store.put_products(products, actor=ACTOR)
    await store.put_documents(demo_documents(), actor=ACTOR)
    await _events(store, simulate(products, rooms, viewers=VIEWERS, days=DAYS, seed=SEED, until=datetime.now(UTC)), progress)
    views = await asyncio.to_thread(_views, products, settings, progress)
    for done, (product, of_product) in enumerate(zip(products, views, strict=True), start=1):
        await store.replace_views(product.product_id, of_product, actor=ACTOR)
        progress("pictures stored", done, len(products))
    await store.put_rooms(rooms, actor=ACTOR)
    return True


async def wants_demo(store: Store) -> bool:
    """Whether the store is empty, or holds the beginning of a demo world that was not finished."""
    held = (await store.list_products(limit=1)).items
    if not held:
        return True
    return held[0].product_id == demo_products()[0].product_id and not (await store.list_rooms(limit=1)).items


async def _events(store: Store, events: Iterable[Event], progress: Progress) -> None:
    done = 0
    for batch in _batches(events, EVENTS_AT_ONCE):
        await store.append_events(batch)
        done += len(batch)
        progress("events", done, done)


def _views(products: tuple[Product, ...], settings: Settings, progress: Progress) -> list[list[View]]:
    detector = load_detector(settings.detector, settings.embedder)
    tag = embedder_info(settings.embedder).tag
    views: list[list[View]] = []
    for done, product in enumerate(products, start=1):
        look = look_of(product.product_id, product.category)
        pictures = [catalogue_picture(look, view) for view in range(VIEWS)]
        embedded = [value for value in detector.embed(pictures) if not isinstance(value, Exception)]
        views.append([View(picture, vectors, tag) for picture, vectors in zip(pictures, embedded, strict=True)])
        progress("pictures embedded", done, len(products))
    return views


def _batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(values)
    while batch := list(islice(left, size)):
        yield batch


if __name__ == "__main__":
    main()
