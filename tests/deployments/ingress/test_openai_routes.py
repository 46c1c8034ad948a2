"""OpenAI's protocol at the edge: what the stock client sees, over a writer that says what it is told."""

import asyncio
import base64
from collections.abc import AsyncIterator

import httpx
import httpx2
import numpy as np
import openai
import pytest
from fastapi import FastAPI

from deployments.ingress.fakes import FakeModels
from deployments.settings import IngressConfig, Limits, TokenLimits
from graphs.errors import ContextLengthExceeded, Unavailable

ASK = {"model": "writer", "messages": [{"role": "user", "content": "Is it dishwasher safe?"}]}


@pytest.fixture
async def stock(app: FastAPI) -> AsyncIterator[openai.AsyncOpenAI]:
    transport = httpx2.ASGITransport(app)
    async with openai.AsyncOpenAI(
        base_url="http://localhost/v1", api_key="none", max_retries=0, http_client=httpx2.AsyncClient(transport=transport)
    ) as client:
        yield client


async def test_a_chat_goes_through_as_it_came(stock: openai.AsyncOpenAI, models: FakeModels) -> None:
    answer = await stock.chat.completions.create(model="writer", messages=[{"role": "user", "content": "hi"}], extra_body={"unknown": 1})
    assert answer.choices[0].message.content == "Dishwasher safe."
    ((kind, body),) = models.openai.asked
    assert kind == "chat"
    assert b'"unknown":1' in body.replace(b" ", b"")


async def test_a_stream_is_whole_events_and_ends_with_done(client: httpx.AsyncClient) -> None:
    async with client.stream("POST", "/v1/chat/completions", json={**ASK, "stream": True}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        text = (await response.aread()).decode()
    events = text.split("\n\n")
    assert [event[:6] for event in events] == ["data: ", "data: ", "data: ", ""]
    assert events[-2] == "data: [DONE]"


async def test_completions_are_another_kind(stock: openai.AsyncOpenAI, models: FakeModels) -> None:
    stream = await stock.completions.create(model="writer", prompt="Once", stream=True)
    assert len([chunk async for chunk in stream]) == 2
    assert models.openai.asked[0][0] == "completion"


async def test_an_early_failure_keeps_its_status(stock: openai.AsyncOpenAI, models: FakeModels) -> None:
    models.openai.failure = ContextLengthExceeded("too long", param="messages")
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as refused:
            await stock.chat.completions.create(model="writer", messages=[{"role": "user", "content": "hi"}], stream=stream)
        assert (refused.value.code, refused.value.param) == ("context_length_exceeded", "messages")


async def test_a_failure_in_the_middle_is_the_last_chunk(stock: openai.AsyncOpenAI, client: httpx.AsyncClient, models: FakeModels) -> None:
    models.openai.failure, models.openai.fails_after = Unavailable("the writer is gone"), 1
    stream = await stock.chat.completions.create(model="writer", messages=[{"role": "user", "content": "hi"}], stream=True)
    with pytest.raises(openai.APIError, match="the writer is gone"):
        _ = [chunk async for chunk in stream]
    response = await client.post("/v1/chat/completions", json={**ASK, "stream": True})
    assert '"code":"unavailable"' in response.text.splitlines()[-2]
    assert "[DONE]" not in response.text


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (b"[]", 400, None),
        (b"{", 400, None),
        (b'{"stream": "yes"}', 400, "stream"),
        (b'{"model": "text_embedder", "messages": []}', 400, "model"),
        (b'{"messages": "' + b"x" * (2 * 1024 * 1024) + b'"}', 413, None),
    ],
)
async def test_bodies_that_are_refused_before_the_writer_sees_them(
    client: httpx.AsyncClient, models: FakeModels, body: bytes, status: int, param: str | None
) -> None:
    response = await client.post("/v1/chat/completions", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["error"]["param"]) == (status, param)
    assert not models.openai.asked


async def test_a_caller_who_leaves_closes_the_generation(app: FastAPI, models: FakeModels) -> None:
    models.openai.text = "word " * 10_000
    begun = asyncio.Event()

    async def receive() -> dict[str, object]:
        if not receive.__dict__.setdefault("sent", False):
            receive.__dict__["sent"] = True
            body = b'{"model": "writer", "stream": true, "messages": [{"role": "user", "content": "hi"}]}'
            return {"type": "http.request", "body": body, "more_body": False}
        await begun.wait()
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        begun.set()
        await asyncio.sleep(0)

    headers = [(b"content-type", b"application/json"), (b"host", b"localhost")]
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": headers, "query_string": b"", "app": app}
    await app({**scope, "http_version": "1.1", "scheme": "http", "raw_path": b"", "root_path": ""}, receive, send)
    assert models.openai.closed == 1


async def test_models_are_the_writer_its_adapters_and_the_embedder(stock: openai.AsyncOpenAI) -> None:
    listed = {model.id: model for model in (await stock.models.list()).data}
    assert list(listed) == ["writer", "zh", "text_embedder"]
    assert listed["writer"].model_dump()["max_model_len"] == 1024
    assert listed["zh"].model_dump()["parent"] == "writer"
    assert (await stock.models.retrieve("zh")).model_dump()["root"] == "/weights/zh"
    with pytest.raises(openai.NotFoundError) as missing:
        await stock.models.retrieve("no/such")
    assert missing.value.code == "model_not_found"


async def test_embeddings_are_the_same_as_numbers_and_as_bytes(stock: openai.AsyncOpenAI, client: httpx.AsyncClient) -> None:
    texts = ["a", "bc", "def"]
    stock_answer = await stock.embeddings.create(model="text_embedder", input=texts)  # asks for base64
    plain = (await client.post("/v1/embeddings", json={"input": texts, "model": "text_embedder"})).json()
    np.testing.assert_array_equal([row.embedding for row in stock_answer.data], [row["embedding"] for row in plain["data"]])
    assert plain["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    raw = (await client.post("/v1/embeddings", json={"input": "a", "encoding_format": "base64"})).json()["data"][0]["embedding"]
    assert np.frombuffer(base64.b64decode(raw), "<f4").tolist() == [0.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"input": "a", "model": "writer"}, 400, "invalid_request"),
        ({"input": "a", "model": "nobody"}, 404, "model_not_found"),
        ({"input": []}, 400, "invalid_request"),
        ({"input": [[1, 2, 3]]}, 400, "invalid_request"),
        ({"input": "a", "encoding_format": "hex"}, 400, "invalid_request"),
        ({"model": "text_embedder"}, 400, "invalid_request"),
        ({"input": "a", "dimensions": 5}, 400, "invalid_request"),
        ({"input": ["a"] * 2_049}, 400, "invalid_request"),
    ],
)
async def test_embeddings_that_are_refused(client: httpx.AsyncClient, body: dict[str, object], status: int, code: str) -> None:
    response = await client.post("/v1/embeddings", json=body)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


async def test_a_list_of_the_wrong_length_is_told_the_right_one(client: httpx.AsyncClient) -> None:
    none, many = [(await client.post("/v1/embeddings", json={"input": texts})).json()["error"] for texts in ([], ["a"] * 2_049)]
    assert (none["message"], none["param"]) == ("`input`: should have at least 1 item, not 0", "input")
    assert many["message"] == "`input`: should have at most 2048 items, not 2049"


async def test_a_key_beyond_its_tokens_is_told_when_to_come_back(app: FastAPI, client: httpx.AsyncClient) -> None:
    app.state.gateway.apply(IngressConfig(tokens=TokenLimits(per_key=4)))
    assert (await client.post("/v1/chat/completions", json=ASK)).status_code == 200
    refused = await client.post("/v1/chat/completions", json=ASK)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert int(refused.headers["retry-after-ms"]) >= 1_000
    assert (await client.post("/v1/embeddings", json={"input": "a"})).status_code == 429


async def test_calls_take_the_same_places_as_graphs(app: FastAPI, client: httpx.AsyncClient) -> None:
    app.state.gateway.apply(IngressConfig(limits=Limits(max_ongoing=1, max_waiting=0)))
    async with app.state.gateway._admission.place(1.0):
        refused = await client.post("/v1/chat/completions", json=ASK)
    assert refused.status_code == 429
    assert "retry-after-ms" in refused.headers
