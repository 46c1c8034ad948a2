"""Views: the pictures a product is recognised by, and their embeddings."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, func, select

from deployments.store.database import Section
from deployments.store.documents import require_products
from deployments.store.journal import By, Journal, journal
from deployments.store.queries import cut_page, decode_cursor, existing, rows_with
from deployments.store.rows import Row, checked_rows, view_of, view_row
from deployments.store.schema import views
from deployments.store.values import Page, View
from graphs.errors import Conflict, PayloadTooLarge
from models.types import ProductId

_EMBEDDINGS = (views.c.view_id, views.c.product_id, views.c.embeddings, views.c.dim, views.c.model)
_WITH_PICTURES = (*_EMBEDDINGS, views.c.picture)


class Views(Section):
    async def add_views(self, product_id: ProductId, values: Sequence[View], *, actor: str, request_id: str | None = None) -> int:
        """Enrol pictures, all or none, and return how many views the product has then. The same picture again replaces its embeddings.

        Raises NotFound (no such product), Conflict (more than `max_views_per_product`), PayloadTooLarge (a picture), InvalidRow.
        """
        return await self._write(product_id, values, By(actor, request_id), keep_others=True)

    async def replace_views(self, product_id: ProductId, values: Sequence[View], *, actor: str, request_id: str | None = None) -> int:
        """As `add_views`, forgetting the others: for another embedder, or with () to unlearn the product's looks."""
        return await self._write(product_id, values, By(actor, request_id), keep_others=False)

    async def views(self, product_id: ProductId) -> tuple[View, ...]:
        """The product's views with their pictures, oldest first; () when there are none."""
        statement = select(*_WITH_PICTURES).order_by(views.c.view_id)
        rows = await self._database.read(lambda connection: rows_with(connection, statement, views.c.product_id, [product_id]))
        return tuple(map(view_of, rows))

    async def embeddings(self, product_ids: Collection[ProductId]) -> dict[ProductId, tuple[View, ...]]:
        """The views of those products that have some, without pictures."""
        return await self._database.read(lambda connection: _embeddings(connection, product_ids))

    async def list_embeddings(self, cursor: str | None = None, limit: int = 100) -> Page[tuple[ProductId, tuple[View, ...]]]:
        """The products that have views, in order of id, each with its views without pictures."""

        def read(connection: Connection) -> Page[tuple[ProductId, tuple[View, ...]]]:
            statement = select(views.c.product_id).distinct().order_by(views.c.product_id)
            if cursor is not None:
                statement = statement.where(views.c.product_id > decode_cursor(cursor))
            page = cut_page(connection, statement, limit, lambda row: str(row["product_id"]))
            found = _embeddings(connection, [row["product_id"] for row in page.items])
            return Page(tuple(sorted(found.items())), page.next_cursor)

        return await self._database.read(read)

    async def _write(self, product_id: ProductId, values: Sequence[View], by: By, *, keep_others: bool) -> int:
        options = self._database.options
        largest = max((len(view.picture) for view in values if view.picture is not None), default=0)
        if largest > options.max_picture_bytes:
            raise PayloadTooLarge(f"a picture has {largest} bytes; at most {options.max_picture_bytes} are kept", param="image")
        rows = [{"product_id": product_id, **row} for row in checked_rows(values, view_row)]

        def write(connection: Connection) -> int:
            with journal(connection, by, keep=options.keep_changes) as written:
                require_products(connection, [product_id], param="product_id")
                if not keep_others:
                    delete_views(written, product_id)
                total = _enrol(connection, product_id, rows)
                if total > options.max_views_per_product:
                    raise Conflict(f"{product_id!r} would have {total} views; at most {options.max_views_per_product} are kept")
                written.note("view", "put", [product_id] if rows else [])
            return total

        return await self._database.write(write)


def delete_views(written: Journal, product_id: ProductId) -> None:
    if existing(written.connection, views.c.product_id, [product_id]):
        written.connection.execute(delete(views).where(views.c.product_id == product_id))
        written.note("view", "delete", [product_id])


def _enrol(connection: Connection, product_id: ProductId, rows: Sequence[Row]) -> int:
    distinct_rows = list({row["picture_sha256"]: row for row in rows}.values())
    for row in distinct_rows:
        again = (views.c.product_id == product_id) & (views.c.picture_sha256 == row["picture_sha256"])
        connection.execute(delete(views).where(again))
    if distinct_rows:
        connection.execute(views.insert(), distinct_rows)
    return connection.execute(select(func.count()).where(views.c.product_id == product_id)).scalar_one()


def _embeddings(connection: Connection, product_ids: Collection[ProductId]) -> dict[ProductId, tuple[View, ...]]:
    found: dict[ProductId, list[View]] = defaultdict(list)
    for row in rows_with(connection, select(*_EMBEDDINGS).order_by(views.c.view_id), views.c.product_id, product_ids):
        found[row["product_id"]].append(view_of(row))
    return {product_id: tuple(held) for product_id, held in found.items()}
