"""The corpus of hostile pictures against the real stack: never a 5xx, the replicas stay the same and do not grow."""

import asyncio
import json

import httpx
import psutil
import pytest
from websockets.asyncio.client import connect

from models.demo.catalog import demo_rooms
from tests.deployments.ingress.test_hostile_pictures import REFUSALS, check, kind_of, tensor
from tests.hostile_pictures import PICTURES, Fate, HostilePicture
from tests.integration.conftest import Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
MIB = 1024 * 1024
ROUNDS = 4
AT_ONCE = 8
MAX_GROWTH_MIB = 64
ROOM = next(room for room in demo_rooms() if room.live)


async def show(http: httpx.AsyncClient, gate: asyncio.Semaphore, picture: HostilePicture) -> None:
    async with gate:
        raw = await http.post("/v1/recognize", content=picture.content, headers={"Content-Type": kind_of(picture)})
        check(picture, "recognize", raw)
        for model in ("detector", "embedder"):
            content, headers = tensor(picture.content)
            status = (await http.post(f"/v2/models/{model}/infer", content=content, headers=headers)).status_code
            assert status == 200 or status in REFUSALS, (picture.name, model, status)


def resident(pids: list[int]) -> int:
    return sum(psutil.Process(pid).memory_info().rss for pid in pids)


async def test_pictures_are_seen_or_refused_and_nothing_of_them_stays(server: Server, async_http: httpx.AsyncClient) -> None:
    pids = sorted(server.replica_pids("Detector") + server.replica_pids("Ingress"))
    small, gate, sizes = [picture for picture in PICTURES if "megapixels" not in picture.name], asyncio.Semaphore(AT_ONCE), []
    await asyncio.gather(*(show(async_http, gate, picture) for picture in PICTURES))
    for _ in range(ROUNDS):
        await asyncio.gather(*(show(async_http, gate, picture) for picture in small))
        sizes.append(resident(pids) // MIB)
    assert sorted(server.replica_pids("Detector") + server.replica_pids("Ingress")) == pids
    assert sizes[-1] - sizes[0] < MAX_GROWTH_MIB, sizes
    assert (await async_http.get("/readyz")).status_code == 200


async def test_a_room_session_goes_on_after_each(server: Server) -> None:
    async with connect(f"{server.url.replace('http', 'ws')}/v1/rooms/{ROOM.room_id}/session") as socket:
        for picture in PICTURES:
            if picture.fate is Fate.REFUSED:
                await socket.send(picture.content)
                heard = json.loads(await socket.recv())
                assert heard["error"]["code"] in REFUSALS.values(), picture.name
        await socket.send(json.dumps({"type": "ping"}))
        assert json.loads(await socket.recv())["type"] == "pong"
