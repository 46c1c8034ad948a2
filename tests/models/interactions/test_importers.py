"""Every importer reads what its format promises, and says which cell of which line it cannot read."""

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.interactions.formats import guess_format, read_interactions
from models.interactions.log import Collector, Interactions, InteractionsError

INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
EVENT = "event_id,viewer_id,type,at,product_id,value\n"
AT = "2026-01-31T20:15:00+08:00"


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def triples(log: Interactions) -> list[tuple[str, str]]:
    return [(log.users[user], log.items[item]) for user, item in zip(log.user, log.item, strict=True)]


def test_recbole_is_read_in_order_of_time_with_attributes(tmp_path: Path) -> None:
    rows = "u1\ti2\t4\t200\nu2\ti1\t5\t150.5\nu1\ti1\t3\t100\nu1\ti1\t3\t100\n"
    item = "item_id:token\tgenre:token_seq\ttitle:token\tyear:float\ni1\tdrama war\tThe Way\t1999\n"
    user = "user_id:token\tage:float\tjob:token\nu1\t33\tcook\n"
    form, log = read_interactions(written(tmp_path, {"ml.inter": INTER + rows, "ml.item": item, "ml.user": user}))
    assert form == "recbole"
    assert triples(log) == [("u1", "i1"), ("u2", "i1"), ("u1", "i2")]
    assert log.at.tolist() == [100.0, 150.5, 200.0]
    assert log.value.tolist() == [3.0, 5.0, 4.0]
    assert (log.has_times, log.duplicates) == (True, 1)
    assert log.attributes == {"i1": ("genre=drama", "genre=war", "title=The Way")}
    assert log.user_attributes == {"u1": ("job=cook",)}


def test_recbole_without_times_keeps_the_order_of_the_file(tmp_path: Path) -> None:
    _, log = read_interactions(written(tmp_path, {"x.inter": "item_id:token\tuser_id:token\nb\tu\na\tu\nb\tu\n"}))
    assert triples(log) == [("u", "b"), ("u", "a")]
    assert (log.has_times, log.duplicates) == (False, 1)


def test_sequences_are_read_with_attributes(tmp_path: Path) -> None:
    files = {"Shop.txt": "1 5 6 7\n\n2 6\n", "Shop_item2attributes.json": '{"5": [1, "x"]}', "README.md": "no data"}
    form, log = read_interactions(written(tmp_path, files))
    assert form == "sequences"
    assert [triples(log)[place] for place in log.by_user()[0]] == [("1", "5"), ("1", "6"), ("1", "7")]
    assert [triples(log)[place] for place in log.by_user()[1]] == [("2", "6")]
    assert log.attributes == {"5": ("1", "x")}


def test_kuailive_reads_four_logs_and_describes_streamers(tmp_path: Path) -> None:
    head = "user_id,live_id,streamer_id,timestamp"
    files = {
        "click.csv": f"{head},watch_live_time\n8,70,3,1746374400022,2852\n8,71,4,1746374500000,0\n",
        "like.csv": f"{head}\n8,70,3,1746374400500\n",
        "comment.csv": f"{head}\n9,70,3,1746374400600\n",
        "gift.csv": f"{head},gift_price\n9,70,3,1746374400700,2\n",
        "room.csv": "p_date,live_id,streamer_id,live_type,start_timestamp,end_timestamp,live_content_category,live_name_id\n"
        "20250525,70,3,1,1748131180878,1748275200000,shop,0\n20250526,72,3,2,1748131180878,1748275200000,shop,0\n",
        "user.csv": "user_id,age,gender\n8,18-23,M\n",
    }
    form, log = read_interactions(written(tmp_path, files))
    assert form == "kuailive"
    assert triples(log) == [("8", "3"), ("8", "3"), ("9", "3"), ("9", "3"), ("8", "4")]
    assert log.weight.tolist() == [1.0, 1.0, 1.0, 5.0, 1.0]
    assert log.at[0] == pytest.approx(1746374400.022)
    assert log.value[0] == pytest.approx(2.852)
    assert log.attributes == {"3": ("live_content_category=shop", "live_type=1", "live_type=2")}
    assert log.user_attributes == {"8": ("age=18-23", "gender=M")}


def test_own_events_are_the_same_as_csv_jsonl_and_parquet(tmp_path: Path) -> None:
    rows = [
        ("e1", "v1", "click", "p1", ""),
        ("e2", "v1", "enter", "", ""),
        ("e3", "v1", "purchase", "p1", "9.9"),
        ("e1", "v1", "click", "p1", ""),
    ]
    lines = "".join(f"{event},{viewer},{kind},{AT},{product},{value}\n" for event, viewer, kind, product, value in rows)
    csv = written(tmp_path, {"events.csv": EVENT + lines}) / "events.csv"
    parquet, jsonl = tmp_path / "other.parquet", tmp_path / "other.jsonl"
    columns = 'event_id, viewer_id, type, CAST("at" AS TIMESTAMPTZ) AS "at", product_id, CAST("value" AS DOUBLE) AS "value"'
    copy = f"COPY (SELECT {columns} FROM read_csv(?, all_varchar=true)) TO '{parquet}' (FORMAT parquet)"  # noqa: S608  # a test's own words
    duckdb.connect().execute(copy, [str(csv)])
    objects = [
        {
            "event_id": event,
            "viewer_id": viewer,
            "type": kind,
            "at": AT,
            "product_id": product or None,
            "value": float(value) if value else None,
        }
        for event, viewer, kind, product, value in rows
    ]
    jsonl.write_text("\n".join(map(json.dumps, objects)), encoding="utf-8")
    logs = [read_interactions(path)[1] for path in (csv, jsonl, parquet)]
    for log in logs:
        assert triples(log) == [("v1", "p1"), ("v1", "p1")]
        assert sorted(log.weight.tolist()) == [1.0, 5.0]
        assert np.nanmax(log.value) == pytest.approx(9.9)
        assert log.at[0] == datetime(2026, 1, 31, 12, 15, tzinfo=UTC).timestamp()
        assert log.passed_over == 1


BAD: list[tuple[str, str, str]] = [
    ("a.inter", "", "a.inter is empty"),
    ("a.inter", INTER, "holds no interaction"),
    ("a.inter", "user_id\titem_id:token\nu\ti\n", "line 1: a column is headed name:type"),
    ("a.inter", "user_id:token\titem_id:float\nu\ti\n", "line 1, column item_id: the type token is needed, not float"),
    ("a.inter", "user_id:token\trating:float\nu\t1\n", "item_id missing"),
    ("a.inter", "user_id:token\titem_id:token\tuser_id:token\nu\ti\tu\n", "the column user_id is there 2 times"),
    ("a.inter", INTER + "u\ti\t1\t5\nu\ti\t1\n", "line 3: 4 cells are needed as in the header, not 3"),
    ("a.inter", INTER + "u\ti\t1\tsoon\n", "line 2, column timestamp: a number is needed, not 'soon'"),
    ("a.inter", INTER + "u\ti\tnan\t5\n", "line 2, column rating: a number within ±1e+15 is needed, not nan"),
    ("a.inter", INTER + "u\ti\t1\t1e400\n", "line 2, column timestamp: a number within ±1e+15 is needed, not inf"),
    ("a.inter", INTER + "\ti\t1\t5\n", "line 2, column user_id: an id is needed, the cell is empty"),
    ("a.inter", INTER + f"u\t{'i' * 300}\t1\t5\n", "line 2, column item_id: an id of up to 256"),
    ("a.txt", "", "holds no interaction"),
    ("a.txt", "1 5\n7\n", "line 2: a user and at least one item are needed, not '7'"),
    ("a.txt", "1 5\n1 6\n", "line 2, column 1: the user '1' had a line before"),
    ("a.txt", "1 5 \x00\n", "line 1, column 3: an id of up to 256 printable characters"),
    ("events.csv", EVENT, "holds no interaction"),
    ("events.csv", "event_id,viewer_id,at\n", "line 1: the columns event_id, viewer_id, type, at are needed; type missing"),
    ("events.csv", f"{EVENT}e,v,klick,{AT},p,\n", "line 2, column type: one of cart, click"),
    ("events.csv", f"{EVENT}e,v,click,2026-01-31T20:15:00,p,\n", "line 2, column at: a time with its zone is needed"),
    ("events.csv", f"{EVENT}e,v,click,yesterday,p,\n", "line 2, column at: an ISO 8601 time is needed, not 'yesterday'"),
    ("events.csv", f"{EVENT}e,v,click,{AT},p,much\n", "line 2, column value: a number is needed, not 'much'"),
    ("events.csv", f"{EVENT}e,v,click,{AT},p,inf\n", "line 2, column value: a number within ±1e+15"),
    ("events.csv", f"{EVENT}e,v,click\n", "line 2: 6 cells are needed as in the header, not 3"),
    ("events.csv", f'{EVENT}e,v,"click,{AT},p,\n', "line 2: unexpected end of data"),
    ("events.jsonl", "{}\n", "line 1: the columns event_id, viewer_id, type, at are needed"),
    ("events.jsonl", f'{{"value": {"9" * 5_000}}}\n', "line 1: a whole number of more than 4300 digits"),
    ("events.jsonl", "[" * 200_000, "line 1: objects and lists are nested too deeply"),
    ("events.jsonl", "[]\n", "line 1: an object is needed, not list"),
    ("events.jsonl", f'{{"event_id": 1, "viewer_id": "v", "type": "click", "at": "{AT}"}}', "column event_id: an id is text, not 1"),
    ("events.jsonl", f'{{"event_id": "e", "viewer_id": "v", "type": [], "at": "{AT}"}}', "column type: one of"),
    ("events.jsonl", f'{{"event_id": "e", "viewer_id": "v", "type": "click", "at": "{AT}", "value": {10**400}}}', "column value: a number"),
    ("events.parquet", "no parquet", "cannot be read as Parquet"),
    ("click.csv", "user_id,streamer_id,timestamp\n1,2,now\n", "column timestamp: a number is needed, not 'now'"),
]


@pytest.mark.parametrize(("name", "text", "said"), BAD)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(InteractionsError) as refused:
        read_interactions(written(tmp_path, {name: text}))
    assert said in str(refused.value)
    assert str(tmp_path) in str(refused.value)


def test_bytes_that_are_no_utf8_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"1 5\n2 \xff\n")
    with pytest.raises(InteractionsError, match="line 2: UTF-8 is needed; byte 3 is 0xff"):
        read_interactions(tmp_path)


def test_a_parquet_file_of_other_types_is_refused(tmp_path: Path) -> None:
    query = f"COPY (SELECT 1.5 AS event_id, 'v' AS viewer_id, 'click' AS type, TIMESTAMP '2026-01-01' AS at) TO '{tmp_path}/events.parquet'"
    duckdb.connect().execute(query)
    with pytest.raises(InteractionsError, match="row 1, column event_id: an id is text"):
        read_interactions(tmp_path)


def test_an_attribute_file_that_is_no_object_is_refused(tmp_path: Path) -> None:
    for text, said in (("[]", "an object item -> list"), ('{"5": 3}', "item '5': a list"), ("{", "is not JSON")):
        with pytest.raises(InteractionsError, match=said):
            read_interactions(written(tmp_path, {"a.txt": "1 5\n", "a_item2attributes.json": text}))


@pytest.mark.parametrize("make", [lambda folder: folder / "none", lambda folder: folder])
def test_a_place_without_data_is_refused(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    with pytest.raises(InteractionsError):
        read_interactions(make(tmp_path))


def test_two_logs_in_one_folder_have_to_be_told_apart(tmp_path: Path) -> None:
    written(tmp_path, {"a.inter": INTER + "u\ti\t1\t1\n", "b.inter": INTER})
    with pytest.raises(InteractionsError, match=r"found a.inter, b.inter; name the file itself"):
        read_interactions(tmp_path)
    assert len(read_interactions(tmp_path / "a.inter")[1]) == 1


def test_a_format_may_be_forced(tmp_path: Path) -> None:
    path = written(tmp_path, {"a.txt": "1 5\n"}) / "a.txt"
    assert guess_format(path) == "sequences"
    with pytest.raises(InteractionsError):
        read_interactions(path, "events")
    with pytest.raises(InteractionsError, match="there is no format 'other'"):
        read_interactions(path, "other")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["a.inter", "a.txt", "events.csv", "events.jsonl", "events.parquet", "click.csv"]), noise=st.binary(max_size=200)
)
def test_no_bytes_whatever_end_in_anything_but_an_answer_or_a_refusal(tmp_path: Path, name: str, noise: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(noise)
    with contextlib.suppress(InteractionsError):
        assert len(read_interactions(path)[1]) > 0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=40))
def test_a_log_is_in_order_holds_each_row_once_and_keeps_its_users_apart(rows: list[tuple[int, int, int]]) -> None:
    collector = Collector()
    for user, item, at in rows:
        collector.add(f"u{user}", f"i{item}", float(at), "click")
    log = collector.finish("rows")
    found = list(zip(triples(log), log.at.tolist(), strict=True))
    assert sorted(found) == sorted({((f"u{user}", f"i{item}"), float(at)) for user, item, at in rows})
    assert (np.diff(log.at) >= 0).all()
    assert log.duplicates == len(rows) - len(log)
    assert sorted(np.concatenate(log.by_user()).tolist()) == list(range(len(log)))
