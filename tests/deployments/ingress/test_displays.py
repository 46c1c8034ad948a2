"""Display events reach the store although it is away for a while."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from deployments.ingress.session import displays
from deployments.ingress.session.displays import DisplayLog
from graphs.errors import InvalidEvent, LivecartError, Unavailable
from graphs.watching.displays import DisplayWriter
from graphs.watching.watcher import Showing
from models.types import Event, ProductId, RoomId

WRITER = DisplayWriter(RoomId("R-1"), "s1", datetime(2026, 11, 11, tzinfo=UTC))
EVENTS = [WRITER.begun(Showing(ProductId("P-1"), order, float(order))) for order in range(5)]


@dataclass
class FlakyStore:
    """Fails as often as it is told before it takes anything."""

    failures: list[LivecartError] = field(default_factory=list)
    kept: list[Event] = field(default_factory=list)
    delay_s: float = 0.0

    async def append_events(self, values: Sequence[Event]) -> object:
        await asyncio.sleep(self.delay_s)
        if self.failures:
            raise self.failures.pop(0)
        self.kept.extend(values)
        return None


async def test_events_are_written_once_each_and_in_order() -> None:
    store = FlakyStore()
    log = DisplayLog(store)
    writing = asyncio.create_task(log.run())
    for event in EVENTS:
        log.note([event])
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    writing.cancel()
    await log.flush()
    assert store.kept == EVENTS


async def test_a_store_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(displays, "FIRST_RETRY_S", 0.001)
    store = FlakyStore([Unavailable("away"), Unavailable("still away")])
    log = DisplayLog(store)
    log.note(EVENTS)
    await log.flush()
    assert store.kept == EVENTS


async def test_events_that_the_store_refuses_do_not_hold_up_the_others() -> None:
    store = FlakyStore([InvalidEvent("no")])
    log = DisplayLog(store)
    log.note(EVENTS[:1])
    await log.flush()
    log.note(EVENTS[1:])
    await log.flush()
    assert store.kept == EVENTS[1:]


async def test_the_end_of_a_session_does_not_wait_for_a_store_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(displays, "FLUSH_S", 0.01)
    log = DisplayLog(FlakyStore(delay_s=60.0))
    log.note(EVENTS)
    async with asyncio.timeout(5):
        await log.flush()


async def test_a_store_that_is_away_for_long_costs_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(displays, "MOST_WAITING", 3)
    store = FlakyStore()
    log = DisplayLog(store)
    log.note(EVENTS)
    await log.flush()
    assert store.kept == EVENTS[2:]
