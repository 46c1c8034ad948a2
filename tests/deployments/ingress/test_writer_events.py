"""What became of what the writer was asked for, in the numbers and in a trace."""

import json

import httpx

from deployments.ingress.fakes import FakeModels

SCRIPT = {"product_ids": ["P-1"], "duration_s": 10}
COPY = {"product_id": "P-1", "channel": "ad"}


def says(models: FakeModels, *sentences: str) -> None:
    models.writer.texts = (json.dumps({"sentences": sentences}),)


async def test_a_trace_tells_what_became_of_the_writers_texts(shop: httpx.AsyncClient, models: FakeModels) -> None:
    says(models, "Meet Thermos.", "It lasts 99 years.")
    trace = (await shop.post("/v1/copy?trace=true", json=COPY)).json()["trace"]
    assert trace["writer"] == {"asked": 2, "claims": 2, "unused": 1, "kept": 1}
    assert (await shop.post("/v1/script?trace=true", json=SCRIPT)).json()["trace"]["writer"]["asked"] >= 1


async def test_a_request_that_asks_no_writer_has_none_in_its_trace(shop: httpx.AsyncClient) -> None:
    reply = await shop.post("/v1/answer?trace=true", json={"question": "how much is it?", "product_id": "P-1"})
    assert reply.json()["trace"]["writer"] == {}


async def test_the_numbers_count_by_graph_whether_or_not_a_trace_is_asked_for(shop: httpx.AsyncClient, models: FakeModels) -> None:
    says(models, "It lasts 99 years.")
    await shop.post("/v1/copy", json=COPY)
    await shop.post("/v1/copy?trace=true", json=COPY)
    await shop.post("/v1/answer", json={"question": "where does the fake shop deliver, and how fast?"})
    numbers = (await shop.get("/metrics")).text
    assert 'livecart_writer_events_total{event="asked",graph="copy"} 4.0' in numbers
    assert 'livecart_writer_events_total{event="claims",graph="copy"} 4.0' in numbers
    assert 'livecart_writer_events_total{event="asked",graph="answer"}' in numbers


async def test_a_script_without_a_language_is_in_that_of_its_products(shop: httpx.AsyncClient, models: FakeModels) -> None:
    says(models)
    own, english = [(await shop.post("/v1/script", json=body)).json() for body in (SCRIPT, SCRIPT | {"language": "en"})]
    assert own == english
