"""The shop as the graphs read it: products and rooms from this process's own copy, viewers from the store."""

import asyncio
import contextlib
from collections.abc import Collection, Mapping

from deployments.settings import Settings
from deployments.store.follower import Follower, Value
from deployments.store.store import Store
from deployments.store.values import ChangeKind, StoreOptions
from graphs.errors import Unavailable
from models.types import Event, Product, ProductId, Room, RoomId, ViewerId


async def open_store(settings: Settings) -> Store:
    """The installation's store, its schema up to date. Raises Unavailable."""
    if settings.store_url.startswith("sqlite"):
        settings.home.mkdir(parents=True, exist_ok=True)
    timeout_s = settings.store.statement_timeout_s
    return await Store.open(settings.store_url, StoreOptions(statement_timeout_s=timeout_s, lock_timeout_s=timeout_s))


MOST_LAG_S = 30.0


class LiveShop:
    """Catalog and Viewers. What is in the copy is at most a poll old; what is not is looked up, so a new product is there at once."""

    def __init__(self, store: Store, *, poll_s: float) -> None:
        self._store = store
        self._products: dict[ProductId, Product] = {}
        self._rooms: dict[RoomId, Room] = {}
        self._follower = Follower(store, self._on_change, kinds=("product", "room"), poll_s=poll_s)
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Load everything, then follow until `stop`."""
        self._following = asyncio.create_task(self._follower.run(), name="follow shop")
        await self._follower.wait_for(0, timeout_s=60.0)

    async def stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following

    async def ping(self) -> None:
        """Raises Unavailable when this process's copy has fallen far behind the store."""
        if self._follower.lag_s > MOST_LAG_S:
            raise Unavailable(f"the copy of the shop is {self._follower.lag_s:.0f} s behind the store")

    async def _on_change(self, kind: ChangeKind, key: str, value: Value | None) -> None:
        match value:
            case Product():
                self._products[value.product_id] = value
            case Room():
                self._rooms[value.room_id] = value
            case _ if kind == "product":
                self._products.pop(ProductId(key), None)
            case _:
                self._rooms.pop(RoomId(key), None)

    async def products(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        found = {p: product for p in product_ids if (product := self._products.get(p)) is not None}
        missing = [p for p in product_ids if p not in found]
        return {**found, **await self._store.products(missing)} if missing else found

    async def room(self, room_id: RoomId) -> Room | None:
        return self._rooms.get(room_id) or await self._store.room(room_id)

    async def live_rooms(self) -> tuple[Room, ...]:
        return tuple(room for room in self._rooms.values() if room.live)

    async def history(self, viewer_id: ViewerId, *, limit: int) -> tuple[Event, ...]:
        return await self._store.viewer_history(viewer_id, limit)

    async def visits(self, viewer_id: ViewerId, *, limit: int) -> tuple[Event, ...]:
        return await self._store.visits(viewer_id, limit)

    async def displays(self, host: ViewerId, *, limit: int) -> tuple[Event, ...]:
        return await self._store.displays(host, limit)
