"""Several processes on one database, and one that dies in the middle of it."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from pathlib import Path

import pytest

from deployments.store import Store
from tests.deployments.store.examples import BY, product

_ROOT = Path(__file__).resolve().parents[3]
_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(_ROOT), "OMP_NUM_THREADS": "1"}


async def _start_writer(url: str, name: str, count: int) -> Process:
    command = (sys.executable, "-m", "tests.deployments.store.event_writer", url, name, str(count))
    return await asyncio.create_subprocess_exec(*command, cwd=_ROOT, env=_ENVIRONMENT, stdout=subprocess.PIPE)


async def _stored_ids(url: str) -> list[str]:
    async with await Store.open(url) as store:
        return [str(item.event.event_id) for item in await store.events_since(0, 100_000)]


async def test_every_acknowledged_event_survives_kill_9(database_url: str) -> None:
    writer = await _start_writer(database_url, "a", 1_000_000)
    assert writer.stdout is not None
    acknowledged = [await writer.stdout.readline() for _ in range(random.Random().randrange(1, 200))]
    writer.send_signal(signal.SIGKILL)
    acknowledged += (await writer.stdout.read()).splitlines(keepends=True)
    await writer.wait()
    whole_lines = {line.decode().strip() for line in acknowledged if line.endswith(b"\n")}
    stored = await _stored_ids(database_url)
    assert whole_lines <= set(stored)
    assert len(stored) == len(set(stored))


async def test_two_processes_write_at_once_without_loss_repeats_or_gaps(database_url: str) -> None:
    names = ("a", "b")
    writers = await asyncio.gather(*(_start_writer(database_url, name, 100) for name in names))
    async with await Store.open(database_url) as store:
        for number in range(20):
            await store.put_products([product(number)], actor=BY)
        outputs = await asyncio.gather(*(writer.communicate() for writer in writers))
        numbered = await store.events_since(0, 10_000)
        assert [change.seq for change in await store.changes_since(0)] == list(range(1, 21))
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sum(len(output.splitlines()) for output, _ in outputs) == 200
    assert [item.seq for item in numbered] == list(range(1, 201))
    assert {item.event.event_id for item in numbered} == {f"{name}-{number}" for name in names for number in range(100)}


async def _start_together(url: str) -> None:
    writers = [await _start_writer(url, str(number), 1) for number in range(2)]
    await asyncio.gather(*(writer.communicate() for writer in writers))
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sorted(await _stored_ids(url)) == ["0-0", "1-0"]


async def test_processes_that_start_together_on_a_new_file_all_find_it_ready(sqlite_url: str) -> None:
    await _start_together(sqlite_url)


@pytest.mark.postgres
async def test_processes_that_start_together_on_an_empty_server_all_find_it_ready(postgres_url: str) -> None:
    await _start_together(postgres_url)


async def test_stores_opened_at_once_in_one_process_share_a_new_file(sqlite_url: str) -> None:
    stores = await asyncio.gather(*(Store.open(sqlite_url) for _ in range(4)))
    await asyncio.gather(*(store.put_products([product(number)], actor=BY) for number, store in enumerate(stores)))
    assert len((await stores[0].list_products()).items) == 4
    await asyncio.gather(*(store.close() for store in stores))


async def test_numbers_become_visible_in_their_own_order(new_database: Callable[[], str]) -> None:
    """Writers on several connections, a reader that never steps back: no number may appear below one that was seen."""
    url = new_database()
    stores = [await Store.open(url) for _ in range(3)]
    seen: list[int] = []

    async def write(store: Store, first: int) -> None:
        for number in range(first, first + 20):
            await store.put_products([product(number), product(number + 1_000)], actor=BY)

    async def read(store: Store) -> None:
        while len(seen) < 120:
            seen.extend(change.seq for change in await store.changes_since(seen[-1] if seen else 0))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read(stores[0]))
        for number, store in enumerate(stores):
            tasks.create_task(write(store, 100 * number))
    assert seen == list(range(1, 121))
    await asyncio.gather(*(store.close() for store in stores))
