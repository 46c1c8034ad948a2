"""What every database has to do with events and with the people behind them."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import insert

from deployments.store import Appended, Exposure, Store, StoreOptions
from deployments.store.database import Database
from deployments.store.questions import QuestionFilter
from deployments.store.schema import exposures
from graphs.errors import InvalidEvent, Overloaded
from models.types import ViewerId
from tests.deployments.store.examples import BY, START, asking, event

V1, V2 = ViewerId("v1"), ViewerId("v2")


async def test_events_are_accepted_once_however_often_they_are_sent(store: Store) -> None:
    assert await store.append_events([event(1), event(2), event(1)]) == Appended(2, 1)
    assert await store.append_events([event(2), event(3)]) == Appended(1, 1)
    assert await store.append_events([]) == Appended(0, 0)
    assert await store.count_events() == 3


async def test_an_event_comes_back_as_it_was_sent_in_utc(store: Store) -> None:
    sent = replace(event(), at=datetime(2025, 11, 11, 20, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8))))
    bare = replace(event(2), room_id=None, product_id=None, value=None, text=None)
    await store.append_events([sent, bare])
    assert await store.viewer_history(V1) == (sent, bare)
    assert (await store.viewer_history(V1))[0].at.tzinfo is UTC


async def test_the_history_is_the_latest_events_with_the_newest_last(store: Store) -> None:
    await store.append_events([event(1, after_s=30), event(2, after_s=10), event(3, after_s=30), event(4, viewer="v2")])
    assert [item.event_id for item in await store.viewer_history(V1)] == ["e2", "e1", "e3"]
    assert [item.event_id for item in await store.viewer_history(V1, 2)] == ["e1", "e3"]
    assert await store.viewer_history(ViewerId("\0")) == ()


async def test_displays_are_no_part_of_the_history_and_take_no_place_in_it(store: Store) -> None:
    shown = [replace(event(number, after_s=number), type="display") for number in (2, 3, 4)]
    await store.append_events([event(1), *shown])
    assert await store.viewer_history(V1, 2) == (event(1),)
    assert await store.displays(V1, 2) == (shown[1], shown[2])


async def test_visits_are_entries_and_watches_however_much_came_after(store: Store) -> None:
    entered, watched = replace(event(1), type="enter"), replace(event(2, after_s=5), type="watch")
    await store.append_events([entered, watched, *(event(number, after_s=number) for number in range(6, 12))])
    assert await store.visits(V1, 5) == (entered, watched)
    assert await store.visits(V1, 1) == (watched,)


async def test_events_are_read_on_from_a_number_without_gaps(store: Store) -> None:
    await store.append_events([event(1), event(1), event(2)])
    await store.append_events([event(2), event(3)])
    first = await store.events_since(0, 2)
    rest = await store.events_since(first[-1].seq)
    assert [(item.seq, item.event.event_id) for item in (*first, *rest)] == [(1, "e1"), (2, "e2"), (3, "e3")]


@pytest.mark.parametrize(
    "bad",
    [
        replace(event(2), at=datetime(2026, 1, 1)),  # without a zone on purpose
        replace(event(2), at=datetime.now(UTC) + timedelta(hours=1)),  # collected long before it runs
        replace(event(2), at=datetime(2999, 1, 1, tzinfo=UTC)),
        replace(event(2), at=datetime(1999, 12, 31, tzinfo=UTC)),
        replace(event(2), value=float("nan")),
        replace(event(2, kind="watch"), value=-1.0),
        replace(event(2, kind="purchase"), value=2e12),
        replace(event(2), text="\0"),
        replace(event(2), at=datetime.max.replace(tzinfo=timezone(-timedelta(hours=8)))),
    ],
)
async def test_a_bad_event_is_named_and_none_of_its_batch_is_stored(store: Store, bad: object) -> None:
    with pytest.raises(InvalidEvent) as caught:
        await store.append_events([event(1), bad])  # type: ignore[list-item]  # parametrised
    assert [detail["index"] for detail in caught.value.details] == [1]
    assert await store.count_events() == 0


async def test_a_clock_a_little_ahead_is_accepted(store: Store) -> None:
    assert await store.append_events([replace(event(), at=datetime.now(UTC) + timedelta(minutes=4))]) == Appended(1, 0)


async def test_a_bad_batch_does_not_fail_its_neighbours_of_the_same_moment(store: Store) -> None:
    bad = [event(1), replace(event(2), text="\0")]
    answers = await asyncio.gather(
        store.append_events([event(3)]), store.append_events(bad), store.append_events([event(4)]), return_exceptions=True
    )
    assert answers[0] == answers[2] == Appended(1, 0)
    assert isinstance(answers[1], InvalidEvent)


async def test_callers_of_one_moment_share_commits_and_the_same_event_counts_once(store: Store) -> None:
    answers = await asyncio.gather(*(store.append_events([event(number % 50)]) for number in range(100)))
    assert sum(answer.accepted for answer in answers) == 50
    assert sum(answer.duplicates for answer in answers) == 50
    assert await store.count_events() == 50


async def test_too_many_waiting_events_are_refused_not_piled_up(database_url: str) -> None:
    async with await Store.open(database_url, StoreOptions(max_pending_events=10)) as store:
        batches = [[event(10 * number + item) for item in range(6)] for number in range(50)]
        answers = await asyncio.gather(*map(store.append_events, batches), return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, Overloaded)]
        assert refused
        assert await store.count_events() == 6 * (len(answers) - len(refused))


async def test_all_that_is_held_about_a_viewer_is_told(store: Store, exposed_viewer: ViewerId) -> None:
    assert await store.viewer(ViewerId("nobody")) is None
    record = await store.viewer(exposed_viewer)
    assert record is not None
    assert [item.event_id for item in record.events] == ["e1", "e2"]
    assert [item.question for item in record.questions] == ["洗?"]
    assert record.exposures == (Exposure("ranker", "b", START),)


async def test_an_erased_viewer_leaves_events_that_lead_to_nobody(store: Store, exposed_viewer: ViewerId) -> None:
    assert await store.erase_viewer(exposed_viewer, actor=BY, request_id="req")
    assert await store.viewer(V1) is None
    assert (await store.list_questions(QuestionFilter(status=None))).items == ()
    second, first, other = (item.event for item in await store.events_since(0))
    assert first.viewer_id == second.viewer_id
    assert {first.viewer_id, first.event_id, second.event_id}.isdisjoint({"v1", "e1", "e2"})
    assert (first.type, first.product_id, first.at, first.text) == (event(1).type, event(1).product_id, event(1).at, None)
    assert other == event(3, viewer="v2")
    assert not await store.erase_viewer(V1, actor=BY)


async def test_the_audit_log_tells_of_an_erasure_without_naming_the_viewer(store: Store) -> None:
    await store.append_events([event()])
    await store.erase_viewer(V1, actor="anna", request_id="req")
    (entry,) = (await store.audit()).items
    assert (entry.actor, entry.action, entry.request_id) == ("anna", "viewer.erase", "req")
    assert entry.key is not None
    assert "v1" not in entry.key


async def test_an_erased_event_sent_again_is_a_duplicate_and_the_viewer_may_return_as_somebody_new(store: Store) -> None:
    await store.append_events([event(1), event(2)])
    await store.erase_viewer(V1, actor=BY)
    assert await store.append_events([event(1), event(2), event(3)]) == Appended(1, 2)
    assert await store.viewer_history(V1) == (event(3),)
    await store.erase_viewer(V1, actor=BY)
    assert await store.append_events([event(1), event(3)]) == Appended(0, 2)
    owners = {item.event.viewer_id for item in await store.events_since(0)}
    assert len(owners) == 2


async def test_erased_text_is_in_no_file_of_sqlite(new_sqlite: Callable[[], str]) -> None:
    url = new_sqlite()
    async with await Store.open(url) as store:
        await store.append_events([replace(event(number, viewer="viewer-to-erase"), text="words-to-erase") for number in range(200)])
        await store.note_questions([asking("words-to-erase", viewer="viewer-to-erase")], max_open=10)
        await store.erase_viewer(ViewerId("viewer-to-erase"), actor=BY)
        path = Path(url.removeprefix("sqlite:///"))
        held = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert b"to-erase" not in held


@pytest_asyncio.fixture
async def exposed_viewer(database_url: str, store: Store) -> ViewerId:
    """A viewer in an experiment, whose table is filled by hand, with two events and a question."""
    database = Database(database_url, StoreOptions())
    row = {"experiment": "ranker", "variant": "b", "viewer_id": V1, "at": START}
    await database.write(lambda connection: connection.execute(insert(exposures), row))
    await database.close()
    await store.append_events([event(2), event(1), event(3, viewer="v2")])
    await store.note_questions([asking("洗?", viewer="v1")], max_open=10)
    return V1
