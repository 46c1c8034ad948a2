"""Statements that every section needs: upsert, lookup by many keys, pages."""

import base64
import binascii
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from deployments.store.rows import Row
from deployments.store.values import Page
from graphs.errors import InvalidRequest

T = TypeVar("T")

_MOST_KEYS = 1_000  # parameters of one IN


def upsert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert, or replace every column of the row with this primary key."""
    if not rows:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key]
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=replaced), rows)


def rows_with(connection: Connection, statement: Select[Any], column: ColumnElement[Any], keys: Collection[Any]) -> list[RowMapping]:
    """The rows whose `column` is one of `keys`, however many those are."""
    found: list[RowMapping] = []
    for chunk in chunks(keys, _MOST_KEYS):
        found += connection.execute(statement.where(column.in_(chunk))).mappings()
    return found


def existing(connection: Connection, column: ColumnElement[Any], keys: Collection[Any]) -> set[Any]:
    """Which of `keys` the column holds."""
    name = str(column.key)
    return {row[name] for row in rows_with(connection, select(column), column, keys)}


def chunks(values: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(values)
    while chunk := list(islice(left, size)):
        yield chunk


def page_after(connection: Connection, query: Select[Any], key: ColumnElement[str], cursor: str | None, limit: int) -> Page[RowMapping]:
    """Keyset page in ascending order of the unique text column `key`: rows added meanwhile neither repeat nor hide others."""
    if cursor is not None:
        query = query.where(key > decode_cursor(cursor))
    return cut_page(connection, query.order_by(key), limit, lambda row: str(row[str(key.key)]))


def page_before(connection: Connection, query: Select[Any], key: ColumnElement[int], cursor: str | None, limit: int) -> Page[RowMapping]:
    """Keyset page in descending order of the unique number column `key`: the newest first."""
    if cursor is not None:
        query = query.where(key < _decode_number(cursor))
    return cut_page(connection, query.order_by(key.desc()), limit, lambda row: str(row[str(key.key)]))


def cut_page(connection: Connection, statement: Select[Any], limit: int, cursor_of: Callable[[RowMapping], str]) -> Page[RowMapping]:
    """Run an ordered statement; one row too many tells that there is a next page."""
    if limit < 1:
        raise InvalidRequest(f"limit is {limit}; ask for at least 1", param="limit")
    rows = connection.execute(statement.limit(limit + 1)).mappings().all()
    more = len(rows) > limit
    return Page(tuple(rows[:limit]), encode_cursor(cursor_of(rows[limit - 1])) if more else None)


def encode_cursor(key: str) -> str:
    """URL-safe and opaque, so that nobody builds one."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """Raises InvalidRequest for a cursor that no page has given."""
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("the cursor was not given by a page of this list", param="cursor") from error
    if "\0" in key:
        raise InvalidRequest("the cursor was not given by a page of this list", param="cursor")
    return key


def _decode_number(cursor: str) -> int:
    key = decode_cursor(cursor)
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        raise InvalidRequest("the cursor was not given by a page of this list", param="cursor")
    return int(key)
