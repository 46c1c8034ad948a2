"""Exposures reach the store beside the answer: once, bounded, and never lost without a word."""

import asyncio
import logging
from pathlib import Path

import pytest

from deployments.experiments.exposures import ExposureLog
from deployments.store import Store
from models.types import Event, EventId, ViewerId
from tests.deployments.store.examples import START

V1, V2 = ViewerId("v1"), ViewerId("v2")


async def opened(folder: Path) -> Store:
    store = await Store.open(f"sqlite:///{folder / 'livecart.db'}")
    await store.append_events([Event(EventId(viewer), viewer, "enter", START) for viewer in (V1, V2)])
    return store


async def test_what_is_noted_is_written_by_the_running_log_and_remembered(tmp_path: Path) -> None:
    async with await opened(tmp_path) as store:
        log = ExposureLog(store)
        running = asyncio.create_task(log.run())
        log.note("x", "a", V1)
        log.note("x", "b", V2)
        assert log.variant("x", V1) == "a"
        for _ in range(1_000):
            if not log.waiting:
                break
            await asyncio.sleep(0.01)
        running.cancel()
        assert (log.waiting, log.lost, await store.exposure("x", V2), log.variant("x", V1)) == (0, 0, "b", "a")
        log.note("x", "b", V1)
        assert log.waiting == 0


async def test_what_the_store_held_before_counts_and_is_asked_for_again_after_a_while(tmp_path: Path) -> None:
    async with await opened(tmp_path) as store:
        now_s = 0.0
        first, second = ExposureLog(store), ExposureLog(store, clock=lambda: now_s)
        first.note("x", "a", V1)
        await first.flush()
        second.note("x", "b", V1)
        await second.flush()
        assert second.variant("x", V1) == "a"
        await store.erase_viewer(V1, actor="test")
        now_s = 601.0
        assert second.variant("x", V1) is None


async def test_an_unknown_viewer_is_not_remembered(tmp_path: Path) -> None:
    async with await opened(tmp_path) as store:
        log = ExposureLog(store)
        log.note("x", "a", ViewerId("nobody"))
        await log.flush()
        assert (log.waiting, log.lost, log.variant("x", ViewerId("nobody"))) == (0, 0, None)


async def test_while_the_store_is_away_exposures_wait_and_those_beyond_the_bound_are_counted_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = await opened(tmp_path)
    log = ExposureLog(store, max_waiting=2)
    await store.close()
    with caplog.at_level(logging.WARNING, logger="livecart.experiments"):
        running = asyncio.create_task(log.run())
        for number in range(5):
            log.note("x", "a", ViewerId(f"v{number}"))
        await asyncio.sleep(0.3)
        running.cancel()
    assert (log.waiting, log.lost) == (2, 3)
    assert "lost" in caplog.text
    assert "wait for the store" in caplog.text


async def test_little_is_remembered_at_a_time_and_one_that_cannot_be_stored_does_not_keep_later_ones_out(tmp_path: Path) -> None:
    async with await opened(tmp_path) as store:
        log = ExposureLog(store, max_remembered=1)
        log.note("x", "a", ViewerId("\ud800"))
        await log.flush()
        for viewer in (V1, V2):
            log.note("x", "a", viewer)
            await log.flush()
        assert (log.lost, log.variant("x", V1), log.variant("x", V2)) == (1, None, "a")
