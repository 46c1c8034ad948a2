"""What the platform promises, over HTTP, on real engines."""

import json
import socket
import time
from datetime import UTC, datetime
from functools import partial

import httpx
import pytest

from livecart_client import wire
from models.demo.catalog import demo_products, demo_rooms, unanswerable_questions
from models.demo.drawing.look import look_of
from models.demo.pictures import catalogue_picture, demo_frame
from tests.integration.conftest import Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
PRODUCTS = demo_products()
ROOM = next(room for room in demo_rooms() if room.live)
VIEWER = "viewer-00001"
SHOWN = next(product for product in PRODUCTS if product.product_id == ROOM.shelf[0])


def event(viewer_id: str, kind: str, **fields: object) -> dict[str, object]:
    at = datetime.now(UTC)
    return {"event_id": f"{viewer_id}-{kind}-{at.timestamp()}", "viewer_id": viewer_id, "type": kind, "at": at.isoformat(), **fields}


def frame_of(product_id: str, category: str, seed: int = 1) -> bytes:
    return demo_frame({product_id: category}, seed=seed)


def test_every_deployment_is_ready(http: httpx.Client) -> None:
    assert http.get("/healthz").status_code == 200
    assert http.get("/readyz").status_code == 200


def test_a_frame_of_the_demo_room_is_recognised(http: httpx.Client) -> None:
    frame = frame_of(SHOWN.product_id, SHOWN.category)
    response = http.post("/v1/recognize", files={"frame": frame}, data={"room_id": ROOM.room_id}, params={"trace": "true"})
    reply = wire.RecognizeReply.model_validate(response.json())
    best = [seen.matches[0].product_id for seen in reply.products if seen.matches]
    assert SHOWN.product_id in best
    assert not reply.degraded
    assert reply.trace is not None
    assert {node.outcome for node in reply.trace.nodes} == {"ok"}


def test_the_price_is_answered_from_the_store(http: httpx.Client) -> None:
    question = "这个多少钱？" if any("\u4e00" <= c <= "\u9fff" for c in SHOWN.title) else "How much is it?"
    body = {"question": question, "product_id": SHOWN.product_id}
    answer = wire.AnswerReply.model_validate(http.post("/v1/answer", json=body).json())
    assert answer.source == "slot"
    assert f"{SHOWN.price.amount.normalize():f}" in answer.answer
    assert answer.citations[0].source_id == f"{SHOWN.product_id}#price"


def test_unanswerable_questions_are_declined(http: httpx.Client) -> None:
    declined = []
    for open_question in unanswerable_questions():
        body = {"question": open_question.question, "product_id": open_question.product_id, "language": open_question.language}
        answer = wire.AnswerReply.model_validate(http.post("/v1/answer", json=body).json())
        declined.append(answer.abstained)
        assert answer.abstained or answer.citations, open_question.question
    assert sum(declined) >= 0.85 * len(declined)


def test_a_product_put_a_second_ago_is_answered_about_recognised_and_recommended(http: httpx.Client) -> None:
    product_id = "fresh-1"
    product = {
        "product_id": product_id,
        "title": "Nimbus folding kettle",
        "category": "kitchen",
        "price": {"amount": "47.30", "currency": "USD"},
        "attributes": {"capacity": "613 ml", "material": "silicone"},
        "stock": 12,
    }
    try:
        assert http.put(f"/v1/products/{product_id}", json=product).status_code == 200
        picture = catalogue_picture(look_of(product_id, "kitchen"))
        enrolled = http.post(f"/v1/products/{product_id}/images", files={"image": picture})
        assert (enrolled.status_code, enrolled.json()) == (201, {"product_id": product_id, "views": 1})
        time.sleep(1)
        answer = http.post("/v1/answer", json={"question": "What is the capacity of the Nimbus folding kettle?"}).json()
        assert "613 ml" in answer["answer"]
        assert answer["citations"][0]["source_id"].startswith(product_id)
        frames = [http.post("/v1/recognize", files={"frame": frame_of(product_id, "kitchen", seed)}).json() for seed in range(1, 5)]
        seen = [product_id in [match["product_id"] for found in frame["products"] for match in found["matches"]] for frame in frames]
        assert sum(seen) >= 3, "the threshold lets one true match in ten go"
        http.post("/v1/events", json={"events": [event("fresh-viewer", "enter")]})
        recommended = http.post("/v1/recommend/products", json={"viewer_id": "fresh-viewer", "k": 100}).json()
        assert product_id in [item["product_id"] for item in recommended["items"]]
    finally:
        assert http.delete(f"/v1/products/{product_id}").status_code == 204


def test_a_click_changes_the_next_recommendation(http: httpx.Client) -> None:
    http.post("/v1/events", json={"events": [event("clicker", "enter")]})
    before = http.post("/v1/recommend/products", json={"viewer_id": "clicker"}).json()["items"]
    http.post("/v1/events", json={"events": [event("clicker", "click", product_id=PRODUCTS[30].product_id)]})
    after = http.post("/v1/recommend/products", json={"viewer_id": "clicker"}).json()["items"]
    assert [item["product_id"] for item in before] != [item["product_id"] for item in after]


def test_live_rooms_are_recommended(http: httpx.Client) -> None:
    rooms = http.post("/v1/recommend/rooms", json={"viewer_id": VIEWER}).json()["rooms"]
    live = {room.room_id for room in demo_rooms() if room.live}
    assert rooms
    assert {room["room_id"] for room in rooms} <= live


def test_a_script_is_written_and_fits_its_time(http: httpx.Client) -> None:
    body = {"product_ids": [SHOWN.product_id], "language": "zh", "duration_s": 60}
    response = http.post("/v1/script", json=body, params={"trace": "true"})
    script = wire.ScriptReply.model_validate(response.json())
    assert [segment.kind for segment in script.segments if segment.product_id] == ["product"]
    assert all(segment.text for segment in script.segments)
    assert abs(sum(segment.seconds for segment in script.segments) - 60) <= 12


def test_the_moment_composes_all_three_systems(http: httpx.Client) -> None:
    frame = frame_of(SHOWN.product_id, SHOWN.category)
    form = {"viewer_id": VIEWER, "room_id": ROOM.room_id, "comment": "多少钱？", "k": "5"}
    reply = wire.MomentReply.model_validate(http.post("/v1/moment", files={"frame": frame}, data=form).json())
    assert not reply.degraded
    assert SHOWN.product_id in [seen.matches[0].product_id for seen in reply.products if seen.matches]
    assert reply.answer is not None
    assert len(reply.recommendations) == 5
    assert SHOWN.product_id not in [item.product_id for item in reply.recommendations]


def generated_question(http: httpx.Client) -> dict[str, object]:
    """A question that neither a slot nor the bank answers, found by asking."""
    for product in PRODUCTS:
        for question in ("介绍一下这款商品", "Tell me about it, what is special?", "它适合什么场合用？", "What is it made for?"):
            body: dict[str, object] = {"question": question, "product_id": product.product_id}
            answer = http.post("/v1/answer", json=body).json()
            if answer["source"] == "llm" and len(answer["answer"]) > 10:
                return body
    pytest.fail("the writer answered none of the questions")


def test_a_generated_answer_is_streamed(http: httpx.Client) -> None:
    body = generated_question(http)
    events: list[tuple[str, dict[str, object]]] = []
    with http.stream("POST", "/v1/answer", json={**body, "stream": True}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in response.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                events.append((name, json.loads(line.removeprefix("data: "))))
    assert [name for name, _ in events[:-1]] == ["token"] * (len(events) - 1)
    assert events[-1][0] == "done"
    assert "".join(str(data["text"]) for name, data in events if name == "token") == events[-1][1]["answer"]


def test_a_caller_who_leaves_stops_the_engine(server: Server, http: httpx.Client) -> None:
    """A long script is asked for and abandoned once the engine is at it: it costs a part of a whole one, and nothing afterwards."""
    body = {"product_ids": [p.product_id for p in PRODUCTS[:20]], "language": "zh", "duration_s": 3_600}
    tokens = partial(server.metric, "vllm:generation_tokens_total")
    before = tokens()
    address = httpx.URL(server.url)
    content = json.dumps(body).encode()
    head = f"POST /v1/script HTTP/1.1\r\nHost: {address.host}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    with socket.create_connection((address.host, address.port)) as caller:
        caller.sendall(head.encode() + content)
        while tokens() == before:
            time.sleep(0.01)
    time.sleep(1)
    abandoned = tokens() - before
    time.sleep(2)
    assert tokens() - before == abandoned, "the engine goes on"
    assert http.post("/v1/script", json=body).status_code == 200
    whole = tokens() - before - abandoned
    assert 0 < abandoned < 0.7 * whole


def test_graphs_are_drawn_and_described(http: httpx.Client) -> None:
    names = {graph["name"] for graph in http.get("/v1/graphs").json()["items"]}
    assert {"recognize", "answer", "script", "recommend", "rooms", "moment"} <= names
    assert http.get("/v1/graphs/moment", headers={"Accept": "text/vnd.mermaid"}).text.startswith("flowchart")


def test_metrics_hold_the_engines_counters(server: Server) -> None:
    assert server.metric("livecart_requests_total") > 0
    assert server.metric("vllm:generation_tokens_total") > 0
