"""Experiments: who was given which variant, what they did before and since, and weights that results have moved.

Sums are made in the database, of what is kept per viewer, a slice of the viewers at a time: neither time nor memory of a statement grows
with the experiment, nor its time with what viewers do.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import combinations_with_replacement

import numpy as np
from sqlalchemy import Connection, Float, RowMapping, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from deployments.store.database import Section
from deployments.store.journal import lock_counter, move_counter
from deployments.store.queries import rows_with
from deployments.store.rows import Row, checked_rows, require_storable
from deployments.store.schema import allocations, events, exposures
from deployments.store.tallies import BEFORE, SINCE, bring_up_to_date
from deployments.store.values import Allocation, NewExposure, Sums, VariantSums
from models.types import ViewerId

SUMMED_AT_ONCE = 20_000  # viewers whose tallies one statement sums
_MEASURES = 1 + len(SINCE) + len(BEFORE)

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

    async def tally(self, experiment: str) -> None:
        """Count what viewers did since the last time, so that sums take less time when they are asked for. Raises Unavailable."""
        await bring_up_to_date(self._database, experiment)

    async def experiment_sums(self, experiment: str) -> list[VariantSums]:
        """Of each variant, what its viewers did before and since their exposure, in order of name; who comes meanwhile may be missing.

        Only what happened since the last time is counted; see `deployments.store.tallies`.
        """
        await bring_up_to_date(self._database, experiment)
        sums: dict[str, Sums] = {}
        after, is_last = "", False
        while not is_last:
            rows = await self._database.read(partial(_slice_sums, experiment, after))
            for row in rows:
                sums[row["variant"]] = sums.get(row["variant"], np.zeros((_MEASURES, _MEASURES))) + _matrix(row)
            is_last = sum(row["viewers"] for row in rows) < SUMMED_AT_ONCE
            after = max((row["last"] for row in rows), default=after)
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


def _slice_sums(experiment: str, after: str, connection: Connection) -> Sequence[RowMapping]:
    """A row for each variant of so many viewers after this one: how many, the last of them, and the sums of products as `p_i_j`, i <= j."""
    chosen = (
        select(exposures)
        .where(exposures.c.experiment == experiment, exposures.c.viewer_id > after, exposures.c.counted.is_not(None))
        .order_by(exposures.c.viewer_id)
        .limit(SUMMED_AT_ONCE)
        .subquery("chosen")
    )
    of = [literal(1.0, Float), *(chosen.c[name] for name in (*SINCE, *BEFORE))]
    pairs = combinations_with_replacement(range(_MEASURES), 2)
    sums = [func.sum(of[one] * of[other]).label(f"p_{one}_{other}") for one, other in pairs]
    counted = [func.count().label("viewers"), func.max(chosen.c.viewer_id).label("last")]
    return connection.execute(select(chosen.c.variant, *counted, *sums).group_by(chosen.c.variant)).mappings().all()


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
