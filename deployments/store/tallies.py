"""What each exposed viewer did before and since, kept beside the exposure: sums of an experiment are made of that, and of new events.

An event makes its viewer's exposures due up to its own number; who is due is counted anew, from all their events, a slice of the viewers at
a time. So a tally never drifts, whatever was interrupted, and replicas that count the same do no harm: the tally that counts further wins.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    RowMapping,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from deployments.store.database import Database
from deployments.store.journal import lock_counter
from deployments.store.schema import counters, events, exposures, tallies
from models.types import EventType

EVENTS_AT_ONCE = 20_000  # looked through for viewers who are due
VIEWERS_AT_ONCE = 500  # of the first statement; the next ones take as many as fit into their time
MOST_AT_ONCE = 2_000
STATEMENT_S = 0.5
PAST = timedelta(days=28)  # before the experiment's first exposure; older events are not looked at
COUNTED: tuple[EventType, ...] = ("impression", "click", "purchase")
SINCE = ("impressions", "clicks", "purchases", "revenue")
BEFORE = tuple(f"{name}_before" for name in SINCE)


@dataclass(frozen=True, slots=True)
class _Tally:
    since: datetime  # older events are not looked at
    seen: int  # number of the event up to which viewers were made due


async def bring_up_to_date(database: Database, experiment: str) -> None:
    """Count what was done since the last time; the first time, all. What is interrupted goes on from there. Raises Unavailable."""
    latest = await database.read(_latest)
    tally = await database.read(partial(_held, experiment)) or await database.write(partial(_begun, experiment, latest))
    if tally is None:  # nobody is exposed
        return
    for first in range(tally.seen, latest, EVENTS_AT_ONCE):
        await database.write(partial(_make_due, experiment, first, min(latest, first + EVENTS_AT_ONCE)))
    after, limit = "", VIEWERS_AT_ONCE
    while True:
        began_s = time.monotonic()
        upto, rows = await database.read(partial(_count, experiment, (after, limit), tally.since))
        if rows:
            await database.write(partial(_keep, experiment, upto, rows))
        if len(rows) < limit:
            return
        after = rows[-1]["viewer_id"]
        limit = next_limit(limit, time.monotonic() - began_s)


def next_limit(limit: int, took_s: float) -> int:
    """How many viewers the next statement may take, at most twice as many as the one before.

    >>> next_limit(500, 0.1), next_limit(500, 5.0), next_limit(500, 500.0)
    (1000, 50, 1)
    """
    return max(1, min(2 * limit, MOST_AT_ONCE, int(limit * STATEMENT_S / max(took_s, 1e-6))))


def _latest(connection: Connection) -> int:
    return int(connection.execute(select(counters.c.value).where(counters.c.name == "events")).scalar_one())


def _held(experiment: str, connection: Connection) -> _Tally | None:
    row = connection.execute(select(tallies).where(tallies.c.experiment == experiment)).mappings().first()
    return None if row is None else _Tally(row["since"], row["seen"])


def _begun(experiment: str, latest: int, connection: Connection) -> _Tally | None:
    """Nobody is counted yet, so nobody has to be made due by what has happened so far."""
    lock_counter(connection, "exposures")  # one replica begins
    held = _held(experiment, connection)
    first = connection.scalar(select(func.min(exposures.c.at)).where(exposures.c.experiment == experiment))
    if held is not None or first is None:
        return held
    connection.execute(insert(tallies), {"experiment": experiment, "since": first - PAST, "seen": latest})
    return _Tally(first - PAST, latest)


def _make_due(experiment: str, after: int, upto: int, connection: Connection) -> None:
    active = select(events.c.viewer_id).where(events.c.seq > after, events.c.seq <= upto, events.c.type.in_(COUNTED))
    whose = and_(exposures.c.experiment == experiment, exposures.c.due < upto, exposures.c.viewer_id.in_(active))
    connection.execute(update(exposures).where(whose).values(due=upto))
    connection.execute(update(tallies).where(tallies.c.experiment == experiment, tallies.c.seen < upto).values(seen=upto))


def _count(experiment: str, chosen_by: tuple[str, int], since: datetime, connection: Connection) -> tuple[int, Sequence[RowMapping]]:
    """The number of the latest event, read before, and what so many viewers did who come after this one and are due, in order of id."""
    upto = _latest(connection)
    after, limit = chosen_by
    is_due = or_(exposures.c.counted.is_(None), exposures.c.counted < exposures.c.due)
    chosen = (
        select(exposures.c.viewer_id, exposures.c.at)
        .where(exposures.c.experiment == experiment, exposures.c.viewer_id > after, is_due)
        .order_by(exposures.c.viewer_id)
        .limit(limit)
        .subquery("chosen")
    )
    theirs = and_(events.c.viewer_id == chosen.c.viewer_id, events.c.at >= since, events.c.type.in_(COUNTED))
    later = events.c.at >= chosen.c.at
    measures = [measure.label(name) for name, measure in {**_measured(SINCE, later), **_measured(BEFORE, ~later)}.items()]
    statement = select(chosen.c.viewer_id, *measures).select_from(chosen.outerjoin(events, theirs))
    rows = connection.execute(statement.group_by(chosen.c.viewer_id).order_by(chosen.c.viewer_id)).mappings().all()
    return upto, rows


def _keep(experiment: str, upto: int, rows: Sequence[RowMapping], connection: Connection) -> None:
    """A viewer who was erased meanwhile is not there any more; whoever took their exposure over is still due."""
    of = and_(exposures.c.experiment == experiment, exposures.c.viewer_id == bindparam("whose"))
    is_older = or_(exposures.c.counted.is_(None), exposures.c.counted < upto)
    statement = (
        update(exposures).where(of, is_older).values({name: bindparam(f"new_{name}") for name in (*SINCE, *BEFORE)} | {"counted": upto})
    )
    connection.execute(statement, [{"whose": row["viewer_id"], **{f"new_{name}": row[name] for name in (*SINCE, *BEFORE)}} for row in rows])


def _measured(names: Sequence[str], when: ColumnElement[bool]) -> Mapping[str, ColumnElement[float]]:
    """Impressions, clicks, purchases, and the value of the purchases."""
    counts = [_sum_where(and_(events.c.type == kind, when), literal(1.0, Float)) for kind in COUNTED]
    revenue = _sum_where(and_(events.c.type == "purchase", when), func.coalesce(events.c.value, 0.0))
    return dict(zip(names, [*counts, revenue], strict=True))


def _sum_where(condition: ColumnElement[bool], value: ColumnElement[float]) -> ColumnElement[float]:
    return func.sum(case((condition, value), else_=0.0))
