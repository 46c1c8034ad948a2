"""From files or batches of events to an EventLog on disk, in memory that hardly grows with them: DuckDB sorts, and spills to disk."""

import tempfile
from collections.abc import Iterable
from dataclasses import fields
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import pandas as pd

from models.interactions.event_log import TYPES, Columns, EventLog, microseconds
from models.interactions.plain import plain_rows
from models.types import Event, ProductId, RoomId, ViewerId

MEMORY = "1GB"  # of DuckDB; beyond it goes to disk
_EVENTS_AT_ONCE = 50_000
_ROWS_AT_ONCE = 500_000
_STAGED = "event_id VARCHAR, viewer VARCHAR, type VARCHAR, at_us BIGINT, room VARCHAR, product VARCHAR, value DOUBLE, display VARCHAR"
_NAMES = tuple(column.split()[0] for column in _STAGED.split(", "))
_CODED = ("viewer", "room", "product", "display")


class Staging:
    """Takes events in any order; `finish` gives them back once each, in order of time.

    Everything lies in a folder of its own under `$TMPDIR`, which is gone when this is closed; the mapped columns stay until nobody holds
    them any more, as POSIX has it.
    """

    def __init__(self) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="livecart-events-")
        self._folder = Path(self._scratch.name)
        self._database = duckdb.connect(
            str(self._folder / "staged.duckdb"),
            config={"memory_limit": MEMORY, "temp_directory": str(self._folder / "spilled"), "threads": "2"},
        )
        self._database.execute(f"CREATE TABLE staged ({_STAGED})")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._database.close()
        self._scratch.cleanup()

    def add(self, events: Iterable[Event]) -> None:
        stream = iter(events)
        while batch := list(islice(stream, _EVENTS_AT_ONCE)):
            rows = pd.DataFrame(map(_row, batch), columns=list(_NAMES))
            kinds = {"at_us": "int64", "value": "float64"}
            frame = rows.astype({name: kinds.get(name, "object") for name in _NAMES})
            self._database.register("batch", frame)
            value = "CASE WHEN isnan(value) THEN NULL ELSE value END"
            self._database.execute(f"INSERT INTO staged SELECT * REPLACE ({value} AS value) FROM batch")  # noqa: S608  # names of ours
            self._database.unregister("batch")

    def add_plain(self, path: Path) -> bool:
        """All rows of a CSV or Parquet file, if every one is in plain form; else False, and nothing was added."""
        rows = plain_rows(self._database, path)
        if rows is None:
            return False
        self._database.execute(f"INSERT INTO staged SELECT {', '.join(_NAMES)} FROM {rows}")  # noqa: S608  # names of ours
        return True

    def finish(self) -> EventLog:
        """The first of those with one `event_id`, in order of time and then of the id."""
        run = self._database.execute
        run("CREATE TABLE twice AS SELECT hash(event_id) AS hashed FROM staged GROUP BY ALL HAVING count(*) > 1")
        run(
            "DELETE FROM staged WHERE rowid IN (SELECT row FROM (SELECT rowid AS row, row_number() OVER (PARTITION BY event_id ORDER BY "
            "rowid) AS nth FROM staged WHERE hash(event_id) IN (SELECT hashed FROM twice)) WHERE nth > 1)"
        )
        names = {column: self._coded(column) for column in _CODED}
        run(_ORDERED)
        columns = self._written()
        return EventLog(
            columns, list(map(ViewerId, names["viewer"])), list(map(RoomId, names["room"])), list(map(ProductId, names["product"]))
        )

    def _coded(self, column: str) -> list[str]:
        """What stands in a column, in order of its first time; `codes_COLUMN` has the numbers."""
        self._database.execute(
            f"CREATE TABLE codes_{column} AS SELECT name, (row_number() OVER (ORDER BY first, name) - 1)::INTEGER AS code FROM "  # noqa: S608  # names of ours
            f"(SELECT {column} AS name, min(at_us) AS first FROM staged WHERE {column} IS NOT NULL GROUP BY {column})"
        )
        if column == "display":  # the names say nothing
            return []
        return [str(name) for (name,) in self._database.execute(f"SELECT name FROM codes_{column} ORDER BY code").fetchall()]  # noqa: S608

    def _written(self) -> Columns:
        count = int(self._database.execute("SELECT count(*) FROM ordered").fetchall()[0][0])
        columns = Columns.on_disk(self._folder, count)
        for first in range(0, count, _ROWS_AT_ONCE):
            rows = self._database.execute(
                "SELECT * FROM ordered WHERE rowid >= ? AND rowid < ?", [first, first + _ROWS_AT_ONCE]
            ).fetchnumpy()
            for column in fields(Columns):
                getattr(columns, column.name)[first : first + _ROWS_AT_ONCE] = rows[column.name]
        return columns


_ORDERED = f"""
CREATE TABLE ordered AS
SELECT v.code AS viewer, (list_position({list(TYPES)}, type) - 1)::TINYINT AS type, at_us, coalesce(r.code, -1)::INTEGER AS room,
    coalesce(p.code, -1)::INTEGER AS product, coalesce(value, 'NaN'::DOUBLE) AS value, coalesce(d.code, -1)::INTEGER AS display
FROM staged JOIN codes_viewer v ON v.name = viewer LEFT JOIN codes_room r ON r.name = room
    LEFT JOIN codes_product p ON p.name = product LEFT JOIN codes_display d ON d.name = display
ORDER BY at_us, event_id
"""  # noqa: S608  # names of ours


def _row(event: Event) -> tuple[object, ...]:
    display = event.text or None if event.type == "display" else None
    at_us = microseconds(event.at)
    return event.event_id, event.viewer_id, event.type, at_us, event.room_id, event.product_id, event.value, display
