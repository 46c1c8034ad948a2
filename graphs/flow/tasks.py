"""Tasks that never outlive the call that started them.

A TaskGroup whose parent waits at its end leaves the parent's count of cancellations raised when a child fails (Python 3.11),
which a timeout or group further out takes for a caller who left. Hence these two, which wait in the open.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from graphs.errors import LivecartError

T = TypeVar("T")


async def all_or_first_failure(work: Callable[[], Awaitable[None]], workers: int) -> None:
    """That many calls at once, to their end; the first failure cancels the others and is raised as it is."""
    running = [_started(work) for _ in range(workers)]
    try:
        await asyncio.wait(running, return_when=asyncio.FIRST_EXCEPTION)
        for worker in running:
            if worker.done():
                worker.result()
    finally:
        await _settle(running)


async def first_success(first: Callable[[], Awaitable[object]], second: Callable[[], Awaitable[object]], *, after_s: float) -> object:
    """The value of whichever attempt succeeds first.

    The second starts after `after_s`, or at once when the first fails before. A caller's fault ends the race: the other
    attempt would find the same. Losers are cancelled and awaited before this returns.

    Raises:
        the first attempt's error, when both fail.
    """
    attempts = [_started(first)]
    try:
        await asyncio.wait(attempts, timeout=after_s)
        if not _has_won(attempts[0]):
            attempts.append(_started(second))
        pending = {attempt for attempt in attempts if not attempt.done()}
        while pending and not any(_has_won(attempt) for attempt in attempts):
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        winner = next((attempt for attempt in attempts if _has_won(attempt)), attempts[0])
        return winner.result()
    finally:
        await _settle(attempts)


async def _settle(tasks: Sequence[asyncio.Task[T]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _started(call: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
    async def attempt() -> T:
        return await call()

    return asyncio.create_task(attempt())


def _has_won(attempt: asyncio.Task[object]) -> bool:
    """Whether this attempt settles the race: by success, or because the request itself is at fault."""
    if not attempt.done() or attempt.cancelled():
        return False
    error = attempt.exception()
    return error is None or (isinstance(error, LivecartError) and error.is_callers_fault)
