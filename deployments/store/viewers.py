"""Viewers: all that is held about one person, and forgetting it."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from deployments.store.askings import forget_asker
from deployments.store.database import Section
from deployments.store.events import event_digests
from deployments.store.experiments import unlink_exposures
from deployments.store.journal import By, audit, lock_counter
from deployments.store.rows import event_of
from deployments.store.schema import askers, erased_events, erasures, events, exposures, questions
from deployments.store.values import Exposure, OwnQuestion, ViewerRecord
from models.types import ViewerId


class Viewers(Section):
    async def viewer(self, viewer_id: ViewerId) -> ViewerRecord | None:
        """All that is held about a viewer; None when nothing is."""
        return await self._database.read(lambda connection: _record(connection, viewer_id))

    async def erase_viewer(self, viewer_id: ViewerId, *, actor: str, request_id: str | None = None) -> bool:
        """Forget a person; False when nothing was held.

        Events stay for the statutory record under one random viewer and without text; their ids become random too, and sending one again
        counts as duplicate. Exposures stay under that same random viewer, so that results do not change. Questions that nobody else has
        asked go. Whoever comes back under the same id is a new person.
        """
        by = By(actor, request_id)
        erased = await self._database.write(lambda connection: _erase(connection, viewer_id, by))
        if erased and self._database.is_sqlite:
            await self._database.shrink_log()
        return erased


def _record(connection: Connection, viewer_id: ViewerId) -> ViewerRecord | None:
    def of(table_rows: str) -> Sequence[RowMapping]:
        return connection.execute(statements[table_rows]).mappings().all()

    statements = {
        "events": select(events).where(events.c.viewer_id == viewer_id).order_by(events.c.at, events.c.seq),
        "questions": select(questions.c.question, questions.c.status, questions.c.product_id, askers.c.at, askers.c.room_id)
        .join(askers, askers.c.question_id == questions.c.question_id)
        .where(askers.c.viewer_id == viewer_id)
        .order_by(askers.c.question_id),
        "exposures": select(exposures).where(exposures.c.viewer_id == viewer_id).order_by(exposures.c.at, exposures.c.experiment),
    }
    record = ViewerRecord(
        viewer_id,
        events=tuple(map(event_of, of("events"))),
        questions=tuple(OwnQuestion(**row) for row in of("questions")),
        exposures=tuple(Exposure(row["experiment"], row["variant"], row["at"]) for row in of("exposures")),
    )
    return record if record.events or record.questions or record.exposures else None


def _erase(connection: Connection, viewer_id: ViewerId, by: By) -> bool:
    lock_counter(connection, "events")
    if _record(connection, viewer_id) is None:
        return False
    nobody = ViewerId(f"erased-{secrets.token_hex(16)}")
    count = _unlink_events(connection, viewer_id, nobody)
    forget_asker(connection, viewer_id)
    unlink_exposures(connection, viewer_id, nobody)
    erasure_id = secrets.token_hex(16)
    connection.execute(insert(erasures), {"erasure_id": erasure_id, "at": datetime.now(UTC), "event_count": count})
    audit(connection, by, [("viewer.erase", erasure_id)])  # the audit log must not name the person either
    return True


def _unlink_events(connection: Connection, viewer_id: ViewerId, nobody: ViewerId) -> int:
    """Give the viewer's events to `nobody`, and random ids; returns how many they are."""
    event_ids = connection.scalars(select(events.c.event_id).where(events.c.viewer_id == viewer_id)).all()
    if not event_ids:
        return 0
    connection.execute(insert(erased_events), [{"event_digest": digest} for digest in event_digests(connection, event_ids)])
    unlink = update(events).where(events.c.event_id == bindparam("known_id"))
    unlink = unlink.values(event_id=bindparam("random_id"), viewer_id=nobody, text=None)
    connection.execute(unlink, [{"known_id": event_id, "random_id": f"erased-{secrets.token_hex(16)}"} for event_id in event_ids])
    return len(event_ids)
