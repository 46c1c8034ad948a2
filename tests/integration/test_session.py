"""A room session on the real platform: through HAProxy, with real models, in real time."""

import asyncio
import io
import json
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from livecart_client import wire
from models.demo.catalog import demo_products, demo_rooms
from models.demo.video import demo_footage, demo_showings
from models.types import Product
from tests.integration.conftest import Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ROOM = next(room for room in demo_rooms() if room.live)
FRAMES_PER_S = 2.0
EACH_S, GAP_S = 9.0, 2.5  # five products in a minute
SEED = 1


def shown_products() -> list[Product]:
    known = {product.product_id: product for product in demo_products()}
    return [known[product_id] for product_id in ROOM.shelf[:5]]


def pictures(products: Sequence[Product]) -> list[bytes]:
    """A minute of drawn video as JPEGs, two a second."""
    encoded = []
    for drawn in demo_footage(products, seconds_each=EACH_S, gap_s=GAP_S, fps=FRAMES_PER_S, seed=SEED):
        buffer = io.BytesIO()
        drawn.picture.save(buffer, "JPEG", quality=85)
        encoded.append(buffer.getvalue())
    return encoded


def session(server: Server, room_id: str = ROOM.room_id) -> connect:
    return connect(f"{server.url.replace('http', 'ws')}/v1/rooms/{room_id}/session")


async def hear(socket: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await socket.recv())
    return found


async def play(socket: ClientConnection, frames: Sequence[bytes]) -> None:
    """In real time: each frame at its time, whatever became of those before."""
    began_s = time.monotonic()
    for number, frame in enumerate(frames):
        await asyncio.sleep(max(0.0, began_s + number / FRAMES_PER_S - time.monotonic()))
        await socket.send(frame)
    await asyncio.sleep(3.0)
    await socket.send('{"type": "ping"}')


async def test_a_minute_of_video_is_told_of_product_by_product(server: Server, async_http: httpx.AsyncClient) -> None:
    products = shown_products()
    frames = pictures(products)
    reports: list[wire.SessionProducts] = []
    async with session(server) as socket, asyncio.TaskGroup() as tasks:
        tasks.create_task(play(socket, frames))
        while (message := await hear(socket))["type"] != "pong":
            reports.append(wire.SessionProducts.model_validate(message))
    told = [[seen.matches[0].product_id for seen in report.products if seen.matches] for report in reports]
    assert told == [held for product in products for held in ([product.product_id], [])]
    displays = await displays_of(async_http, ROOM.room_id)
    truth = demo_showings(products, seconds_each=EACH_S, gap_s=GAP_S)
    assert [display["product_id"] for display in displays] == [showing.product_id for showing in truth]
    for display, showing in zip(displays, truth, strict=True):
        assert display["value"] == pytest.approx(showing.to_s - showing.from_s, abs=1.0)


async def displays_of(http: httpx.AsyncClient, room_id: str) -> list[dict[str, Any]]:
    """The latest session's displays that are over, in order."""
    events = (await http.get(f"/v1/viewers/host-{room_id}")).json()["events"]
    watched = [{**event, **json.loads(event["text"])} for event in events if event["text"] and event["value"] is not None]
    latest = max(watched, key=lambda event: datetime.fromisoformat(event["at"]))["session"]
    return sorted((event for event in watched if event["session"] == latest), key=lambda event: event["order"])


async def test_a_comment_is_answered_over_the_session(server: Server) -> None:
    async with session(server) as socket:
        await socket.send(json.dumps({"type": "comment", "comment_id": "c-1", "viewer_id": "viewer-00001", "text": "多少钱？"}))
        heard = [await hear(socket)]
        while heard[-1]["type"] == "reply_token":
            heard.append(await hear(socket))
    reply = wire.SessionReply.model_validate(heard[-1])
    assert reply.comment_id == "c-1"
    assert "".join(token["text"] for token in heard[:-1]) == reply.answer


async def test_a_room_that_is_not_known_closes_the_session(server: Server) -> None:
    async with session(server, "nowhere") as socket:
        assert (await hear(socket))["error"]["code"] == "not_found"
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4404


async def test_a_message_that_is_too_large_closes_the_session(server: Server) -> None:
    async with session(server) as socket:
        await socket.send(b"\0" * (13 * 2**20))
        assert (await hear(socket))["error"]["code"] == "payload_too_large"
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


async def test_a_caller_who_vanishes_leaves_no_session(server: Server) -> None:
    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(vanish(server))
    ends = time.monotonic() + 20
    while server.metric("livecart_sessions_open") > 0:
        assert time.monotonic() < ends
        await asyncio.sleep(0.5)


async def vanish(server: Server) -> None:
    """Without a word: the connection is broken off while a frame is looked at."""
    frame = next(iter(pictures(shown_products()[:1])))
    async with session(server) as socket:
        await socket.send(frame)
        socket.transport.abort()
