"""Racing two attempts and drawing sticky variants."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from graphs.errors import LivecartError


@dataclass(frozen=True, slots=True)
class Branch:
    label: str
    source: str  # the node whose value the choice takes
    weight: float = 1.0


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
        for attempt in attempts:
            attempt.cancel()
        await asyncio.gather(*attempts, return_exceptions=True)


def _started(call: Callable[[], Awaitable[object]]) -> asyncio.Task[object]:
    async def attempt() -> object:
        return await call()

    return asyncio.create_task(attempt())


def _has_won(attempt: asyncio.Task[object]) -> bool:
    """Whether this attempt settles the race: by success, or because the request itself is at fault."""
    if not attempt.done() or attempt.cancelled():
        return False
    error = attempt.exception()
    return error is None or (isinstance(error, LivecartError) and error.is_callers_fault)


def sticky_index(key: str, salt: str, weights: Sequence[float]) -> int:
    """Which of the weighted variants a key gets: the same one in every process and after every restart.

    The key is hashed with the salt (the split's name, so that two experiments are independent) to a number in [0, 1),
    which falls into one of the intervals that the weights cut. Raising a variant's weight moves only the keys at its edge.

    >>> sticky_index("viewer-1", "ranker", [1.0, 0.0])
    0
    >>> sticky_index("viewer-1", "ranker", [0.0, 1.0])
    1
    """
    digest = hashlib.blake2b(f"{salt}\0{key}".encode(), digest_size=7).digest()
    point = int.from_bytes(digest) / (1 << 56) * sum(weights)
    last = 0
    for index, weight in enumerate(weights):
        if weight > 0:
            last = index
            if point < weight:
                return index
        point -= weight
    return last  # rounding left the point at the very end


def select_true(value: object, branches: Sequence[Branch]) -> int:
    """The first of two branches if the condition holds, else the second."""
    return 0 if value else 1


def select_sticky(split: str) -> Callable[[object, Sequence[Branch]], int]:
    """A selector that gives the same key the same variant of this split, in proportion to the weights."""

    def select(key: object, branches: Sequence[Branch]) -> int:
        return sticky_index(str(key), split, [branch.weight for branch in branches])

    return select
