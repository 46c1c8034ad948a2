"""A process that appends events and prints each id once it is acknowledged; its arguments are URL, NAME and COUNT."""

import asyncio
import sys
from dataclasses import replace

from deployments.store import Store
from models.types import EventId
from tests.deployments.store.examples import event


async def write(url: str, name: str, count: int) -> None:
    """Four callers at a time, so that commits are shared."""
    async with await Store.open(url) as store, asyncio.TaskGroup() as callers:
        for caller in range(4):
            callers.create_task(_call(store, [f"{name}-{number}" for number in range(caller, count, 4)]))


async def _call(store: Store, event_ids: list[str]) -> None:
    for event_id in event_ids:
        await store.append_events([replace(event(), event_id=EventId(event_id))])
        print(event_id, flush=True)


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3])))
