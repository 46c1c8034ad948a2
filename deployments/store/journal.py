"""The change log that followers read, and the audit log: written in the transaction of the change they tell of."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from sqlalchemy import Connection, delete, insert, select, update

from deployments.store.database import Section
from deployments.store.queries import page_before
from deployments.store.rows import Row, require_storable
from deployments.store.schema import audit_log, changes, counters
from deployments.store.values import AuditEntry, Change, ChangeKind, ChangeOp, Page
from graphs.errors import InvalidRequest

Counter = Literal["changes", "events", "questions", "exposures"]

_TRIM_EVERY = 1_000  # changes between two looks at the log's length


@dataclass(frozen=True, slots=True)
class By:
    """Who asked for a change, and in which request."""

    actor: str
    request_id: str | None

    def __post_init__(self) -> None:
        try:
            require_storable(self.actor, self.request_id)
        except ValueError as error:
            raise InvalidRequest(str(error), param="request_id") from error


class Journal:
    """What one transaction changes. Its existence means that no other transaction is writing the catalogue."""

    def __init__(self, connection: Connection, by: By) -> None:
        self.connection = connection
        self._by = by
        self._noted: list[tuple[ChangeKind, str, ChangeOp]] = []
        self.seq = lock_counter(connection, "changes")  # of the last change; after the `with`, this transaction's last

    def note(self, kind: ChangeKind, op: ChangeOp, keys: Iterable[str]) -> None:
        self._noted += [(kind, key, op) for key in keys]

    def write(self, keep: int) -> None:
        """Number and store what was noted; forget changes older than the last `keep`, once in a while."""
        if not self._noted:
            return
        first = self.seq + 1
        self.connection.execute(insert(changes), self._change_rows(first))
        audit(self.connection, self._by, [(f"{kind}.{op}", key) for kind, key, op in self._noted])
        self.seq += len(self._noted)
        move_counter(self.connection, "changes", self.seq)
        if first // _TRIM_EVERY != (self.seq + 1) // _TRIM_EVERY:
            self.connection.execute(delete(changes).where(changes.c.seq <= self.seq - keep))

    def _change_rows(self, first: int) -> list[Row]:
        return [{"seq": seq, "kind": kind, "key": key, "op": op} for seq, (kind, key, op) in enumerate(self._noted, start=first)]


@contextmanager
def journal(connection: Connection, by: By, *, keep: int) -> Iterator[Journal]:
    """Opened before anything is read or written: it waits for the other writers, and followers see transactions in this order."""
    opened = Journal(connection, by)
    yield opened
    opened.write(keep)


def lock_counter(connection: Connection, name: Counter) -> int:
    """The last number given; nobody else gives one until this transaction ends. (SQLite's writers have the whole file already.)"""
    return int(connection.execute(select(counters.c.value).where(counters.c.name == name).with_for_update()).scalar_one())


def move_counter(connection: Connection, name: Counter, value: int) -> None:
    connection.execute(update(counters).where(counters.c.name == name).values(value=value))


def audit(connection: Connection, by: By, actions: Iterable[tuple[str, str | None]]) -> None:
    """Append to the audit log: pairs of action and key."""
    now = datetime.now(UTC)
    rows = [{"at": now, "actor": by.actor, "action": action, "key": key, "request_id": by.request_id} for action, key in actions]
    if rows:
        connection.execute(insert(audit_log), rows)


class Journals(Section):
    """Reading the change log and the audit log."""

    async def last_change(self) -> int:
        """The number of the newest change; 0 before the first."""
        return await self._database.read(partial(_last, name="changes"))

    async def changes_since(self, seq: int, limit: int = 1_000) -> list[Change]:
        """The changes after `seq`, oldest first. One that does not begin with `seq + 1` says that older ones were forgotten."""
        statement = select(changes).where(changes.c.seq > seq).order_by(changes.c.seq).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(statement).mappings().all())
        return [Change(**row) for row in rows]

    async def audit(self, limit: int = 100, cursor: str | None = None) -> Page[AuditEntry]:
        """Who changed what, newest first."""
        page = await self._database.read(
            lambda connection: page_before(connection, select(audit_log), audit_log.c.seq, cursor, limit),
        )
        return Page(tuple(AuditEntry(**row) for row in page.items), page.next_cursor)


def _last(connection: Connection, name: Counter) -> int:
    return int(connection.execute(select(counters.c.value).where(counters.c.name == name)).scalar_one())
