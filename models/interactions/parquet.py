"""Parquet files row by row, read by DuckDB: columns that are not asked for are not read."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from models.interactions.cells import check_columns
from models.interactions.log import InteractionsError

_ROWS_AT_ONCE = 50_000
_ZONED = "TIMESTAMP WITH TIME ZONE"
_WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parquet_rows(path: Path, needed: Sequence[str], optional: Sequence[str]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Where each row is, from 1, and its cells by column; whole numbers as text in columns that end in `_id`, zoned times as datetimes.

    Raises InteractionsError for a file that is not Parquet or lacks a column of `needed`.
    """
    if not path.is_file():
        raise InteractionsError(f"{path} is no file")
    try:
        with duckdb.connect() as connection:
            kinds = _columns(connection, path)
            check_columns(list(kinds), needed, f"{path}, its schema")
            names = [name for name in (*needed, *optional) if name in kinds]
            connection.execute(f"SELECT {', '.join(_selected(name, kinds[name]) for name in names)} FROM read_parquet(?)", [str(path)])  # noqa: S608  # names of ours
            yield from _fetched(connection, path, names, {name for name in names if kinds[name] == _ZONED})
    except duckdb.Error as error:
        raise InteractionsError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}") from error


def _columns(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    return {str(row[0]): str(row[1]) for row in described}


def _selected(name: str, kind: str) -> str:
    if kind == _ZONED:
        return f'epoch_us("{name}")'
    if name.endswith("_id") and kind.removeprefix("U") in _WHOLE:
        return f'CAST("{name}" AS VARCHAR)'
    return f'CAST("{name}" AS DOUBLE)' if kind.startswith("DECIMAL") else f'"{name}"'


def _fetched(
    connection: duckdb.DuckDBPyConnection, path: Path, names: Sequence[str], zoned: set[str]
) -> Iterator[tuple[str, Mapping[str, object]]]:
    number = 0
    while rows := connection.fetchmany(_ROWS_AT_ONCE):
        for row in rows:
            number += 1
            cells = dict(zip(names, row, strict=True))
            for name in zoned:
                cells[name] = None if cells[name] is None else _EPOCH + timedelta(microseconds=cells[name])
            yield f"{path}, row {number}", cells
