"""Whose frame is looked at next: so many at once, the longest waiting first, with a head start for sessions that are in doubt."""

import asyncio
import heapq
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count

HEAD_START_S = 3.0  # of a session whose last frame showed something new: a second look settles what is shown


class Turns:
    """The turns of one ingress process. Whoever waits moves up with time, so a head start starves nobody."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._numbers = count()
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._taken = 0
        self._at_most = 1

    @asynccontextmanager
    async def turn(self, *, at_most: int, in_doubt: bool) -> AsyncIterator[None]:
        """Hold a turn; waits while `at_most` are held."""
        self._at_most = at_most
        came: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self._clock() - in_doubt * HEAD_START_S, next(self._numbers), came))
        self._grant()
        try:
            await came
            yield
        finally:
            if came.done() and not came.cancelled():
                self._taken -= 1
            came.cancel()
            self._grant()

    def _grant(self) -> None:
        while self._waiting and self._taken < self._at_most:
            _, _, came = heapq.heappop(self._waiting)
            if not came.done():
                self._taken += 1
                came.set_result(None)
