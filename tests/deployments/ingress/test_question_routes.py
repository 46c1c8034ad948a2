"""From a question that was declined to a bank entry, over HTTP."""

from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from deployments.ingress.auth import Auth, new_key, parse_key
from deployments.ingress.fakes import FakeModels
from deployments.store import Asking, Store
from livecart_client import wire
from models.types import Passage, ProductId, RoomId, ViewerId

UNHEARD = "does it come in blue?"


@pytest.fixture
async def asked(shop: httpx.AsyncClient, app: FastAPI, models: FakeModels) -> wire.Question:
    """A question that viewer V-1 asked about P-1 in room R-1, and that was declined."""
    models.retriever.known = ()
    body = {"question": UNHEARD, "product_id": "P-1", "room_id": "R-1", "viewer_id": "V-1"}
    reply = (await shop.post("/v1/answer", json=body)).json()
    assert reply["abstained"]
    await app.state.gateway.questions.flush()
    page = wire.Page[wire.Question].model_validate((await shop.get("/v1/questions?status=open")).json())
    [question] = page.items
    return question


async def test_a_declined_question_is_listed_without_its_viewer(shop: httpx.AsyncClient, asked: wire.Question) -> None:
    assert (asked.question, asked.product_id, asked.room_ids, asked.language) == (UNHEARD, "P-1", ["R-1"], "en")
    assert (asked.status, asked.source, asked.answer, asked.count) == ("open", "none", None, 1)
    for path in ("/v1/questions", f"/v1/questions/{asked.question_id}"):
        assert "V-1" not in (await shop.get(path)).text


async def test_an_answer_of_the_llm_is_listed_with_its_words(shop: httpx.AsyncClient, app: FastAPI, models: FakeModels) -> None:
    reply = (await shop.post("/v1/answer", json={"question": "where does the fake shop deliver, and how fast?", "viewer_id": "V-1"})).json()
    assert reply["source"] == "llm"
    await app.state.gateway.questions.flush()
    [question] = (await shop.get("/v1/questions?source=llm")).json()["items"]
    assert (question["source"], question["answer"]) == ("llm", reply["answer"])
    assert (await shop.get("/v1/questions?source=none")).json()["items"] == []


async def test_a_streamed_question_is_noted_too_and_one_from_the_store_is_not(
    shop: httpx.AsyncClient, app: FastAPI, models: FakeModels
) -> None:
    models.retriever.known = ()
    await shop.post("/v1/answer", json={"question": UNHEARD, "stream": True})
    await shop.post("/v1/answer", json={"question": "how much is it?", "product_id": "P-1"})
    await app.state.gateway.questions.flush()
    assert [item["question"] for item in (await shop.get("/v1/questions")).json()["items"]] == [UNHEARD]


async def test_an_editors_answer_is_a_document(shop: httpx.AsyncClient, asked: wire.Question) -> None:
    path = f"/v1/questions/{asked.question_id}/answer"
    response = await shop.post(path, json={"answer": "Yes, in blue."})
    assert response.status_code == 201
    document = response.json()
    assert document == document | {
        "kind": "qa", "question": UNHEARD, "answer": "Yes, in blue.", "product_id": "P-1", "language": "en", "text": None,
    }  # fmt: skip
    assert (await shop.get(response.headers["location"])).json() == document
    again = await shop.post(path, json={"answer": "Yes, in blue."})
    assert (again.status_code, again.json()) == (200, document)
    other = await shop.post(path, json={"answer": "No."})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "conflict")
    assert (await shop.get("/v1/questions")).json()["items"] == []
    [answered] = (await shop.get("/v1/questions?status=answered")).json()["items"]
    assert answered["document_id"] == document["document_id"]


async def test_an_editor_may_word_the_question_anew_and_answer_for_the_whole_shop(shop: httpx.AsyncClient, asked: wire.Question) -> None:
    body = {"answer": "所有颜色见详情页。", "question": "有哪些颜色？", "product_id": None, "language": "zh"}
    document = (await shop.post(f"/v1/questions/{asked.question_id}/answer", json=body)).json()
    assert document == document | body


async def test_a_dismissed_question_is_listed_as_such(shop: httpx.AsyncClient, asked: wire.Question) -> None:
    path = f"/v1/questions/{asked.question_id}/dismiss"
    assert [(await shop.post(path)).status_code for _ in range(2)] == [204, 204]
    assert (await shop.get("/v1/questions")).json()["items"] == []
    [dismissed] = (await shop.get("/v1/questions?status=dismissed")).json()["items"]
    assert dismissed["question_id"] == asked.question_id
    assert len((await shop.get("/v1/questions?status=all")).json()["items"]) == 1


async def test_an_erased_viewer_takes_the_question_along(shop: httpx.AsyncClient, asked: wire.Question) -> None:
    [own] = (await shop.get("/v1/viewers/V-1")).json()["questions"]
    assert own["question"] == UNHEARD
    assert (await shop.delete("/v1/viewers/V-1")).status_code == 204
    assert (await shop.get(f"/v1/questions/{asked.question_id}")).status_code == 404


async def test_lists_are_filtered_and_paged(shop: httpx.AsyncClient, store: Store) -> None:
    def asking(question: str, room: str | None = None, product: str | None = None) -> Asking:
        now = datetime.now(UTC)
        return Asking(question, now, "none", room_id=RoomId(room) if room else None, product_id=ProductId(product) if product else None)

    await store.note_questions([asking("a", "R-1"), asking("b", None, "P-2"), asking("b", None, "P-2"), asking("c")], max_open=10)

    async def found(query: str) -> list[str]:
        return [item["question"] for item in (await shop.get(f"/v1/questions?{query}")).json()["items"]]

    assert await found("") == ["b", "c", "a"]
    assert await found("order=newest") == ["c", "b", "a"]
    assert await found("room_id=R-1") == ["a"]
    assert await found("product_id=P-2") == ["b"]
    first = (await shop.get("/v1/questions?limit=2")).json()
    assert await found(f"limit=2&cursor={first['next_cursor']}") == ["a"]


async def test_only_editors_see_and_answer_questions(shop: httpx.AsyncClient, app: FastAPI, asked: wire.Question) -> None:
    keys = {role: new_key(role, role) for role in ("caller", "editor")}
    before, app.state.auth = app.state.auth, Auth(parse_key(key.line) for key in keys.values())
    try:
        for method, path in (
            ("GET", "/v1/questions"),
            ("GET", f"/v1/questions/{asked.question_id}"),
            ("POST", f"/v1/questions/{asked.question_id}/answer"),
            ("POST", f"/v1/questions/{asked.question_id}/dismiss"),
        ):
            assert (await shop.request(method, path)).status_code == 401
            as_caller = await shop.request(method, path, headers={"Authorization": f"Bearer {keys['caller'].secret}"})
            assert as_caller.status_code == 403
        as_editor = {"Authorization": f"Bearer {keys['editor'].secret}"}
        await shop.post(f"/v1/questions/{asked.question_id}/answer", json={"answer": "Yes."}, headers=as_editor)
    finally:
        app.state.auth = before
    entries = (await app.state.gateway.store.audit(2)).items
    assert {(entry.actor, entry.action) for entry in entries} == {("editor", "question.answer"), ("editor", "document.put")}


async def test_the_bank_answers_what_an_editor_wrote(shop: httpx.AsyncClient, asked: wire.Question, models: FakeModels) -> None:
    document = (await shop.post(f"/v1/questions/{asked.question_id}/answer", json={"answer": "Yes, in blue."})).json()
    models.retriever.known = (
        Passage(document["document_id"], "qa", document["answer"], 1.0, ProductId("P-1"), document["question"], document["answer"]),
    )
    reply = (await shop.post("/v1/answer", json={"question": UNHEARD, "product_id": "P-1", "viewer_id": ViewerId("V-1")})).json()
    assert (reply["source"], reply["answer"]) == ("bank", "Yes, in blue.")
