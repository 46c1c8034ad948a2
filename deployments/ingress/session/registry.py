"""The sessions of one ingress process: how many are open, and their end with the process."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deployments.ingress.session.memory import Memories
from deployments.ingress.session.room import RoomSession
from deployments.ingress.session.turns import Turns
from graphs.errors import Overloaded
from livecart_client import wire

LOOK_S = 0.25


class Sessions:
    """`clock`: seconds that only go up, for the times of frames and of what is kept."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.turns = Turns(clock)
        self.memories = Memories(clock)
        self._open: set[RoomSession] = set()
        self._is_closing = False

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def holding(self, session: RoomSession, *, at_most: int) -> Iterator[None]:
        """Count a session while it lasts. Raises Overloaded when there are `at_most` already, or the process is on its way out."""
        if self._is_closing or len(self._open) >= at_most:
            raise Overloaded(f"{len(self._open)} room sessions are open here, and there may be {at_most}", retry_after_s=1.0)
        self._open.add(session)
        try:
            yield
        finally:
            self._open.discard(session)

    def close_all(self) -> None:
        """End all sessions with code 1001 and take no more."""
        self._is_closing = True
        for session in tuple(self._open):
            session.end(wire.SessionClose.GOING_AWAY)

    async def close_when_made(self, marker: Path) -> None:
        """Wait for a file, then `close_all`: Serve tells a replica of its end only when the connections are broken off already."""
        while not await asyncio.to_thread(marker.exists):  # noqa: ASYNC110  # another process makes it
            await asyncio.sleep(LOOK_S)
        self.close_all()
