"""Documents: what is known beside the products' own specifications."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, select

from deployments.store.database import Section
from deployments.store.journal import By, Journal, journal
from deployments.store.queries import existing, page_after, rows_with, upsert
from deployments.store.rows import Row, checked_rows, distinct, document_of, document_row
from deployments.store.schema import documents, products
from deployments.store.values import Page
from graphs.errors import NotFound
from models.types import Document, DocumentId, ProductId


class Documents(Section):
    async def put_documents(self, values: Sequence[Document], *, actor: str, request_id: str | None = None) -> int:
        """Insert or replace all of them or none; of several with one id the last counts. Returns the number of the last change.

        Raises NotFound when a document is about a product that does not exist, InvalidRow, Unavailable.
        """
        rows = checked_rows(distinct(values, lambda document: document.document_id), document_row)
        by = By(actor, request_id)

        def put(connection: Connection) -> int:
            with journal(connection, by, keep=self._database.options.keep_changes) as written:
                require_products(connection, {row["product_id"] for row in rows if row["product_id"] is not None}, param="product_id")
                upsert(connection, documents, rows)
                written.note("document", "put", [row["document_id"] for row in rows])
            return written.seq

        return await self._database.write(put)

    async def document(self, document_id: DocumentId) -> Document | None:
        return (await self.documents([document_id])).get(document_id)

    async def documents(self, document_ids: Collection[DocumentId]) -> dict[DocumentId, Document]:
        """Those that exist."""
        rows = await self._database.read(lambda connection: rows_with(connection, select(documents), documents.c.document_id, document_ids))
        return {row["document_id"]: document_of(row) for row in rows}

    async def list_documents(self, cursor: str | None = None, limit: int = 100) -> Page[Document]:
        """In order of id. Raises InvalidRequest for a bad cursor or limit."""
        page = await self._database.read(
            lambda connection: page_after(connection, select(documents), documents.c.document_id, cursor, limit)
        )
        return Page(tuple(map(document_of, page.items)), page.next_cursor)

    async def delete_document(self, document_id: DocumentId, *, actor: str, request_id: str | None = None) -> bool:
        """False when it was not there."""
        by = By(actor, request_id)

        def forget(connection: Connection) -> bool:
            with journal(connection, by, keep=self._database.options.keep_changes) as written:
                found = existing(connection, documents.c.document_id, [document_id])
                _delete(written, found)
            return bool(found)

        return await self._database.write(forget)


def require_products(connection: Connection, product_ids: Collection[str], *, param: str) -> None:
    """Raises NotFound naming the products that do not exist; `param` is the field that names them."""
    missing = sorted(set(product_ids) - existing(connection, products.c.product_id, product_ids))
    if missing:
        details: tuple[Row, ...] = tuple({"product_id": product_id, "message": "no such product"} for product_id in missing)
        raise NotFound(f"there is no product {missing[0]!r}; put the product first", param=param, details=details)


def delete_documents_about(written: Journal, product_id: ProductId) -> None:
    about = select(documents.c.document_id).where(documents.c.product_id == product_id)
    _delete(written, set(written.connection.scalars(about)))


def _delete(written: Journal, document_ids: Collection[str]) -> None:
    for document_id in sorted(document_ids):
        written.connection.execute(delete(documents).where(documents.c.document_id == document_id))
    written.note("document", "delete", sorted(document_ids))
