"""A follower's copy becomes what the store holds, whatever happens on the way."""

import asyncio
import sqlite3
from collections.abc import Callable, Collection
from contextlib import closing
from pathlib import Path

import pytest

from deployments.store import ChangeKind, Follower, Store, StoreOptions
from deployments.store.follower import Value
from graphs.errors import DeadlineExceeded
from models.types import ProductId
from tests.deployments.store.examples import BY, document, product, room, view

P1 = ProductId("p1")


class Copy:
    """What a replica builds from its follower."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Value] = {}
        self.calls: list[tuple[str, str, bool]] = []
        self.caught_up: list[int] = []
        self.failures: list[Exception] = []  # raised one by one

    async def on_change(self, kind: ChangeKind, key: str, value: Value | None) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.calls.append((kind, key, value is not None))
        if value is None:
            self.objects.pop((kind, key), None)
        else:
            self.objects[kind, key] = value

    async def on_caught_up(self, seq: int) -> None:
        self.caught_up.append(seq)


def _follow(
    store: Store,
    copy: Copy,
    *,
    kinds: Collection[ChangeKind] = ("product", "document", "room", "view"),
    page_size: int = 200,
    poll_s: float = 0.01,
) -> Follower:
    return Follower(store, copy.on_change, on_caught_up=copy.on_caught_up, kinds=kinds, page_size=page_size, poll_s=poll_s)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.005)


async def test_it_loads_everything_in_pages_and_what_refers_comes_last(store: Store) -> None:
    await store.put_products([product(number) for number in range(7)], actor=BY)
    await store.put_documents([document(1, about=1)], actor=BY)
    await store.put_rooms([room(1, shelf=(1,))], actor=BY)
    await store.add_views(P1, [view()], actor=BY)
    copy = Copy()
    follower = _follow(store, copy, page_size=2)
    async with follower.running():
        await follower.wait_for(0, timeout_s=10)
    assert [kind for kind, _, _ in copy.calls] == ["product"] * 7 + ["document", "room", "view"]
    assert copy.objects["room", "r1"] == room(1, shelf=(1,))
    assert copy.caught_up == [follower.seq] == [await store.last_change()]


async def test_it_hands_out_whole_objects_as_they_change_and_none_when_they_go(store: Store) -> None:
    copy = Copy()
    follower = _follow(store, copy)
    async with follower.running():
        await follower.wait_for(0, timeout_s=10)
        seq = await store.put_products([product(1), product(2)], actor=BY)
        await follower.wait_for(seq, timeout_s=10)
        await store.put_rooms([room(1, shelf=(1, 2))], actor=BY)
        await store.add_views(P1, [view()], actor=BY)
        await store.delete_product(P1, actor=BY)
        await follower.wait_for(await store.last_change(), timeout_s=10)
    assert copy.objects == {("product", "p2"): product(2), ("room", "r1"): room(1, shelf=(2,))}
    assert copy.calls[-1] == ("product", "p1", False)


async def test_it_hands_out_only_the_kinds_it_was_asked_for(store: Store) -> None:
    copy = Copy()
    await store.put_documents([document(1)], actor=BY)
    only: tuple[ChangeKind, ...] = ("product",)
    follower = _follow(store, copy, kinds=only)
    async with follower.running():
        await follower.wait_for(0, timeout_s=10)
        await store.put_documents([document(2)], actor=BY)
        await follower.wait_for(await store.put_products([product()], actor=BY), timeout_s=10)
    assert copy.calls == [("product", "p1", True)]


async def test_many_changes_of_one_object_between_two_polls_come_once(store: Store) -> None:
    copy = Copy()
    follower = _follow(store, copy, poll_s=60)
    async with follower.running():
        await follower.wait_for(0, timeout_s=10)
        for stock in range(5):
            seq = await store.put_products([product(stock=stock)], actor=BY)
        await follower.wait_for(seq, timeout_s=10)
    assert copy.calls == [("product", "p1", True)]
    assert copy.objects["product", "p1"] == product(stock=4)


async def test_a_failing_callback_is_tried_again_until_it_works(store: Store) -> None:
    copy = Copy()
    follower = _follow(store, copy)
    async with follower.running():
        await follower.wait_for(0, timeout_s=10)
        copy.failures = [RuntimeError("index is busy"), RuntimeError("still")]
        await follower.wait_for(await store.put_products([product()], actor=BY), timeout_s=20)
        assert follower.last_error is None
    assert copy.objects == {("product", "p1"): product()}


async def test_the_lag_grows_while_it_stands_still(store: Store) -> None:
    copy = Copy()
    follower = _follow(store, copy)
    async with follower.running():
        await follower.wait_for(0, timeout_s=10)
        copy.failures = [RuntimeError("broken")] * 1_000
        seq = await store.put_products([product()], actor=BY)
        await _until(lambda: follower.last_error is not None)
        before = follower.lag_s
        await asyncio.sleep(0.02)
        assert follower.lag_s > before
        with pytest.raises(DeadlineExceeded):
            await follower.wait_for(seq, timeout_s=0.01)


async def test_when_the_log_is_shorter_than_its_gap_it_loads_everything_and_notices_what_went(database_url: str) -> None:
    async with await Store.open(database_url, StoreOptions(keep_changes=1)) as store:
        await store.put_products([product(1), product(2)], actor=BY)
        copy = Copy()
        follower = _follow(store, copy, poll_s=60)
        async with follower.running():
            await follower.wait_for(0, timeout_s=10)
            await store.delete_product(P1, actor=BY)
            seq = await store.put_products([product(number) for number in range(10, 1_100)], actor=BY)
            await follower.wait_for(seq, timeout_s=30)
        assert ("product", "p1") not in copy.objects
        assert len(copy.objects) == 1_091


async def test_an_older_copy_of_the_database_put_back_is_noticed(
    new_sqlite: Callable[[], str], copy_database: Callable[[str, str], None]
) -> None:
    url, backup = new_sqlite(), new_sqlite()
    copy = Copy()
    async with await Store.open(url) as store:
        await store.put_products([product(1)], actor=BY)
        copy_database(url, backup)
        await store.put_products([product(2)], actor=BY)
        follower = _follow(store, copy)
        async with follower.running():
            await follower.wait_for(0, timeout_s=10)
            assert len(copy.objects) == 2
            copy_database(backup, url)
            await _until(lambda: len(copy.objects) == 1)
    assert copy.objects == {("product", "p1"): product(1)}


async def test_two_followers_in_a_task_group_end_when_it_is_cancelled(store: Store) -> None:
    copies = [Copy(), Copy()]
    followers = [_follow(store, copy) for copy in copies]

    async def serve() -> None:
        async with asyncio.TaskGroup() as tasks:
            for follower in followers:
                tasks.create_task(follower.run())

    serving = asyncio.create_task(serve())
    for follower in followers:
        await follower.wait_for(await store.put_products([product()], actor=BY), timeout_s=10)
    assert copies[0].objects == copies[1].objects == {("product", "p1"): product()}
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


@pytest.fixture
def copy_database() -> Callable[[str, str], None]:
    """SQLite's own backup: safe while the target is open."""

    def copy(source: str, target: str) -> None:
        paths = [Path(url.removeprefix("sqlite:///")) for url in (source, target)]
        with closing(sqlite3.connect(paths[0])) as read, closing(sqlite3.connect(paths[1])) as write:
            read.backup(write)

    return copy
