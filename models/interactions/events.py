"""Own events, as of `POST /v1/events`: `event_id`, `viewer_id`, `type`, `at`, and `room_id`, `product_id`, `value`, `text` where they are.

CSV with a header, JSONL, or Parquet; of `text` only whether displays share it. An event that shows no interest in a product (no
`product_id`, or a type such as `enter`, `watch`, `impression`) is no interaction, but the ranker learns from it. An `event_id` that
comes again counts once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import cast, get_args

import numpy as np

from models.interactions.cells import check_columns, check_identifier, check_number, csv_rows, lines_of, shown
from models.interactions.event_log import NONE, TYPES, Codes, EventLog
from models.interactions.log import Interactions, InteractionsError, in_order
from models.interactions.parquet import parquet_rows
from models.interactions.staging import Staging
from models.json_text import json_value
from models.recommend.history import INTEREST
from models.types import Event, EventId, EventType, ProductId, RoomId, ViewerId

NEEDED = ("event_id", "viewer_id", "type", "at")
OPTIONAL = ("room_id", "product_id", "value", "text")
READ = (".csv", ".jsonl", ".ndjson", ".parquet")
_TYPES = frozenset(get_args(EventType))
_EARLIEST, _LATEST = 1970, 2200  # years


def event_files(location: Path) -> list[Path]:
    """A file of events itself, or all of a folder that begin with `events`, or are the only ones of their kind."""
    if not location.is_dir():
        return [location]
    files = sorted(path for path in location.iterdir() if path.suffix.lower() in READ)
    named = [path for path in files if path.name.lower().startswith("events")]
    if not named and len(files) != 1:
        names = ", ".join(path.name for path in files) or "none"
        raise InteractionsError(f"{location} should hold events.csv, events.jsonl or events.parquet, found {names}")
    return named or files


def read_events(location: Path) -> EventLog:
    """Every event once, in order of time, on disk. Raises InteractionsError."""
    with Staging() as staging:
        for path in event_files(location):
            if not staging.add_plain(path):  # then row by row, which says what is wrong if something is
                staging.add(_events_of(path))
        return staging.finish()


def interactions_of(events: EventLog, source: str) -> Interactions:
    """The events that show interest in a product. Raises InteractionsError when there are none."""
    found = interest_at(events, np.arange(len(events), dtype=np.int32))
    if found is None:
        raise InteractionsError(f"{source} holds no interaction of a user with an item")
    return replace(found, passed_over=len(events) - len(found) - found.duplicates)


def interest_at(events: EventLog, places: Codes) -> Interactions | None:
    """Those of the events at `places` int32 (n,), ascending, that show interest in a product; None where there are none."""
    interest = np.array([INTEREST.get(kind, 0.0) for kind in TYPES], dtype=np.float32)
    columns = events.columns
    places = places[(columns.product[places] != NONE) & (interest[columns.type[places]] > 0)]
    if not len(places):
        return None
    users, user = _numbered(columns.viewer[places])
    items, item = _numbered(columns.product[places])
    log = Interactions(
        users=tuple(events.viewers[code] for code in users.tolist()),
        items=tuple(events.products[code] for code in items.tolist()),
        user=user,
        item=item,
        at=columns.at_us[places] / 1e6,
        weight=interest[columns.type[places]],
        value=columns.value[places].astype(np.float32),
    )
    return in_order(log, unique_pairs=False)


def _numbered(codes: Codes) -> tuple[Codes, Codes]:
    """The codes in order of first appearance, and of each its number among them."""
    known, first, number = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(known), dtype=np.int32)
    rank[order] = np.arange(len(known), dtype=np.int32)
    return known[order], rank[number]


def _events_of(path: Path) -> Iterator[Event]:
    suffix = path.suffix.lower()
    if suffix not in READ:
        raise InteractionsError(f"{path} ends in {suffix or 'nothing'}; {', '.join(READ)} are read")
    if suffix == ".csv":
        rows: Iterable[tuple[str, Mapping[str, object]]] = ((row.where, row.cells) for row in csv_rows(path, NEEDED))
    elif suffix == ".parquet":
        rows = parquet_rows(path, NEEDED, OPTIONAL)
    else:
        rows = _json_rows(path)
    for where, cells in rows:
        yield _event(where, cells)


def _json_rows(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    for number, line in lines_of(path):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json_value(line)
        except ValueError as error:
            raise InteractionsError(f"{where}: {error}") from error
        if not isinstance(row, dict):
            raise InteractionsError(f"{where}: an object is needed, not {type(row).__name__}")
        check_columns(list(row), NEEDED, where)
        yield where, row


def _event(where: str, cells: Mapping[str, object]) -> Event:
    kind = cells["type"]
    if not isinstance(kind, str) or kind not in _TYPES:
        raise InteractionsError(f"{where}, column type: one of {', '.join(sorted(_TYPES))} is needed, not {shown(kind)}")
    return Event(
        event_id=EventId(_identifier(where, cells, "event_id")),
        viewer_id=ViewerId(_identifier(where, cells, "viewer_id")),
        type=cast("EventType", kind),
        at=_time(where, cells["at"]),
        room_id=RoomId(_identifier(where, cells, "room_id")) if _stated(cells, "room_id") else None,
        product_id=ProductId(_identifier(where, cells, "product_id")) if _stated(cells, "product_id") else None,
        value=_value(where, cells.get("value")),
        text=_text(where, cells["text"]) if kind == "display" and _stated(cells, "text") else None,
    )


def _stated(cells: Mapping[str, object], column: str) -> bool:
    return not (cells.get(column) is None or cells[column] == "")


def _identifier(where: str, cells: Mapping[str, object], column: str) -> str:
    text = cells[column]
    if not isinstance(text, str):
        raise InteractionsError(f"{where}, column {column}: an id is text, not {shown(text)}")
    return check_identifier(text.strip(), where, column)


def _text(where: str, stated: object) -> str:
    if not isinstance(stated, str):
        raise InteractionsError(f"{where}, column text: text is needed, not {shown(stated)}")
    return stated


def _time(where: str, stated: object) -> datetime:
    try:
        at = stated if isinstance(stated, datetime) else datetime.fromisoformat(str(stated).strip())
    except ValueError as error:
        raise InteractionsError(f"{where}, column at: an ISO 8601 time is needed, not {shown(stated)}") from error
    if at.tzinfo is None:
        raise InteractionsError(
            f"{where}, column at: a time with its zone is needed, such as 2026-01-31T20:15:00+08:00, not {shown(str(stated))}"
        )
    if not _EARLIEST <= at.year <= _LATEST:
        raise InteractionsError(f"{where}, column at: a year from {_EARLIEST} to {_LATEST} is needed, not {at.year}")
    return at


def _value(where: str, stated: object) -> float | None:
    if stated is None or stated == "":
        return None
    if isinstance(stated, bool) or not isinstance(stated, str | int | float):
        raise InteractionsError(f"{where}, column value: a number is needed, not {shown(stated)}")
    try:
        number = float(stated)
    except (ValueError, OverflowError) as error:
        raise InteractionsError(f"{where}, column value: a number is needed, not {shown(stated)}") from error
    return check_number(number, where, "value")
