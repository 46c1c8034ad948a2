"""Laws of the store, on operations that Hypothesis makes up."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployments.store import Store
from models.types import Document, Event, EventId, Product, ProductId, Room, RoomId, ViewerId
from tests.deployments.store.examples import BY, document, event, product, room

_FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

_NUMBERS = st.integers(1, 4)
_OPERATIONS = st.lists(st.tuples(st.sampled_from(["put", "delete", "room", "document", "unroom"]), _NUMBERS, _NUMBERS), max_size=12)
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
_EVENTS = st.lists(st.builds(lambda number, viewer: event(number, viewer=f"v{viewer}"), st.integers(1, 12), st.integers(1, 2)), max_size=8)


@pytest.fixture
def loop_runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@contextmanager
def _opened(runner: asyncio.Runner, new_database: Callable[[], str]) -> Iterator[Store]:
    store = runner.run(Store.open(new_database()))
    try:
        yield store
    finally:
        runner.run(store.close())


async def _apply(store: Store, operation: tuple[str, int, int]) -> None:
    what, number, other = operation
    there = await store.product(ProductId(f"p{other}")) is not None
    if what == "put":
        await store.put_products([product(number, stock=other)], actor=BY)
    elif what == "delete":
        await store.delete_product(ProductId(f"p{number}"), actor=BY)
    elif what == "unroom":
        await store.delete_room(RoomId(f"r{number}"), actor=BY)
    elif what == "room":
        await store.put_rooms([room(number, shelf=(other,) if there else (), showing=other if there else None)], actor=BY)
    else:
        await store.put_documents([document(number, about=other if there else None)], actor=BY)


State = dict[tuple[str, str], Product | Document | Room]


async def _held(store: Store) -> State:
    held: State = {("product", item.product_id): item for item in (await store.list_products()).items}
    held |= {("document", item.document_id): item for item in (await store.list_documents()).items}
    return held | {("room", item.room_id): item for item in (await store.list_rooms()).items}


@_FEW
@given(operations=_OPERATIONS, poll_after=st.sets(st.integers(0, 11)))
def test_whoever_follows_the_change_log_ends_with_what_the_store_holds(
    loop_runner: asyncio.Runner, new_database: Callable[[], str], operations: list[tuple[str, int, int]], poll_after: set[int]
) -> None:
    """A replica that reads the log now and then, and fetches what is named there, misses nothing; the log's last word on a key is right."""

    async def follow(store: Store) -> None:
        replica: State = {}
        seq = 0
        last_op: dict[tuple[str, str], str] = {}
        for step, operation in enumerate([*operations, None]):
            if operation is not None:
                await _apply(store, operation)
            if operation is None or step in poll_after:
                for change in await store.changes_since(seq):
                    assert change.seq == seq + 1
                    seq = change.seq
                    last_op[change.kind, change.key] = change.op
                    current = (await _held(store)).get((change.kind, change.key))
                    replica.pop((change.kind, change.key), None)
                    if current is not None:
                        replica[change.kind, change.key] = current
        held = await _held(store)
        assert replica == held
        assert {key for key, op in last_op.items() if op == "put"} == set(held)
        assert seq == await store.last_change() == len((await store.audit(500)).items)

    with _opened(loop_runner, new_database) as store:
        loop_runner.run(follow(store))


@_FEW
@given(ids=st.sets(_TEXT, max_size=12), limit=st.integers(1, 5))
def test_pages_hold_everything_once_and_in_order(
    loop_runner: asyncio.Runner, new_database: Callable[[], str], ids: set[str], limit: int
) -> None:
    async def read(store: Store) -> list[str]:
        await store.put_products([replace(product(), product_id=ProductId(key)) for key in ids], actor=BY)
        page = await store.list_products(None, limit)
        found = list(page.items)
        while page.next_cursor is not None:
            assert len(page.items) == limit
            page = await store.list_products(page.next_cursor, limit)
            found += page.items
        return [item.product_id for item in found]

    with _opened(loop_runner, new_database) as store:
        assert loop_runner.run(read(store)) == sorted(ids)


@_FEW
@given(batches=st.lists(st.one_of(_EVENTS, st.sampled_from(["v1", "v2"])), max_size=8), together=st.booleans())
def test_events_count_once_whatever_is_repeated_and_whoever_is_erased(
    loop_runner: asyncio.Runner, new_database: Callable[[], str], batches: list[list[Event] | str], together: bool
) -> None:
    """A batch, or a viewer to erase, at a time; with `together` all of them at once."""

    async def send(store: Store, batch: list[Event] | str) -> int:
        if isinstance(batch, str):
            await store.erase_viewer(ViewerId(batch), actor=BY)
            return 0
        answer = await store.append_events(batch)
        assert answer.accepted + answer.duplicates == len(batch)
        return answer.accepted

    async def send_all(store: Store) -> None:
        if together:
            accepted = sum(await asyncio.gather(*(send(store, batch) for batch in batches)))
        else:
            accepted = sum([await send(store, batch) for batch in batches])
        sent: set[EventId] = {item.event_id for batch in batches if not isinstance(batch, str) for item in batch}
        numbered = await store.events_since(0)
        assert accepted == len(sent) == len(numbered) == await store.count_events()
        assert [item.seq for item in numbered] == list(range(1, len(sent) + 1))
        assert {item.event.event_id for item in numbered if not item.event.event_id.startswith("erased-")} <= sent

    with _opened(loop_runner, new_database) as store:
        loop_runner.run(send_all(store))


@_FEW
@given(title=_TEXT, attributes=st.dictionaries(_TEXT, _TEXT, max_size=3), tags=st.lists(_TEXT, max_size=3))
def test_any_text_comes_back_as_it_was_put(
    loop_runner: asyncio.Runner, new_database: Callable[[], str], title: str, attributes: dict[str, str], tags: list[str]
) -> None:
    put = replace(product(), title=title, brand=title, attributes=attributes, tags=tuple(tags))

    async def round_trip(store: Store) -> Product | None:
        await store.put_products([put], actor=BY)
        return await store.product(put.product_id)

    with _opened(loop_runner, new_database) as store:
        assert loop_runner.run(round_trip(store)) == put
