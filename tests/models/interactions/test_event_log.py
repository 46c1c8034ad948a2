"""Events as columns: what comes out is what went in, whichever way it was read."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from models.interactions.event_log import TYPES, EventLog, Histories
from models.interactions.events import read_events
from models.interactions.log import InteractionsError
from models.interactions.staging import Staging
from models.types import Event, EventId, ProductId, RoomId, ViewerId

START = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = ("event_id", "viewer_id", "type", "at", "room_id", "product_id", "value", "text")

events = st.builds(
    Event,
    event_id=st.integers(0, 30).map(lambda number: EventId(f"e{number}")),
    viewer_id=st.sampled_from(["v1", "v2", "host-r1", "访客"]).map(ViewerId),
    type=st.sampled_from(TYPES),
    at=st.integers(0, 10**12).map(lambda us: START + timedelta(microseconds=us)),
    room_id=st.none() | st.sampled_from(["r1", "r2"]).map(RoomId),
    product_id=st.none() | st.sampled_from(["p1", "p2", "p3"]).map(ProductId),
    value=st.none() | st.floats(-1e6, 1e6),
    text=st.none() | st.sampled_from(["d1", "d2"]),
)


def comparable(log: Sequence[Event]) -> list[tuple[object, ...]]:
    """Without what a log does not keep: ids, and of texts all but which displays share one."""
    names = dict[str, int]()
    return [
        (e.viewer_id, e.type, e.at, e.room_id, e.product_id, e.value, names.setdefault(e.text, len(names)) if e.text else None) for e in log
    ]


def expected(found: Sequence[Event]) -> list[Event]:
    once = {event.event_id: event for event in reversed(found)}
    kept = sorted(once.values(), key=lambda event: (event.at, event.event_id))
    return [event if event.type == "display" else replace(event, text=None) for event in kept]


def write(path: Path, found: Sequence[Event]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for e in found:
            writer.writerow([e.event_id, e.viewer_id, e.type, e.at.isoformat(), e.room_id, e.product_id, e.value, e.text])


@settings(max_examples=4, deadline=None, phases=[Phase.generate])
@given(st.lists(events, max_size=40))
def test_columns_in_memory_and_on_disk_give_the_events_back(found: list[Event]) -> None:
    with Staging() as staging:
        staging.add(found[:20])
        staging.add(found[20:])
        on_disk = staging.finish()
    assert comparable(on_disk) == comparable(EventLog.of(found)) == comparable(expected(found))


@settings(max_examples=30, deadline=None)
@given(st.lists(events, min_size=1, max_size=40), st.sets(st.sampled_from(["v1", "v2", "host-r1", "访客"])))
def test_histories_are_each_viewers_own_events(found: list[Event], left_out: set[str]) -> None:
    log = EventLog.of(found)
    histories = Histories(log).among(np.array([viewer not in left_out for viewer in log.viewers], dtype=np.bool_))
    own = [event for event in log if event.viewer_id not in left_out and event.type != "display"]
    assert {viewer: list(history) for viewer, history in histories.items()} == {
        viewer: [event for event in own if event.viewer_id == viewer] for viewer in dict.fromkeys(event.viewer_id for event in own)
    }
    if own:
        assert [histories.moment(share) for share in (0.0, 0.5, 1.0)] == [own[0].at, own[round((len(own) - 1) / 2)].at, own[-1].at]
    for history in histories.values():
        at = history[len(history) // 2].at
        assert history.before(at) == sum(event.at < at for event in history)


@settings(max_examples=4, deadline=None, phases=[Phase.generate])
@given(st.lists(events, min_size=1, max_size=30))
def test_a_file_is_read_the_same_by_duckdb_and_row_by_row(tmp_path_factory: pytest.TempPathFactory, found: list[Event]) -> None:
    """A viewer whose id is not plain sends the whole file to the reader of rows."""
    folder = tmp_path_factory.mktemp("events")
    plain = [event for event in found if event.viewer_id.isascii()]
    write(folder / "plain.csv", plain)
    write(folder / "odd.csv", [*plain, Event(EventId("last"), ViewerId("访客"), "enter", START + timedelta(days=400))])
    with Staging() as staging:
        assert staging.add_plain(folder / "plain.csv")
        assert not staging.add_plain(folder / "odd.csv")
    assert comparable(read_events(folder / "plain.csv")) == comparable(expected(plain))
    assert comparable(read_events(folder / "odd.csv"))[:-1] == comparable(expected(plain))


def test_parquet_is_read_by_duckdb_with_its_own_types(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    rows = (
        "SELECT 'e' || i AS event_id, 70 + i % 3 AS viewer_id, 'click' AS type, "
        "TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL (i) SECOND AS at, 'p' || (i % 5) AS product_id, i::DOUBLE AS value "
        "FROM range(100) t(i)"
    )
    duckdb.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
    with Staging() as staging:
        assert staging.add_plain(path)
        log = staging.finish()
    assert len(log) == 100
    assert log[7] == Event(EventId("7"), ViewerId("71"), "click", START + timedelta(seconds=7), None, ProductId("p2"), 7.0)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("e2,v,click,2026-01-01T00:00:00,,p,", "a time with its zone"),
        ("e2,v,clack,2026-01-01T00:00:00Z,,p,", "column type"),
        ("e2,v,click,2026-01-01T00:00:00Z,,p,nan", "column value"),
        ("e2,,click,2026-01-01T00:00:00Z,,p,", "column viewer_id"),
        ("e2,v,click,2026-02-30T00:00:00Z,,p,", "ISO 8601"),
        ("e2,v,click", "7 cells are needed"),
    ],
)
def test_what_is_wrong_in_a_large_file_is_still_named_by_line(tmp_path: Path, cells: str, said: str) -> None:
    path = tmp_path / "events.csv"
    path.write_text(f"event_id,viewer_id,type,at,room_id,product_id,value\ne1,v,click,2026-01-01T00:00:00Z,,p,1\n{cells}\n")
    with pytest.raises(InteractionsError, match=r"line 3.*" + said):
        read_events(path)


def test_a_zone_does_not_move_a_moment() -> None:
    there = Event(EventId("e"), ViewerId("v"), "enter", START.astimezone(timezone(timedelta(hours=8))))
    assert EventLog.of([there])[0].at == there.at
