"""Deadlines and callers who leave, protocol by protocol, on the real stack: the engine and the places are free soon after."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import httpx
import numpy as np
import openai
import pytest
from tritonclient.http import InferInput
from tritonclient.http.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException
from websockets.asyncio.client import connect

from models.demo.catalog import demo_products, demo_rooms
from models.demo.pictures import demo_frame
from tests.integration.conftest import Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

PRODUCTS = demo_products()
ROOM = next(room for room in demo_rooms() if room.live)
SCRIPT = {"product_ids": [product.product_id for product in PRODUCTS[:20]], "language": "zh", "duration_s": 3_600}  # minutes of writing
CHAT = {"model": "writer", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 900, "ignore_eos": True}
FRAME = demo_frame({PRODUCTS[0].product_id: PRODUCTS[0].category}, seed=1)
QUIET_S = 30.0


async def busy(server: Server) -> None:
    """Wait until the engine works on something."""
    await _until(lambda: server.metric("vllm:num_requests_running") > 0)


async def quiet(server: Server) -> None:
    """Wait until nothing is left of it, anywhere."""
    counted = ("vllm:num_requests_running", "vllm:num_requests_waiting", "livecart_requests_ongoing", "livecart_requests_waiting")
    for _ in range(4):  # the ingress replicas take turns in answering
        await _until(lambda: not any(server.metric(name) for name in counted))


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(QUIET_S):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110  # metrics have no event
            await asyncio.sleep(0.1)


async def stream_of(http: httpx.AsyncClient, path: str, body: object) -> None:
    async with http.stream("POST", path, json=body) as response:
        async for _ in response.aiter_lines():
            pass


async def session_comment(server: Server) -> None:
    """Comments that the writer answers, one after the other."""
    questions = ("介绍一下这款商品", "Tell me about it, what is special?", "它适合什么场合用？", "What is it made for?")
    async with connect(f"{server.url.replace('http', 'ws')}/v1/rooms/{ROOM.room_id}/session") as session:
        for number, question in enumerate(questions):
            said = {"type": "comment", "comment_id": f"c-{number}", "viewer_id": "viewer-00001", "text": question}
            await session.send(json.dumps(said))
        async for _ in session:
            pass


@pytest.fixture
async def stock(server: Server) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        yield client


CALLS: dict[str, Callable[[Server, httpx.AsyncClient], Awaitable[object]]] = {
    "http": lambda _, http: http.post("/v1/script", json=SCRIPT),
    "sse": lambda _, http: stream_of(http, "/v1/script", {**SCRIPT, "stream": True}),
    "openai": lambda _, http: http.post("/v1/chat/completions", json=CHAT),
    "openai, streamed": lambda _, http: stream_of(http, "/v1/chat/completions", {**CHAT, "stream": True}),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_the_engine_is_quiet_when_the_caller_has_left(
    call: Callable[[Server, httpx.AsyncClient], Awaitable[object]], server: Server, async_http: httpx.AsyncClient
) -> None:
    asking = asyncio.ensure_future(call(server, async_http))
    await busy(server)
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    await quiet(server)


async def test_a_session_that_ends_leaves_nothing_behind(server: Server) -> None:
    talking = asyncio.create_task(session_comment(server))
    await asyncio.sleep(0.5)
    talking.cancel()
    with suppress(asyncio.CancelledError):
        await talking
    await quiet(server)
    await _until(lambda: server.metric("livecart_sessions_open") == 0)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_the_engine_is_quiet_when_the_time_is_over(
    call: Callable[[Server, httpx.AsyncClient], Awaitable[object]], server: Server
) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60, headers={"X-Deadline-Ms": "1500"}) as http:
        await asyncio.gather(call(server, http), busy(server))
    await quiet(server)


async def test_a_completion_that_is_late_is_told(stock: openai.AsyncOpenAI, server: Server) -> None:
    with pytest.raises(openai.APIStatusError) as late:
        await stock.chat.completions.create(  # type: ignore[call-overload]  # a body of plain objects
            **{name: value for name, value in CHAT.items() if name != "ignore_eos"},
            extra_body={"ignore_eos": True},
            extra_headers={"X-Deadline-Ms": "500"},
        )
    assert (late.value.status_code, late.value.code) == (504, "deadline_exceeded")
    await quiet(server)


@pytest.mark.parametrize("model", ["detector", "embedder", "recognize"])
async def test_microseconds_of_a_tensor_call_are_its_deadline(model: str, server: Server) -> None:
    image = InferInput("image", [1], "BYTES").set_data_from_numpy(np.array([FRAME], dtype=np.object_))
    async with InferenceServerClient(server.url.removeprefix("http://")) as client:
        with pytest.raises(InferenceServerException) as late:
            await client.infer(model, [image], timeout=1_000)
        assert late.value.status() == "504"
        assert (await client.infer(model, [image], timeout=30_000_000)).get_response()["model_name"] == model
    await quiet(server)


async def test_frames_of_callers_who_left_hold_up_nobody(server: Server, async_http: httpx.AsyncClient) -> None:
    """Fifty frames are handed in and given up; none of them keeps a place, and the next one is answered."""
    frames = [asyncio.create_task(async_http.post("/v1/recognize", files={"frame": FRAME})) for _ in range(50)]
    await asyncio.sleep(0.3)
    for frame in frames:
        frame.cancel()
    await asyncio.gather(*frames, return_exceptions=True)
    await quiet(server)
    assert (await async_http.post("/v1/recognize", files={"frame": FRAME})).json()["products"]
