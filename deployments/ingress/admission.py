"""Admission before work: so many requests at once, so many waiting, and beyond that a 429 that says when to come back."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from graphs.errors import DeadlineExceeded, Overloaded

SMOOTHING = 0.1  # weight of the newest service time in the moving average
MIN_RETRY_S = 0.05
MAX_RETRY_S = 60.0


class Admission:
    """`max_ongoing` places, first come first served, and `max_waiting` requests that may queue for one."""

    def __init__(self, *, max_ongoing: int, max_waiting: int) -> None:
        self._places = asyncio.Semaphore(max_ongoing)
        self._max_ongoing = max_ongoing
        self._max_waiting = max_waiting
        self._ongoing = 0
        self._waiting = 0
        self._service_s = 0.1  # moving average of how long a place is held

    @property
    def ongoing(self) -> int:
        return self._ongoing

    @property
    def waiting(self) -> int:
        return self._waiting

    @property
    def retry_after_s(self) -> float:
        """When a request that came now would start: the queue's length over the observed rate of service."""
        expected_s = (self._waiting + 1) * self._service_s / self._max_ongoing
        return min(max(expected_s, MIN_RETRY_S), MAX_RETRY_S)

    @asynccontextmanager
    async def place(self, budget_s: float) -> AsyncIterator[float]:
        """Hold a place; yields the seconds that waiting for it took.

        Raises Overloaded when the queue is full, DeadlineExceeded when no place came free within `budget_s`.
        """
        came_at_s = time.perf_counter()
        await self._enter(budget_s)
        started_at_s = time.perf_counter()
        self._ongoing += 1
        try:
            yield started_at_s - came_at_s
        finally:
            self._ongoing -= 1
            self._places.release()
            self._service_s += SMOOTHING * (time.perf_counter() - started_at_s - self._service_s)

    async def _enter(self, budget_s: float) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        if self._waiting >= self._max_waiting:
            raise Overloaded(f"{self._ongoing} requests are being served and {self._waiting} wait", retry_after_s=self.retry_after_s)
        self._waiting += 1
        try:
            async with asyncio.timeout(budget_s):
                await self._places.acquire()
        except TimeoutError:
            raise DeadlineExceeded(f"no place came free within the {budget_s:.3f} s that the caller allows") from None
        finally:
            self._waiting -= 1
