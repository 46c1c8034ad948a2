"""Events: what viewers did. Append-only, each counted once however often it is sent."""

import asyncio
import hmac
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, Connection, insert, select

from deployments.store.database import Database, Section
from deployments.store.group_commit import GroupCommit
from deployments.store.journal import lock_counter, move_counter
from deployments.store.queries import existing
from deployments.store.rows import Row, checked_rows, event_of, event_row
from deployments.store.schema import counters, erased_events, events, secrets
from deployments.store.values import Appended, NumberedEvent
from graphs.errors import InvalidEvent
from models.types import Event, ViewerId


class Events(Section):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._group: GroupCommit[Row, Appended] = GroupCommit(
            lambda batches: database.write_now(partial(_append, batches)),
            database.event_writer,
            max_pending=database.options.max_pending_events,
            max_group=database.options.max_group_events,
        )

    async def append_events(self, values: Sequence[Event]) -> Appended:
        """Store all of them or none; returns after the commit, which callers of the same moment share.

        Sending an event again, in this batch, later, or after its viewer was erased, changes nothing and counts as duplicate.
        Raises InvalidEvent (with the rows at fault, such as one before 2000 or later than now plus `max_clock_skew_s`), Overloaded,
        Unavailable (then it may be stored or not: send it again).
        """
        latest = datetime.now(UTC) + timedelta(seconds=self._database.options.max_clock_skew_s)
        rows = checked_rows(values, partial(event_row, latest=latest), InvalidEvent)
        if not rows:
            return Appended(0, 0)
        self._database.require_open()
        return await self._database.within_limit(asyncio.wrap_future(self._group.submit(rows)))

    async def viewer_history(self, viewer_id: ViewerId, limit: int = 100) -> tuple[Event, ...]:
        """The viewer's latest events by their own time, oldest first; `display` events are left out before the limit."""
        return await self._latest(limit, events.c.viewer_id == viewer_id, events.c.type != "display")

    async def displays(self, host: ViewerId, limit: int = 100) -> tuple[Event, ...]:
        """The latest `display` events of a room's host by their own time, oldest first."""
        return await self._latest(limit, events.c.viewer_id == host, events.c.type == "display")

    async def visits(self, viewer_id: ViewerId, limit: int = 100) -> tuple[Event, ...]:
        """The viewer's latest `enter` and `watch` events by their own time, oldest first."""
        return await self._latest(limit, events.c.viewer_id == viewer_id, events.c.type.in_(("enter", "watch")))

    async def _latest(self, limit: int, *wanted: ColumnElement[bool]) -> tuple[Event, ...]:
        latest = select(events).where(*wanted).order_by(events.c.at.desc(), events.c.seq.desc()).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(latest).mappings().all())
        return tuple(map(event_of, rows[::-1]))

    async def events_since(self, seq: int, limit: int = 1_000) -> list[NumberedEvent]:
        """The events after number `seq`, in order of commit: a reader who remembers the last number misses none."""
        statement = select(events).where(events.c.seq > seq).order_by(events.c.seq).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(statement).mappings().all())
        return [NumberedEvent(row["seq"], event_of(row)) for row in rows]

    async def count_events(self) -> int:
        """All events ever accepted, those of erased viewers included; no scan, since the numbers have no gaps."""
        statement = select(counters.c.value).where(counters.c.name == "events")
        return int(await self._database.read(lambda connection: connection.execute(statement).scalar_one()))


def event_digests(connection: Connection, event_ids: Collection[str]) -> dict[bytes, str]:
    """What is kept of an erased event's id: enough to know it again, not enough to read it. The key never leaves the database."""
    key = connection.execute(select(secrets.c.value).where(secrets.c.name == "event_digest")).scalar_one()
    return {hmac.digest(key, event_id.encode(), "sha256"): event_id for event_id in event_ids}


def _append(batches: Sequence[Sequence[Row]], connection: Connection) -> list[Appended]:
    first = lock_counter(connection, "events") + 1
    known = _known(connection, {row["event_id"] for batch in batches for row in batch})
    fresh: list[Row] = []
    answers: list[Appended] = []
    for batch in batches:
        before = len(fresh)
        for row in batch:
            if row["event_id"] not in known:
                known.add(row["event_id"])
                fresh.append({"seq": first + len(fresh), **row})
        accepted = len(fresh) - before
        answers.append(Appended(accepted, len(batch) - accepted))
    if fresh:
        connection.execute(insert(events), fresh)
        move_counter(connection, "events", first + len(fresh) - 1)
    return answers


def _known(connection: Connection, event_ids: set[str]) -> set[str]:
    known = existing(connection, events.c.event_id, event_ids)
    digests = event_digests(connection, event_ids - known)
    erased = existing(connection, erased_events.c.event_digest, digests.keys())
    return known | {digests[digest] for digest in erased}
