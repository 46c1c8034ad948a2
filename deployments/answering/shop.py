"""The ports of the answer graph over the rows of a file: each row's question sees the row's own facts and nothing else."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployments.answering.rows import Row
from graphs.guarding import GuardedKnowledge
from models.types import Event, Passage, Product, ProductId, Room, RoomId, ViewerId

if TYPE_CHECKING:
    from models.recommend.retriever import ShopIndex

asking: ContextVar[ProductId] = ContextVar("asking")  # whose facts the question under way may see


def about(row: Row) -> ProductId:
    """The id under which a row's product and facts are kept."""
    return ProductId(f"row-{row.line}")


@dataclass(frozen=True, slots=True)
class RowShop:
    """Catalog and Viewers: the products of the rows; no rooms, no history."""

    stocked: Mapping[ProductId, Product] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "RowShop":
        return cls({about(row): row.product for row in rows if row.product is not None})

    async def products(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        return {product_id: self.stocked[product_id] for product_id in product_ids if product_id in self.stocked}

    async def room(self, room_id: RoomId) -> Room | None:
        return None

    async def live_rooms(self) -> tuple[Room, ...]:
        return ()

    async def history(self, viewer_id: ViewerId, *, limit: int) -> tuple[Event, ...]:
        return ()

    async def visits(self, viewer_id: ViewerId, *, limit: int) -> tuple[Event, ...]:
        return ()

    async def displays(self, host: ViewerId, *, limit: int) -> tuple[Event, ...]:
        return ()


class RowKnowledge:
    """The served index over all rows, searched as if the facts of the row under way were all that is known.

    Documents beside a product are guarded as the ingress guards them; where facts stand alone, their price is the only one there is.
    """

    def __init__(self, index: "ShopIndex", rows: Sequence[Row]) -> None:
        shop = RowShop.of(rows)
        self._stocked = shop.stocked
        self._plain = _OfOneRow(index)
        self._guarded = GuardedKnowledge(self._plain, shop)
        index.put_products(shop.stocked.values())
        index.put_documents([document for row in rows for document in row.documents])

    async def passages(self, query: str, *, products: frozenset[ProductId] | None, k: int) -> tuple[Passage, ...]:
        knowledge = self._guarded if asking.get() in self._stocked else self._plain
        return await knowledge.passages(query, products=products, k=k)


class _OfOneRow:
    def __init__(self, index: "ShopIndex") -> None:
        self._index = index

    async def passages(self, query: str, *, products: frozenset[ProductId] | None, k: int) -> tuple[Passage, ...]:
        return await asyncio.to_thread(self._index.passages, query, products=frozenset({asking.get()}), k=k)
