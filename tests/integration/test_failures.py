"""Replicas killed with -9 under load: they come back, hardly a request fails, and nothing acknowledged is lost."""

import asyncio
import os
import signal
import time
from collections import Counter
from datetime import UTC, datetime

import httpx
import pytest

from models.demo.catalog import demo_products, demo_rooms
from models.demo.pictures import demo_frame
from tests.integration.conftest import Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
PRODUCT = demo_products()[0]
ROOM = next(room for room in demo_rooms() if room.live)
FRAME = demo_frame({PRODUCT.product_id: PRODUCT.category}, seed=3)
LOAD_S = 40.0
CALLERS = 4


class Load:
    """Callers in a loop over the main routes; counts outcomes and remembers which events were acknowledged."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.outcomes: Counter[str] = Counter()
        self.acknowledged: list[str] = []
        self._made = 0

    async def run(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        async with asyncio.TaskGroup() as callers:
            for _ in range(CALLERS):
                callers.create_task(self._caller(ends))

    async def _caller(self, ends: float) -> None:
        while time.monotonic() < ends:
            for call in (self._event, self._moment, self._answer, self._recommend):
                await call()
                await asyncio.sleep(0.05)

    async def _event(self) -> None:
        self._made += 1
        event_id = f"load-{os.getpid()}-{self._made}"
        event = {"event_id": event_id, "viewer_id": "loader", "type": "enter", "at": datetime.now(UTC).isoformat()}
        if await self._post("events", "/v1/events", json={"events": [event]}):
            self.acknowledged.append(event_id)

    async def _moment(self) -> None:
        await self._post("moment", "/v1/moment", files={"frame": FRAME}, data={"viewer_id": "viewer-00001", "room_id": ROOM.room_id})

    async def _answer(self) -> None:
        await self._post("answer", "/v1/answer", json={"question": "介绍一下这款商品", "product_id": PRODUCT.product_id})

    async def _recommend(self) -> None:
        await self._post("recommend", "/v1/recommend/products", json={"viewer_id": "viewer-00001"})

    async def _post(self, name: str, path: str, **arguments: object) -> bool:
        try:
            response = await self._http.post(path, **arguments)  # type: ignore[arg-type]  # keywords of httpx
        except httpx.TransportError as error:
            self.outcomes[f"{name} {type(error).__name__}"] += 1
            return False
        self.outcomes["ok" if response.is_success else f"{name} {response.status_code}"] += 1
        return response.is_success


@pytest.mark.parametrize("deployment", ["Detector", "Writer", "Ingress"])
async def test_a_replica_killed_under_load_comes_back_and_hardly_a_request_fails(
    deployment: str, server: Server, async_http: httpx.AsyncClient
) -> None:
    (victim, *_) = server.replica_pids(deployment)
    load = Load(async_http)
    await async_http.post(
        "/v1/events", json={"events": [{"event_id": "load-0", "viewer_id": "loader", "type": "enter", "at": "2026-01-01T00:00:00Z"}]}
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(LOAD_S))
        await asyncio.sleep(5)
        os.kill(victim, signal.SIGKILL)
    total = load.outcomes.total()
    failed = total - load.outcomes["ok"]
    assert failed <= 0.01 * total, load.outcomes
    await _until_back(server, deployment, victim)
    known = (await async_http.get("/v1/viewers/loader")).json()["events"]
    assert set(load.acknowledged) <= {event["event_id"] for event in known}


async def _until_back(server: Server, deployment: str, victim: int) -> None:
    ends = time.monotonic() + 180
    while time.monotonic() < ends:
        pids = server.replica_pids(deployment)
        status = await asyncio.to_thread(server.status)
        if victim not in pids and pids and status.deployments[deployment].status == "HEALTHY" and status.ready:
            return
        await asyncio.sleep(1)
    pytest.fail(f"{deployment} did not come back: {server.status().deployments[deployment]}")
