"""Graphs over HTTP: three ways to send a frame, traces, deadlines, streams."""

import base64
import json

import httpx
import pytest

from deployments.ingress.fakes import FakeModels
from graphs.errors import Overloaded, Unavailable
from livecart_client import wire
from tests.hostile_requests import FILE, FORM, form, picture

Event = tuple[str, dict[str, object]]


def events_of(text: str) -> list[Event]:
    events: list[Event] = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n")
        events.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return events


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_frame_may_come_as_form_json_or_raw(shop: httpx.AsyncClient, kind: str) -> None:
    frame = picture(kind)
    answers = [
        await shop.post("/v1/recognize", content=form(("frame", FILE, frame), ("top_k", "", b"1"), ("room_id", "", b"R-1")), headers=FORM),
        await shop.post("/v1/recognize", json={"frame": {"base64": base64.b64encode(frame).decode()}, "top_k": 1, "room_id": "R-1"}),
        await shop.post(
            "/v1/recognize", params={"top_k": 1, "room_id": "R-1"}, content=frame, headers={"Content-Type": f"image/{kind.lower()}"}
        ),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[0].json() == answers[1].json() == answers[2].json()
    product = answers[0].json()["products"][0]
    assert product["box"] == [0.0, 0.0, 320.0, 240.0]
    assert product["matches"] == [{"product_id": "P-1", "title": "Thermos", "similarity": 0.9}]


async def test_a_trace_comes_only_when_asked_for(shop: httpx.AsyncClient) -> None:
    plain = (await shop.post("/v1/answer", json={"question": "how much is it?", "product_id": "P-1"})).json()
    traced = (await shop.post("/v1/answer?trace=true", json={"question": "how much is it?", "product_id": "P-1"})).json()
    assert "trace" not in plain
    assert plain["degraded"] is False
    trace = traced.pop("trace")
    assert traced == plain
    assert trace["graph"] == "answer"
    assert {"node", "outcome", "start_ms", "took_ms", "used_fallback"} == set(trace["nodes"][0])


async def test_a_fallback_marks_the_answer_degraded(shop: httpx.AsyncClient, models: FakeModels) -> None:
    models.writer.failure = Unavailable("the writer is away")
    reply = (await shop.post("/v1/answer", json={"question": "where does the fake shop deliver, and how fast?"})).json()
    assert reply["degraded"] is True
    assert reply["ai_generated"] is False


async def test_the_moment_is_answered_in_one_call(shop: httpx.AsyncClient) -> None:
    body = {"frame": {"base64": base64.b64encode(picture()).decode()}, "viewer_id": "V-1", "room_id": "R-1", "comment": "how much is it?"}
    reply = (await shop.post("/v1/moment?trace=true", json=body)).json()
    assert set(reply) == {"products", "answer", "recommendations", "experiment", "degraded", "trace"}
    assert "degraded" not in reply["answer"]
    assert "199" in reply["answer"]["answer"]


async def test_script_analysis_and_recommendations_answer(shop: httpx.AsyncClient) -> None:
    script = (await shop.post("/v1/script", json={"product_ids": ["P-1"], "language": "en", "duration_s": 30})).json()
    assert script["ai_generated"] is True
    analysis = await shop.post("/v1/script/analyze", json={"text": "The Thermos costs 199 CNY.", "language": "en"})
    assert analysis.status_code == 200
    rooms = (await shop.post("/v1/recommend/rooms", json={"viewer_id": "V-1"})).json()
    assert [room["room_id"] for room in rooms["rooms"]] == ["R-1"]
    products = (
        await shop.post("/v1/recommend/products", json={"viewer_id": "V-1", "room_id": "R-1", "context": {"product_ids": ["P-1"]}})
    ).json()
    assert [item["product_id"] for item in products["items"]] == ["P-2"]


async def test_a_spent_deadline_is_504(shop: httpx.AsyncClient, models: FakeModels) -> None:
    models.detector.delay_s = 60.0
    response = await shop.post("/v1/recognize", content=picture(), headers={"Content-Type": "image/jpeg", "X-Deadline-Ms": "30"})
    assert response.status_code == 504
    assert response.json()["error"]["code"] == "deadline_exceeded"


async def test_overload_says_when_to_come_back(shop: httpx.AsyncClient, models: FakeModels) -> None:
    models.detector.failure = Overloaded("busy", retry_after_s=1.2)
    response = await shop.post("/v1/recognize", content=picture(), headers={"Content-Type": "image/jpeg"})
    assert response.status_code == 429
    assert response.headers["retry-after"] == "2"
    assert response.headers["retry-after-ms"] == "1200"


async def test_the_tokens_joined_are_the_answer(shop: httpx.AsyncClient) -> None:
    response = await shop.post("/v1/answer", json={"question": "where does the fake shop deliver, and how fast?", "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    *tokens, (last, done) = events_of(response.text)
    assert last == "done"
    assert {name for name, _ in tokens} == {"token"}
    assert len(tokens) > 1
    assert "".join(str(token["text"]) for _, token in tokens) == done["answer"]
    plain = (await shop.post("/v1/answer", json={"question": "where does the fake shop deliver, and how fast?"})).json()
    assert done == plain


async def test_an_error_before_the_first_token_keeps_its_status(shop: httpx.AsyncClient) -> None:
    response = await shop.post("/v1/answer", json={"question": "when?", "stream": True, "room_id": "R-404"})
    assert response.status_code == 404
    assert response.json()["error"]["param"] == "room_id"


async def test_a_deadline_after_the_first_token_ends_the_stream_with_an_error(shop: httpx.AsyncClient, models: FakeModels) -> None:
    models.writer.texts = ("The fake shop delivers within three days. The shop delivers everywhere.",)
    models.writer.delay_s = 0.04
    response = await shop.post(
        "/v1/answer", json={"question": "where does the fake shop deliver, and how fast?", "stream": True}, headers={"X-Deadline-Ms": "800"}
    )
    *tokens, (last, failure) = events_of(response.text)
    assert response.status_code == 200
    assert tokens
    assert last == "error"
    assert failure["error"]["code"] == "deadline_exceeded"  # type: ignore[index]  # the error object


async def test_the_tokens_of_a_script_are_its_segments(shop: httpx.AsyncClient) -> None:
    body = {"product_ids": ["P-1", "P-2"], "language": "en", "duration_s": 90}
    response = await shop.post("/v1/script", json={**body, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    *tokens, (last, done) = events_of(response.text)
    assert last == "done"
    assert {name for name, _ in tokens} == {"token"}
    script = wire.ScriptReply.model_validate(done)
    assert len(tokens) == len(script.segments) > 3
    assert "".join(str(token["text"]) for _, token in tokens) == "\n".join(segment.text for segment in script.segments)
    assert wire.ScriptReply.model_validate((await shop.post("/v1/script", json=body)).json()) == script


async def test_a_script_for_an_unknown_product_keeps_its_status(shop: httpx.AsyncClient) -> None:
    response = await shop.post("/v1/script", json={"product_ids": ["P-404"], "stream": True})
    assert response.status_code == 404
    assert response.json()["error"]["param"] == "product_ids"


@pytest.mark.parametrize("channel", ["title", "description", "ad"])
async def test_copy_says_which_attributes_it_uses(shop: httpx.AsyncClient, channel: str) -> None:
    response = await shop.post("/v1/copy", json={"product_id": "P-1", "channel": channel, "language": "en"})
    copy = wire.CopyReply.model_validate(response.json())
    assert "Thermos" in copy.text
    assert copy.ai_generated
    assert copy.degraded  # the fake writer says nothing about thermos flasks
    assert ("price" in copy.attributes_used) == (channel == "ad")
    assert copy.compliance.passed


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"product_id": "P-404", "channel": "ad"}, 404),
        ({"product_id": "P-1", "channel": "poem"}, 400),
        ({"product_id": "P-1"}, 400),
        ({"product_id": "P-1", "channel": "ad", "language": "fr"}, 400),
        ({"product_id": "P-1", "channel": "ad", "price": "1"}, 400),
    ],
)
async def test_copy_refuses_what_it_cannot_write(shop: httpx.AsyncClient, body: dict[str, str], status: int) -> None:
    assert (await shop.post("/v1/copy", json=body)).status_code == status


async def test_graphs_are_listed_drawn_and_measured(shop: httpx.AsyncClient) -> None:
    await shop.post("/v1/recognize", content=picture(), headers={"Content-Type": "image/jpeg"})
    graph = (await shop.get("/v1/graphs/recognize")).json()
    detect = next(node for node in graph["nodes"] if node["name"] == "detect")
    assert detect["placement"] == "fused"
    assert detect["latency"]["runs"] == 1
    assert {"source": "request", "target": "detect", "label": None} in graph["edges"]
    assert len((await shop.get("/v1/graphs")).json()["items"]) == 8
    assert (await shop.get("/v1/graphs", headers={"Accept": "text/vnd.mermaid"})).status_code == 400
    drawing = await shop.get("/v1/graphs/recognize", headers={"Accept": "text/vnd.mermaid"})
    assert drawing.headers["content-type"].startswith("text/vnd.mermaid")
    assert drawing.text.startswith("flowchart LR")
