"""A caller who leaves stops the work done for them."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.types import Receive

from graphs.errors import DeadlineExceeded

T = TypeVar("T")


class CallerLeft(Exception):  # noqa: N818 - it is no error: nobody is there to be told
    """The connection was closed before the answer was ready."""


async def until_disconnect(receive: Receive, work: Awaitable[T]) -> T:
    """Await `work` in the current task and cancel it when the caller disconnects; the body must have been read.

    Raises CallerLeft after the cancelled work has finished, and whatever `work` raises.
    """
    failure: Exception | None = None
    result: T
    try:
        async with asyncio.TaskGroup() as group:
            watcher = group.create_task(_raise_when_gone(receive))
            try:
                result = await work
            except Exception as error:  # noqa: BLE001 - raised again below, outside the group that would wrap it
                failure = error
            watcher.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    if failure is not None:
        raise failure
    return result


async def within(budget_s: float, work: Awaitable[T]) -> T:
    """Await `work` for at most `budget_s` and then cancel it. Raises DeadlineExceeded, and whatever `work` raises."""
    try:
        async with asyncio.timeout(budget_s) as clock:
            return await work
    except TimeoutError:
        if not clock.expired():
            raise
        raise DeadlineExceeded(f"not done within the {budget_s:.3f} s that were left") from None


async def _raise_when_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass  # an empty end of the body that was already taken
    raise CallerLeft
