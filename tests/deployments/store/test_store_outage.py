"""A database that goes away: an error soon, never a hang, and everything works again when it is back."""

import asyncio
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from sqlalchemy import Connection

from deployments.store import Appended, Follower, Store, StoreOptions
from deployments.store.database import Database
from deployments.store.journal import lock_counter
from deployments.store.values import ChangeKind
from graphs.errors import Unavailable
from tests.deployments.store.examples import BY, event, product
from tests.deployments.store.postgres_server import PostgresServer, find_binaries

_SHORT = StoreOptions(lock_timeout_s=0.1, statement_timeout_s=0.3, connect_timeout_s=2.0)


@pytest.fixture
def mortal_server() -> Iterator[PostgresServer]:
    """A server of the test's own, to be killed."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's initdb is neither under /usr/lib/postgresql nor on PATH; install the package postgresql")
    server = PostgresServer(binaries)
    server.start()
    yield server
    server.remove()


@pytest.mark.postgres
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["shutdown", "crash"])
async def test_a_restarted_server_is_found_again_and_a_follower_lives_through_it(
    mortal_server: PostgresServer, how: signal.Signals
) -> None:
    seen: list[str] = []

    async def on_change(kind: ChangeKind, key: str, value: object) -> None:
        seen.append(f"{kind} {key}")

    async with await Store.open(mortal_server.url()) as store:
        follower = Follower(store, on_change, poll_s=0.02)
        async with follower.running():
            await follower.wait_for(0, timeout_s=10)  # what is put during the first load may be handed out twice
            await follower.wait_for(await store.put_products([product(1)], actor=BY), timeout_s=10)
            mortal_server.stop(how)
            with pytest.raises(Unavailable):
                await store.ping()
            with pytest.raises(Unavailable):
                await store.append_events([event(1)])
            while follower.last_error is None:  # noqa: ASYNC110  # nothing tells of it
                await asyncio.sleep(0.01)
            mortal_server.start()
            assert await store.append_events([event(1)]) == Appended(1, 0)
            await follower.wait_for(await store.put_products([product(2)], actor=BY), timeout_s=20)
    assert seen == ["product p1", "product p2"]


@pytest.mark.postgres
async def test_a_server_that_is_not_there_is_unavailable_at_once(postgres: PostgresServer) -> None:
    with pytest.raises(Unavailable):
        await Store.open("postgresql://livecart@127.0.0.1:1/livecart", _SHORT)
    with pytest.raises(Unavailable):
        await Store.open(postgres.url("no_such_database"), _SHORT)


async def test_a_writer_who_keeps_the_lock_makes_others_unavailable_not_hang(new_database: Callable[[], str]) -> None:
    url = new_database()
    greedy = Database(url, StoreOptions())
    locked, release = threading.Event(), threading.Event()

    def keep(connection: Connection) -> None:
        lock_counter(connection, "events")
        lock_counter(connection, "changes")
        locked.set()
        release.wait(30)

    async with await Store.open(url, _SHORT) as store:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(greedy.write(keep))
            await asyncio.to_thread(locked.wait)
            with pytest.raises(Unavailable):
                await store.append_events([event()])
            with pytest.raises(Unavailable):
                await store.put_products([product()], actor=BY)
            assert await store.count_events() == 0
            release.set()
        assert await store.append_events([event()]) == Appended(1, 0)
    await greedy.close()


async def test_a_slow_database_is_given_up_and_the_thread_comes_back(new_sqlite: Callable[[], str]) -> None:
    url = new_sqlite()
    options = StoreOptions(lock_timeout_s=0.5, call_timeout_s=0.05)
    async with await Store.open(url, options) as store:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable, match=r"within 0\.05 s"):
                await store.append_events([event()])
            other.execute("ROLLBACK")
    async with await Store.open(url) as store:
        assert (await store.append_events([event()])).accepted + (await store.append_events([event()])).duplicates >= 1


async def test_a_closed_store_refuses_every_call(database_url: str) -> None:
    store = await Store.open(database_url)
    await store.close()
    for call in (store.ping(), store.append_events([event()]), store.put_products([product()], actor=BY)):
        with pytest.raises(Unavailable, match="closed"):
            await call
    await store.close()
