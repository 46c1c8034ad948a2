"""Experiments: who was given which variant, what they did before and since, and weights that results have moved.

Sums are made in the database, per viewer and then per variant, a slice of the viewers at a time: neither time nor memory of a statement
grows with the experiment, nor its time with what viewers do.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import combinations_with_replacement

import numpy as np
from sqlalchemy import ColumnElement, Connection, Float, RowMapping, and_, case, cast, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from deployments.store.database import Section
from deployments.store.journal import lock_counter, move_counter
from deployments.store.queries import rows_with
from deployments.store.rows import Row, checked_rows, require_storable
from deployments.store.schema import allocations, events, exposures
from deployments.store.values import Allocation, NewExposure, Sums, VariantSums
from models.types import EventType, ViewerId

VIEWERS_AT_ONCE = 500  # of the first statement; the next ones take as many as fit into their time
MOST_AT_ONCE = 5_000
STATEMENT_S = 0.5
PAST = timedelta(days=28)  # before the experiment's first exposure; older events are not looked at
_COUNTED: tuple[EventType, ...] = ("impression", "click", "purchase")
_MEASURES = 1 + 2 * (len(_COUNTED) + 1)

Held = Mapping[tuple[str, ViewerId], str]  # experiment and viewer -> variant


class Experiments(Section):
    async def note_exposures(self, given: Sequence[NewExposure]) -> Held:
        """Keep the first variant of each viewer in each experiment; answers the variants that are held.

        Nothing is held of a viewer of whom there is no event: they are not known yet, or were erased meanwhile.
        Raises InvalidRow, Unavailable (then it may be noted or not).
        """
        rows = checked_rows(given, _exposure_row)
        return await self._database.write(lambda connection: _note(connection, rows))

    async def exposure(self, experiment: str, viewer_id: ViewerId) -> str | None:
        """The variant that a viewer was given first."""
        statement = select(exposures.c.variant).where(exposures.c.experiment == experiment, exposures.c.viewer_id == viewer_id)
        return await self._database.read(lambda connection: connection.scalar(statement))

    async def experiment_sums(self, experiment: str) -> list[VariantSums]:
        """Of each variant, what its viewers did before and since their exposure, in order of name; who comes meanwhile may be missing."""
        started = await self._database.read(partial(_first_exposure, experiment))
        sums: dict[str, Sums] = {}
        after, limit, is_last = "", VIEWERS_AT_ONCE, False
        while started is not None and not is_last:
            began_s = time.monotonic()
            rows = await self._database.read(partial(_slice_sums, experiment, (after, limit), started - PAST))
            for row in rows:
                sums[row["variant"]] = sums.get(row["variant"], np.zeros((_MEASURES, _MEASURES))) + _matrix(row)
            is_last = sum(row["p_0_0"] for row in rows) < limit
            after = max((row["last"] for row in rows), default=after)
            limit = _next_limit(limit, time.monotonic() - began_s)
        return [VariantSums(variant, products) for variant, products in sorted(sums.items())]

    async def allocate(self, experiment: str, period: int, weights: Mapping[str, float]) -> Allocation:
        """Write the weights of a period down unless somebody has; answers those that hold."""
        return await self._database.write(lambda connection: _allocate(connection, experiment, period, weights))

    async def allocation(self, experiment: str) -> Allocation | None:
        """The weights of the latest period."""
        statement = select(allocations).where(allocations.c.experiment == experiment).order_by(allocations.c.period.desc()).limit(1)
        row = await self._database.read(lambda connection: connection.execute(statement).mappings().first())
        return None if row is None else Allocation(row["period"], row["weights"])


def unlink_exposures(connection: Connection, viewer_id: ViewerId, nobody: ViewerId) -> None:
    """Give a viewer's exposures to `nobody`."""
    lock_counter(connection, "exposures")  # one that is being noted is either here already, or finds the viewer gone
    connection.execute(update(exposures).where(exposures.c.viewer_id == viewer_id).values(viewer_id=nobody))


def _exposure_row(given: NewExposure) -> Row:
    require_storable(given.experiment, given.variant, given.viewer_id)
    return {"experiment": given.experiment, "variant": given.variant, "viewer_id": given.viewer_id, "at": given.at}


def _note(connection: Connection, rows: Sequence[Row]) -> Held:
    count = lock_counter(connection, "exposures")
    held = _held(map(dict, rows_with(connection, select(exposures), exposures.c.viewer_id, {row["viewer_id"] for row in rows})))
    unseen = [row for row in rows if _key(row) not in held]
    known_viewers = select(events.c.viewer_id).distinct()
    known = {row["viewer_id"] for row in rows_with(connection, known_viewers, events.c.viewer_id, {row["viewer_id"] for row in unseen})}
    fresh = {_key(row): row for row in reversed(unseen) if row["viewer_id"] in known}
    if fresh:
        connection.execute(insert(exposures), list(fresh.values()))
        move_counter(connection, "exposures", count + len(fresh))
    return {**held, **_held(fresh.values())}


def _key(row: Row) -> tuple[str, ViewerId]:
    return str(row["experiment"]), ViewerId(str(row["viewer_id"]))


def _held(rows: Iterable[Row]) -> dict[tuple[str, ViewerId], str]:
    return {_key(row): str(row["variant"]) for row in rows}


def _first_exposure(experiment: str, connection: Connection) -> datetime | None:
    statement = select(exposures.c.at).where(exposures.c.experiment == experiment).order_by(exposures.c.at).limit(1)
    return connection.scalar(statement)


def _next_limit(limit: int, took_s: float) -> int:
    """How many viewers the next statement may take, at most twice as many as the one before.

    >>> _next_limit(500, 0.1), _next_limit(500, 5.0), _next_limit(500, 500.0)
    (1000, 50, 1)
    """
    return max(1, min(2 * limit, MOST_AT_ONCE, int(limit * STATEMENT_S / max(took_s, 1e-6))))


def _slice_sums(experiment: str, chosen_by: tuple[str, int], since: datetime, connection: Connection) -> Sequence[RowMapping]:
    """A row for each variant of so many viewers after this one: the last of them, and the sums of products as `p_i_j`, i <= j."""
    after, limit = chosen_by
    chosen = (
        select(exposures.c.variant, exposures.c.viewer_id, exposures.c.at)
        .where(exposures.c.experiment == experiment, exposures.c.viewer_id > after)
        .order_by(exposures.c.viewer_id)
        .limit(limit)
        .subquery("chosen")
    )
    theirs = and_(events.c.viewer_id == chosen.c.viewer_id, events.c.at >= since, events.c.type.in_(_COUNTED))
    later = events.c.at >= chosen.c.at
    measures = [literal(1.0, Float), *_measured(later), *_measured(~later)]
    viewers = (
        select(chosen.c.variant, chosen.c.viewer_id, *(measure.label(f"m_{place}") for place, measure in enumerate(measures)))
        .select_from(chosen.outerjoin(events, theirs))
        .group_by(chosen.c.variant, chosen.c.viewer_id)
        .subquery("viewers")
    )
    of = [cast(viewers.c[f"m_{place}"], Float) for place in range(_MEASURES)]
    pairs = combinations_with_replacement(range(_MEASURES), 2)
    sums = [func.sum(of[one] * of[other]).label(f"p_{one}_{other}") for one, other in pairs]
    statement = select(viewers.c.variant, func.max(viewers.c.viewer_id).label("last"), *sums).group_by(viewers.c.variant)
    return connection.execute(statement).mappings().all()


def _measured(when: ColumnElement[bool]) -> list[ColumnElement[float]]:
    """Impressions, clicks, purchases, and the value of the purchases."""
    counts = [_sum_where(and_(events.c.type == kind, when), literal(1.0, Float)) for kind in _COUNTED]
    return [*counts, _sum_where(and_(events.c.type == "purchase", when), func.coalesce(events.c.value, 0.0))]


def _sum_where(condition: ColumnElement[bool], value: ColumnElement[float]) -> ColumnElement[float]:
    return func.sum(case((condition, value), else_=0.0))


def _matrix(row: RowMapping) -> Sums:
    products = np.zeros((_MEASURES, _MEASURES))
    for one, other in combinations_with_replacement(range(_MEASURES), 2):
        products[one, other] = products[other, one] = row[f"p_{one}_{other}"]
    return products


def _allocate(connection: Connection, experiment: str, period: int, weights: Mapping[str, float]) -> Allocation:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    row = {"experiment": experiment, "period": period, "weights": dict(weights)}
    connection.execute(dialect.insert(allocations).on_conflict_do_nothing(), row)
    here = select(allocations.c.weights).where(allocations.c.experiment == experiment, allocations.c.period == period)
    return Allocation(period, connection.execute(here).scalar_one())
