"""Display events on their way to the store: kept until it has acknowledged them."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Protocol

from graphs.errors import LivecartError
from models.types import Event

log = logging.getLogger("livecart.session")

AT_ONCE = 100
MOST_WAITING = 1_000  # a store that is away for long costs the oldest
FIRST_RETRY_S, LAST_RETRY_S = 0.1, 5.0
FLUSH_S = 5.0  # for what is left when the session ends


class EventStore(Protocol):
    """What is used of `deployments.store.Store`."""

    async def append_events(self, values: Sequence[Event]) -> object: ...


class DisplayLog:
    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._waiting: deque[Event] = deque()
        self._more = asyncio.Event()

    def note(self, events: Iterable[Event]) -> None:
        """Have these written soon."""
        self._waiting.extend(events)
        while len(self._waiting) > MOST_WAITING:
            log.warning("the store does not take display events; %s is lost", self._waiting.popleft().event_id)
        self._more.set()

    async def run(self) -> None:
        """Write what is noted, until cancelled."""
        while True:
            await self._more.wait()
            self._more.clear()
            await self._write()

    async def flush(self) -> None:
        """Write what is left, for when `run` has ended."""
        try:
            async with asyncio.timeout(FLUSH_S):
                await self._write()
        except TimeoutError:
            log.warning("the store did not take the last %d display events in time", len(self._waiting))

    async def _write(self) -> None:
        retry_s = FIRST_RETRY_S
        while self._waiting:
            batch = tuple(islice(self._waiting, AT_ONCE))
            try:
                await self._store.append_events(batch)
            except LivecartError as error:
                if not error.is_callers_fault:
                    await asyncio.sleep(retry_s)
                    retry_s = min(2 * retry_s, LAST_RETRY_S)
                    continue
                log.warning("the store refuses display events: %s", error)
            retry_s = FIRST_RETRY_S
            written = {event.event_id for event in batch}
            self._waiting = deque(event for event in self._waiting if event.event_id not in written)
