"""Every protocol hands on what its caller has left, to the model that is asked, and takes the work away with the caller."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from deployments.gateway import Gateway
from deployments.ingress.fakes import FakeModels
from graphs.flow import remaining_s
from models.types import FrameDetections, Prompt, TextDelta
from tests.deployments.ingress.camera import SESSION, comment, limit
from tests.deployments.ingress.sockets import Socket
from tests.deployments.ingress.test_disconnect import Connection
from tests.hostile_requests import picture

QUESTION = "where does the fake shop deliver, and how fast?"
CHAT = {"model": "writer", "messages": [{"role": "user", "content": "hi"}]}
BUDGET_S = 5.0
HEADER = {"X-Deadline-Ms": "5000"}
IMAGE = {"Content-Type": "image/jpeg"}
RAW = {"Inference-Header-Content-Length": "0"}


@dataclass
class Patience:
    """Detector and writer that say how long they may take, and wait for as long as somebody wants them to."""

    left_s: list[float] = field(default_factory=list)
    dropped: int = 0
    waits: bool = False
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def detect(self, frame: bytes, min_score: float | None = None) -> FrameDetections:
        await self._taken()
        return FrameDetections(64, 48, ())

    async def write(self, prompt: Prompt) -> AsyncGenerator[TextDelta, None]:
        await self._taken()
        yield TextDelta("The fake shop delivers within three days.", 1)
        yield TextDelta("", 0, "stop")

    async def _taken(self) -> None:
        self.left_s.append(remaining_s())
        self.asked.set()
        if self.waits:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.dropped += 1
                raise


@pytest.fixture
def patience(app: FastAPI) -> Patience:
    """The app's detector and writer."""
    found = Patience()
    gateway: Gateway = app.state.gateway
    app.state.gateway = Gateway(gateway.store, replace(gateway.ports, detector=found, writer=found), gateway.telemetry)
    return found


Ask = Callable[[httpx.AsyncClient, Mapping[str, str]], Awaitable[httpx.Response]]
GRAPH_CALLS: dict[str, Ask] = {
    "http": lambda client, headers: client.post("/v1/recognize", content=picture(), headers={**IMAGE, **headers}),
    "http, the writer": lambda client, headers: client.post("/v1/answer", json={"question": QUESTION}, headers=headers),
    "sse": lambda client, headers: client.post("/v1/answer", json={"question": QUESTION, "stream": True}, headers=headers),
    "v2, a model": lambda client, headers: client.post("/v2/models/detector/infer", content=picture(), headers={**RAW, **headers}),
    "v2, a graph": lambda client, headers: client.post("/v2/models/recognize/infer", content=picture(), headers={**RAW, **headers}),
}


@pytest.mark.parametrize("ask", GRAPH_CALLS.values(), ids=GRAPH_CALLS)
async def test_the_header_is_what_the_model_has(shop: httpx.AsyncClient, patience: Patience, ask: Ask) -> None:
    (await ask(shop, HEADER)).raise_for_status()
    assert 0 < patience.left_s[0] <= BUDGET_S


@pytest.mark.parametrize("model", ["detector", "recognize"])
async def test_the_microseconds_of_a_tensor_call_are_what_the_model_has(shop: httpx.AsyncClient, patience: Patience, model: str) -> None:
    head = {
        "inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(picture()) + 4}}],
        "parameters": {"timeout": 3_000_000},
    }
    text = json.dumps(head).encode()
    body = text + len(picture()).to_bytes(4, "little") + picture()
    for headers, most_s in ((HEADER, 3.0), ({"X-Deadline-Ms": "1000"}, 1.0)):
        lengths = {"Inference-Header-Content-Length": str(len(text))}
        (await shop.post(f"/v2/models/{model}/infer", content=body, headers={**headers, **lengths})).raise_for_status()
        assert most_s / 2 < patience.left_s[-1] <= most_s, "the shorter one counts"


@pytest.mark.parametrize("stream", [False, True])
async def test_the_header_is_what_a_call_in_openai_s_protocol_has(shop: httpx.AsyncClient, models: FakeModels, *, stream: bool) -> None:
    (await shop.post("/v1/chat/completions", json={**CHAT, "stream": stream}, headers=HEADER)).raise_for_status()
    [told_s] = models.openai.timeouts_s
    assert 0 < told_s <= BUDGET_S


async def test_a_comment_of_a_session_has_the_time_that_the_settings_give(
    app: FastAPI, shop: httpx.AsyncClient, patience: Patience
) -> None:
    limit(app, default_deadline_s=BUDGET_S)
    async with Socket(app, SESSION) as socket:
        socket.say("comment", **comment(1, text=QUESTION))
        await socket.hear_until("reply")
    assert 0 < patience.left_s[0] <= BUDGET_S


@pytest.mark.parametrize(("method", "path", "body"), [
    ("PUT", "/v1/knowledge/D-9", {"kind": "document", "text": "New."}),
    ("POST", "/v1/events", {"events": [{"event_id": "e-9", "viewer_id": "V-9", "type": "like", "at": "2026-01-01T00:00:00Z"}]}),
])  # fmt: skip
async def test_a_change_waits_for_a_busy_store_no_longer_than_its_caller(
    shop: httpx.AsyncClient, tmp_path: Path, method: str, path: str, body: object
) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = await shop.request(method, path, json=body, headers={"X-Deadline-Ms": "300"})
        other.execute("ROLLBACK")
    assert (refused.status_code, refused.json()["error"]["code"]) == (504, "deadline_exceeded")
    (await shop.request(method, path, json=body)).raise_for_status()  # sending it again does no harm


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_is_late_takes_its_generation_with_it(shop: httpx.AsyncClient, patience: Patience, *, stream: bool) -> None:
    patience.waits = True
    await shop.post("/v1/answer", json={"question": QUESTION, "stream": stream}, headers={"X-Deadline-Ms": "1000"})
    assert patience.dropped == len(patience.left_s) == 1


@pytest.mark.parametrize("ask", ["/v1/answer", "/v1/script", "/v2/models/detector/infer", "/v2/models/recognize/infer"])
async def test_a_caller_who_leaves_takes_the_work_along(app: FastAPI, shop: httpx.AsyncClient, patience: Patience, ask: str) -> None:
    patience.waits = True
    tensors = {"inputs": [{"name": "INPUT0", "datatype": "FP32", "shape": [0], "data": []}]}
    bodies: dict[str, object] = {"/v1/answer": {"question": QUESTION}, "/v1/script": {"product_ids": ["P-1"]}}
    connection = Connection(ask, bodies.get(ask, tensors))
    if ask not in bodies:
        connection.becomes(picture(), RAW)

    async def leave() -> None:
        await patience.asked.wait()
        connection.left.set()

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(leave())
        group.create_task(app(connection.scope, connection.receive, connection.send))
    assert patience.dropped == len(patience.left_s) > 0
    assert connection.sent[0]["status"] == 499
    assert app.state.gateway.ongoing == 0


async def test_a_call_in_openai_s_protocol_ends_with_its_caller(app: FastAPI, shop: httpx.AsyncClient, models: FakeModels) -> None:
    models.openai.delay_s = 60.0
    connection = Connection("/v1/chat/completions", CHAT)

    async def leave() -> None:
        while not models.openai.asked:  # noqa: ASYNC110  # the fake counts, it does not signal
            await asyncio.sleep(0.005)
        connection.left.set()

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(leave())
        group.create_task(app(connection.scope, connection.receive, connection.send))
    assert models.openai.closed == 1
    assert app.state.gateway.ongoing == 0
