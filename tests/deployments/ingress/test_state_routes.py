"""Catalogue, knowledge, rooms, events and viewers over HTTP."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import httpx
from fastapi import FastAPI

from deployments.gateway import Gateway
from deployments.ingress.fakes import FakeModels, StoreShop, fake_ports
from deployments.store import Asking, Store
from deployments.telemetry import Telemetry
from models.types import PictureEmbedding, RoomId, ViewerId
from tests.hostile_requests import DOCUMENT, EVENT, FILE, FORM, PRODUCT, ROOM, form, picture


@dataclass
class StuckEmbedder:
    """Never ready, and notes that it was told to stop."""

    stopped: bool = False

    async def embed(self, pictures: Sequence[bytes]) -> list[PictureEmbedding]:
        try:
            return await asyncio.Future[list[PictureEmbedding]]()
        finally:
            self.stopped = True


async def test_what_is_put_is_what_is_got(shop: httpx.AsyncClient) -> None:
    for path, body, id_name in (
        ("/v1/products/P-7", {**PRODUCT, "attributes": {"volume": "500 ml"}, "tags": ["warm"], "stock": 3}, "product_id"),
        ("/v1/knowledge/D-7", {**DOCUMENT, "product_id": "P-7", "language": "en"}, "document_id"),
        ("/v1/rooms/R-7", {**ROOM, "shelf": ["P-7", "P-1"]}, "room_id"),
    ):
        put = await shop.put(path, json=body)
        assert put.status_code == 200
        assert put.json()[id_name] == path.rpartition("/")[2]
        assert put.json() == put.json() | body
        assert (await shop.get(path)).json() == put.json()
        again = await shop.put(path, json=put.json())
        assert again.json() == put.json()


async def test_ids_may_be_any_unicode(shop: httpx.AsyncClient) -> None:
    put = await shop.put("/v1/products/保温杯-红", json=PRODUCT)
    assert put.json()["product_id"] == "保温杯-红"
    assert (await shop.get("/v1/products/%E4%BF%9D%E6%B8%A9%E6%9D%AF-%E7%BA%A2")).status_code == 200


async def test_deleting_twice_is_204_then_404(shop: httpx.AsyncClient) -> None:
    for path in ("/v1/knowledge/D-1", "/v1/rooms/R-1", "/v1/products/P-1"):
        assert (await shop.delete(path)).status_code == 204
        assert (await shop.delete(path)).status_code == 404
        assert (await shop.get(path)).status_code == 404


async def test_pages_hold_everything_once(shop: httpx.AsyncClient) -> None:
    rows = [{**PRODUCT, "product_id": f"B-{i:03}"} for i in range(25)]
    assert (await shop.post("/v1/products", json={"products": rows})).json() == {"upserted": 25}
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "10", **({"cursor": cursor} if cursor else {})}
        page = (await shop.get("/v1/products", params=params)).json()
        seen += [item["product_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [*(row["product_id"] for row in rows), "P-1", "P-2"]


async def test_rooms_are_filtered_by_live(shop: httpx.AsyncClient) -> None:
    await shop.put("/v1/rooms/R-9", json={**ROOM, "live": False})
    assert [room["room_id"] for room in (await shop.get("/v1/rooms?live=true")).json()["items"]] == ["R-1"]
    assert [room["room_id"] for room in (await shop.get("/v1/rooms?live=false")).json()["items"]] == ["R-9"]


async def test_rows_in_error_are_named_and_nothing_is_stored(shop: httpx.AsyncClient) -> None:
    rows = [{**DOCUMENT, "document_id": "D-5"}, {"document_id": "D-6", "kind": "qa"}, {**DOCUMENT, "document_id": "a b"}]
    response = await shop.post("/v1/knowledge", json={"documents": rows})
    assert response.status_code == 422
    error = response.json()["error"]
    assert error["code"] == "invalid_row"
    assert [detail["index"] for detail in error["details"]] == [1, 2]
    assert (await shop.get("/v1/knowledge/D-5")).status_code == 404


async def test_events_count_once_however_often_sent(shop: httpx.AsyncClient) -> None:
    event = {**EVENT, "event_id": "E-2", "type": "comment", "text": "nice", "value": 1.5, "room_id": "R-1", "product_id": "P-1"}
    first = await shop.post("/v1/events", json={"events": [event, event]})
    assert (first.status_code, first.json()) == (202, {"accepted": 1, "duplicates": 1})
    assert (await shop.post("/v1/events", json={"events": [event]})).json() == {"accepted": 0, "duplicates": 1}
    assert (await shop.post("/v1/events", json={"events": []})).json() == {"accepted": 0, "duplicates": 0}
    bad = (await shop.post("/v1/events", json={"events": [event, {**event, "type": "?"}]})).json()["error"]
    assert bad["code"] == "invalid_event"
    assert [detail["index"] for detail in bad["details"]] == [1]
    assert "`type`" in bad["details"][0]["message"]


async def test_an_erased_viewer_is_forgotten_and_stays_counted(shop: httpx.AsyncClient) -> None:
    assert (await shop.get("/v1/viewers/V-1")).json()["events"][0]["event_id"] == "E-1"
    assert (await shop.delete("/v1/viewers/V-1")).status_code == 204
    assert (await shop.get("/v1/viewers/V-1")).status_code == 404
    assert (await shop.post("/v1/events", json={"events": [EVENT]})).json() == {"accepted": 0, "duplicates": 1}


async def test_a_viewer_is_shown_with_questions_and_exposures(shop: httpx.AsyncClient, store: Store) -> None:
    asked = Asking("is it blue?", datetime.now(UTC), "none", room_id=RoomId("R-1"), viewer_id=ViewerId("V-1"))
    await store.note_questions([asked], max_open=10)
    held = (await shop.get("/v1/viewers/V-1")).json()
    [question] = held["questions"]
    assert question.pop("at").endswith("Z")
    assert question == {"question": "is it blue?", "status": "open", "room_id": "R-1", "product_id": None}
    assert held["exposures"] == []


async def test_a_price_says_what_is_wrong_with_it(shop: httpx.AsyncClient) -> None:
    for amount, said in (("1" * 13, "up to 12 digits"), (199.0, "not a number")):
        response = await shop.put("/v1/products/P-9", json={**PRODUCT, "price": {"amount": amount, "currency": "CNY"}})
        assert said in response.json()["error"]["message"]


async def test_pictures_enrol_a_product(shop: httpx.AsyncClient) -> None:
    content = form(("image", FILE, picture()), ("image", FILE, picture("PNG")))
    response = await shop.post("/v1/products/P-1/images", content=content, headers=FORM)
    assert (response.status_code, response.json()) == (201, {"product_id": "P-1", "views": 2})


async def test_enrolment_stops_at_the_callers_deadline(shop: httpx.AsyncClient, app: FastAPI, store: Store) -> None:
    embedder = StuckEmbedder()
    app.state.gateway = Gateway(store, replace(fake_ports(StoreShop(store)), embedder=embedder), Telemetry())
    content = form(("image", FILE, picture()))
    response = await shop.post("/v1/products/P-1/images", content=content, headers={**FORM, "X-Deadline-Ms": "200"})
    assert (response.status_code, response.json()["error"]["code"]) == (504, "deadline_exceeded")
    assert embedder.stopped


async def test_readiness_names_what_is_missing(client: httpx.AsyncClient, models: FakeModels) -> None:
    assert (await client.get("/readyz")).json() == {"status": "ready"}
    models.missing = "Detector"
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["error"]["details"] == [{"deployment": "Detector"}]
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.head("/healthz")).status_code == 200


async def test_metrics_count_requests_by_route(shop: httpx.AsyncClient) -> None:
    await shop.get("/v1/products/P-404")
    text = (await shop.get("/metrics")).text
    assert 'livecart_requests_total{method="GET",route="/v1/products/{product_id}",status="404"} 1.0' in text
    assert "# no engine here" in text
