"""The deadline of whatever node is running now, handed down through a ContextVar."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

deadline_variable: ContextVar[float] = ContextVar("livecart_deadline", default=math.inf)


def current_deadline() -> float:
    """When the running node has to be done, on the `time.monotonic` clock; infinite outside of a graph."""
    return deadline_variable.get()


def remaining_s() -> float:
    """Seconds the running node has left, never below 0; infinite outside of a graph."""
    return max(0.0, deadline_variable.get() - time.monotonic())


@contextmanager
def deadline_within(seconds: float) -> Iterator[None]:
    """What runs inside has at most that long: for a server that was told what its caller has left."""
    outer = deadline_variable.set(min(time.monotonic() + seconds, deadline_variable.get()))
    try:
        yield
    finally:
        deadline_variable.reset(outer)
