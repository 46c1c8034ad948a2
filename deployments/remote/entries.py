"""The replica's side of a coalesced call: many values in one list, one answer or failure for each."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from graphs.errors import DeadlineExceeded, Internal, LivecartError
from graphs.flow import deadline_within
from models.types import ModelInputError

T = TypeVar("T")
R = TypeVar("R")

log = logging.getLogger(__name__)


async def each_alone(values: Sequence[T], remaining_s: Sequence[float], one: Callable[[T], Awaitable[R]]) -> list[R | Exception]:
    """Every value by itself, all at once, each within the time that its caller has left."""
    if len(values) == 1:
        return [await _one(values[0], remaining_s[0], one)]
    return list(await asyncio.gather(*(_one(value, left_s, one) for value, left_s in zip(values, remaining_s, strict=True))))


async def all_together(
    values: Sequence[T], remaining_s: Sequence[float], many: Callable[[Sequence[T]], Awaitable[Sequence[R]]]
) -> list[R | Exception]:
    """All values in one batch, which has as long as the most patient caller.

    When the batch fails, every value is tried by itself, so that one that the model refuses spoils no other's answer.
    """

    async def alone(value: T) -> R:
        (answer,) = await many([value])
        return answer

    if len(values) == 1:
        return [await _one(values[0], remaining_s[0], alone)]
    try:
        with deadline_within(max(remaining_s)):
            async with asyncio.timeout(_finite(max(remaining_s))):
                return list(await many(values))
    except TimeoutError:
        return [DeadlineExceeded("the batch was not done in time") for _ in values]
    except Exception as error:  # noqa: BLE001  # any value may be at fault: the next line finds out which
        log.warning("a batch of %d failed with %s: trying its values one by one", len(values), type(error).__name__)
        return [await _one(value, left_s, alone) for value, left_s in zip(values, remaining_s, strict=True)]


async def _one(value: T, remaining_s: float, call: Callable[[T], Awaitable[R]]) -> R | Exception:
    try:
        with deadline_within(remaining_s):
            async with asyncio.timeout(_finite(remaining_s)):
                return await call(value)
    except (LivecartError, ModelInputError) as error:
        return error
    except TimeoutError:
        return DeadlineExceeded("the replica was not done in time")
    except Exception as error:
        log.exception("a request failed")
        return Internal(f"the replica raised {type(error).__name__}; its log says more")


def _finite(seconds: float) -> float | None:
    return None if seconds == float("inf") else seconds
