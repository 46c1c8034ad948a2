"""Files of events in which every cell is plain, as a table that DuckDB reads: what is not is left to the reader that can say why."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from models.interactions.cells import LARGEST, LONGEST_ID
from models.interactions.event_log import TYPES

_IDS = {"event_id": "event_id", "viewer_id": "viewer", "room_id": "room", "product_id": "product"}
_NEEDED = ("event_id", "viewer_id", "type", "at")
_READ = (*_NEEDED, "room_id", "product_id", "value", "text")
_WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"})
_ZONED = "TIMESTAMP WITH TIME ZONE"
_TIME = r"\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-](0\d|1[0-4]):[0-5]\d)"
_NUMBER = r"-?\d{1,15}(\.\d{1,25})?([eE][+-]?\d{1,3})?"
_EARLIEST, _LATEST = "1971-01-01", "2199-12-31"


def plain_rows(database: duckdb.DuckDBPyConnection, path: Path) -> str | None:
    """A view over a CSV or Parquet file with the columns of `models.interactions.staging`; None where some cell or the file is not plain.

    Plain are ids of printable ASCII without spaces, known types, times as of ISO 8601 with zone and seconds, decimal numbers.
    """
    source = _source(path)
    if source is None:
        return None
    try:
        described = database.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608  # a file that was named
        kinds = {str(row[0]): str(row[1]) for row in described}
        if not set(_NEEDED) <= kinds.keys() or not all(_can_be_plain(name, kinds[name]) for name in _READ if name in kinds):
            return None
        database.execute(f"CREATE OR REPLACE TEMP VIEW plain AS SELECT {_columns(kinds)} FROM {source}")  # noqa: S608  # names of ours
        odd = database.execute("SELECT count(*) FROM plain WHERE NOT coalesce(is_plain, false)").fetchall()
    except duckdb.Error:
        return None
    return "plain" if odd == [(0,)] else None


def _source(path: Path) -> str | None:
    quoted = "'" + str(path).replace("'", "''") + "'"
    suffix = path.suffix.lower()
    if suffix == ".parquet" and path.is_file() and not set("*?[") & set(str(path)):
        return f"read_parquet({quoted})"
    if suffix == ".csv" and path.is_file() and not set("*?[") & set(str(path)):
        header = _header(path)
        if header is not None:
            options = "header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', strict_mode = true"
            columns = "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in header) + "}"
            return f"read_csv({quoted}, {options}, columns = {columns})"
    return None


def _header(path: Path) -> Sequence[str] | None:
    """The columns' names, if they are plain."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            header = next(csv.reader(stream), [])
    except (OSError, UnicodeDecodeError):
        return None
    is_plain = header and len(set(header)) == len(header) and all(name.isidentifier() and name.isascii() for name in header)
    return header if is_plain else None


def _can_be_plain(name: str, kind: str) -> bool:
    if kind == "VARCHAR":
        return True
    if name in _IDS:
        return kind in _WHOLE
    return kind == _ZONED if name == "at" else name == "value" and (kind in {"DOUBLE", "FLOAT"} or kind in _WHOLE)


def _columns(kinds: Mapping[str, str]) -> str:
    """The staged columns, and `is_plain`."""
    selected = [f"{_text(name, kinds)} AS {column}" for name, column in _IDS.items()]
    tests = [_is_id(name, kinds, needed=name in _NEEDED) for name in _IDS]
    at = '"at"' if kinds["at"] == _ZONED else 'try_cast("at" AS TIMESTAMPTZ)'
    selected += ["type", f"epoch_us({at}) AS at_us"]
    tests += [f"type IN {TYPES}", f"{at} BETWEEN '{_EARLIEST}'::TIMESTAMPTZ AND '{_LATEST}'::TIMESTAMPTZ"]
    if kinds["at"] != _ZONED:
        tests.append(f"regexp_full_match(\"at\", '{_TIME}')")
    number, is_number = _number(kinds)
    display = "CASE WHEN type = 'display' THEN nullif(\"text\", '') END" if "text" in kinds else "NULL::VARCHAR"
    tests.append(is_number)
    return ", ".join([*selected, f"{number} AS value", f"{display} AS display", f"({' AND '.join(tests)}) AS is_plain"])


def _text(name: str, kinds: Mapping[str, str]) -> str:
    return f"nullif(CAST(\"{name}\" AS VARCHAR), '')" if name in kinds else "NULL::VARCHAR"


def _is_id(name: str, kinds: Mapping[str, str], *, needed: bool) -> str:
    if name not in kinds:
        return "true"
    fits = f"regexp_full_match({_text(name, kinds)}, '[!-~]+') AND length({_text(name, kinds)}) <= {LONGEST_ID}"
    return f"coalesce({fits}, {'false' if needed else 'true'})"


def _number(kinds: Mapping[str, str]) -> tuple[str, str]:
    """How `value` is read, and whether it is plain."""
    if "value" not in kinds:
        return "NULL::DOUBLE", "true"
    if kinds["value"] != "VARCHAR":
        return 'CAST("value" AS DOUBLE)', f'coalesce(isfinite("value"::DOUBLE) AND abs("value"::DOUBLE) <= {LARGEST}, true)'
    cell = "nullif(\"value\", '')"
    number = f"try_cast({cell} AS DOUBLE)"
    is_plain = f"regexp_full_match({cell}, '{_NUMBER}') AND abs({number}) <= {LARGEST}"
    return number, f"({cell} IS NULL OR coalesce({is_plain}, false))"
