"""A room session when things die: a model replica killed with -9, a caller whose machine is gone without a word."""

import asyncio
import base64
import itertools
import json
import os
import secrets
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection

from models.demo.catalog import demo_rooms
from models.demo.pictures import demo_frame
from tests.integration.conftest import Server
from tests.integration.test_failures import PRODUCT, _until_back
from tests.integration.test_session import session

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
ROOM = next(room for room in demo_rooms() if room.live and PRODUCT.product_id in room.shelf)
FRAME = demo_frame({PRODUCT.product_id: PRODUCT.category}, seed=3)
QUESTIONS = ("它适合什么场合用？", "多少钱？", "What is it made for?", "主播好")
EVERY_S = 0.5
HALF_OPEN_S = 40.0  # as docs/sessions.md says
FLOOD_BYTES = 80 * 2**20  # several times what the buffers of all connections on the way hold
STALLED_S = 5.0


@dataclass
class Chat:
    """Comments and frames in a row, and what came back."""

    asked: set[str] = field(default_factory=set)
    outcomes: dict[str, list[str]] = field(default_factory=dict)
    products_at_s: list[float] = field(default_factory=list)
    pongs: int = 0

    async def talk(self, socket: ClientConnection, *, until_s: float) -> None:
        for number in itertools.count():
            if time.monotonic() > until_s:
                return
            comment_id = f"c-{number}"
            self.asked.add(comment_id)
            comment = {"type": "comment", "comment_id": comment_id, "viewer_id": "viewer-00001", "text": QUESTIONS[number % len(QUESTIONS)]}
            await socket.send(json.dumps(comment))
            await socket.send(FRAME)
            await asyncio.sleep(EVERY_S)

    async def listen(self, socket: ClientConnection) -> None:
        async for text in socket:
            message: dict[str, Any] = json.loads(text)
            if message["type"] in ("reply", "error") and message.get("comment_id"):
                outcome = message["source"] if message["type"] == "reply" else message["error"]["code"]
                self.outcomes.setdefault(message["comment_id"], []).append(outcome)
            self.pongs += message["type"] == "pong"
            if message["type"] == "products":
                self.products_at_s.append(time.monotonic())

    async def settle(self, socket: ClientConnection) -> None:
        """Wait for all outcomes, then for a pong. Raises TimeoutError."""
        async with asyncio.timeout(60):
            while self.waiting:  # noqa: ASYNC110  # `listen` is not there to signal
                await asyncio.sleep(0.2)
            await socket.send('{"type": "ping"}')
            while not self.pongs:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    @property
    def waiting(self) -> set[str]:
        return self.asked - self.outcomes.keys()


@pytest.mark.parametrize("deployment", ["Detector", "Writer"])
async def test_a_session_outlives_a_killed_model_replica_and_loses_no_comment(
    deployment: str, server: Server, async_http: httpx.AsyncClient
) -> None:
    chat = Chat()
    victims = server.replica_pids(deployment)
    async with session(server, ROOM.room_id) as socket, asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(chat.listen(socket))
        talking = tasks.create_task(chat.talk(socket, until_s=time.monotonic() + 25))
        await asyncio.sleep(5)
        os.kill(victims[0], signal.SIGKILL)
        await talking
        await chat.settle(socket)
        listening.cancel()
    assert chat.pongs == 1, "the session is the same one"
    assert all(len(outcomes) == 1 for outcomes in chat.outcomes.values()), chat.outcomes
    failed = [outcome for (outcome,) in chat.outcomes.values() if outcome in ("unavailable", "internal", "deadline_exceeded")]
    assert len(failed) <= 2, chat.outcomes
    assert chat.products_at_s
    await _until_back(server, deployment, victims[0])
    await _shown_again(server)


async def _shown_again(server: Server) -> None:
    """A new session makes out the product."""
    async with session(server, ROOM.room_id) as socket, asyncio.timeout(60):
        while True:
            await socket.send(FRAME)
            try:
                async with asyncio.timeout(1):
                    message = json.loads(await socket.recv())
            except TimeoutError:
                continue
            if message["type"] == "products" and message["products"]:
                return


def handshake(server: Server, room_id: str) -> socket.socket:
    """A WebSocket that is open, and a caller who then neither reads nor answers pings."""
    url = httpx.URL(server.url)
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)  # answers that are not read do not get far
    caller.connect((url.host, url.port or 80))
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    lines = [
        f"GET /v1/rooms/{room_id}/session HTTP/1.1",
        f"Host: {url.host}:{url.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    ]
    caller.sendall(("\r\n".join([*lines, "", ""])).encode())
    assert caller.recv(12) == b"HTTP/1.1 101"
    return caller


async def test_a_caller_who_answers_no_ping_is_gone_in_the_time_that_is_stated(server: Server) -> None:
    callers = [handshake(server, ROOM.room_id) for _ in range(3)]
    began_s = time.monotonic()
    try:
        await asyncio.to_thread(_until_closed, callers, began_s + HALF_OPEN_S + 30)
    finally:
        for caller in callers:
            caller.close()
    ends = time.monotonic() + 20
    while server.metric("livecart_sessions_open") > 0:
        assert time.monotonic() < ends
        await asyncio.sleep(0.5)


def _until_closed(callers: Sequence[socket.socket], ends_s: float) -> None:
    """Until the server has ended all these connections."""
    for caller in callers:
        while True:
            caller.settimeout(max(0.1, ends_s - time.monotonic()))
            if not caller.recv(65_536):
                break


async def test_who_floods_and_does_not_read_is_not_read_either(server: Server) -> None:
    """What a session cannot take stays with the caller instead of in the ingress."""
    caller = handshake(server, ROOM.room_id)
    try:
        assert await asyncio.to_thread(_taken, caller, at_most=FLOOD_BYTES) < FLOOD_BYTES
    finally:
        caller.close()


def _taken(caller: socket.socket, *, at_most: int) -> int:
    """How many bytes of comments, each of which is answered with an error, the server takes before it stops reading or hangs up."""
    comment = json.dumps({"type": "comment", "comment_id": "a" * 120, "viewer_id": "b" * 120, "text": "x"}).encode()
    flood = (b"\x81\xfe" + len(comment).to_bytes(2, "big") + bytes(4) + comment) * 1_000  # a text frame, masked with zeros
    caller.settimeout(STALLED_S)
    taken = 0
    try:
        while taken < at_most:
            caller.sendall(flood)
            taken += len(flood)
    except OSError:
        return taken
    return taken


async def test_a_room_whose_connection_broke_finds_its_comments_and_what_is_shown(server: Server) -> None:
    """Both sessions come to the ingress replica that remembers, whichever that is."""
    comment = json.dumps({"type": "comment", "comment_id": "r-1", "viewer_id": "viewer-00001", "text": "多少钱？"})
    for room in [room for room in demo_rooms() if room.live][:4]:
        async with session(server, room.room_id) as socket:
            await socket.send(comment)
            first = await _reply(socket)
            socket.transport.abort()
        async with session(server, room.room_id) as socket:
            await socket.send(comment)
            assert await _reply(socket) == first


async def _reply(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["type"] == "reply":
                return message
