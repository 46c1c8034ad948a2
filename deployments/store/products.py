"""Products: what the rooms sell."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, select

from deployments.store.database import Section
from deployments.store.documents import delete_documents_about
from deployments.store.journal import By, Journal, journal
from deployments.store.queries import existing, page_after, rows_with, upsert
from deployments.store.rows import checked_rows, distinct, product_of, product_row
from deployments.store.schema import products
from deployments.store.shelves import take_off_shelves
from deployments.store.values import Page
from deployments.store.views import delete_views
from models.types import Product, ProductId


class Products(Section):
    async def put_products(self, values: Sequence[Product], *, actor: str, request_id: str | None = None) -> int:
        """Insert or replace all of them or none; of several with one id the last counts.

        Returns the number of the last change, for `Follower.wait_for`. Raises InvalidRow, Unavailable.
        """
        rows = checked_rows(distinct(values, lambda product: product.product_id), product_row)
        by = By(actor, request_id)

        def put(connection: Connection) -> int:
            with journal(connection, by, keep=self._database.options.keep_changes) as written:
                upsert(connection, products, rows)
                written.note("product", "put", [row["product_id"] for row in rows])
            return written.seq

        return await self._database.write(put)

    async def product(self, product_id: ProductId) -> Product | None:
        return (await self.products([product_id])).get(product_id)

    async def products(self, product_ids: Collection[ProductId]) -> dict[ProductId, Product]:
        """Those that exist."""
        rows = await self._database.read(lambda connection: rows_with(connection, select(products), products.c.product_id, product_ids))
        return {row["product_id"]: product_of(row) for row in rows}

    async def list_products(self, cursor: str | None = None, limit: int = 100) -> Page[Product]:
        """In order of id. Raises InvalidRequest for a bad cursor or limit."""
        page = await self._database.read(lambda connection: page_after(connection, select(products), products.c.product_id, cursor, limit))
        return Page(tuple(map(product_of, page.items)), page.next_cursor)

    async def delete_product(self, product_id: ProductId, *, actor: str, request_id: str | None = None) -> bool:
        """Forget a product, its views and the documents about it, and take it off every shelf. False when it was not there."""
        by = By(actor, request_id)

        def forget(connection: Connection) -> bool:
            with journal(connection, by, keep=self._database.options.keep_changes) as written:
                return _delete_product(written, product_id)

        return await self._database.write(forget)


def _delete_product(written: Journal, product_id: ProductId) -> bool:
    connection = written.connection
    if not existing(connection, products.c.product_id, [product_id]):
        return False
    delete_views(written, product_id)
    delete_documents_about(written, product_id)
    take_off_shelves(written, product_id)
    connection.execute(delete(products).where(products.c.product_id == product_id))
    written.note("product", "delete", [product_id])
    return True
