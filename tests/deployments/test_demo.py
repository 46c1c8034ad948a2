from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from deployments.demo import wants_demo
from deployments.store import Store
from models.demo.catalog import demo_products, demo_rooms
from models.types import ProductId

PRODUCTS = demo_products()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(f"sqlite:///{tmp_path / 'shop.db'}") as store:
        yield store


async def test_an_empty_store_is_filled(store: Store) -> None:
    assert await wants_demo(store)


async def test_an_interrupted_load_is_completed_and_a_finished_one_left_alone(store: Store) -> None:
    await store.put_products(PRODUCTS, actor="test")
    assert await wants_demo(store)
    await store.put_rooms(demo_rooms(), actor="test")
    assert not await wants_demo(store)


async def test_a_shop_of_ones_own_is_left_alone(store: Store) -> None:
    await store.put_products([replace(PRODUCTS[0], product_id=ProductId("mine"))], actor="test")
    assert not await wants_demo(store)
