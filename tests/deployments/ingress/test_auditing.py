"""Every route that changes something leaves a line in the audit trail."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from deployments.audit import MOST_IDS, AuditLine
from deployments.ingress.auth import ROLES, Auth, new_key, parse_key
from deployments.ingress.routing import READING
from tests.deployments.ingress.conftest import calling

KEYS = {role: new_key(role, f"the-{role}") for role in ROLES}
COMPUTING = {  # they answer, and what they keep is no change of anybody's data
    "/v1/recognize",
    "/v1/answer",
    "/v1/script",
    "/v1/script/analyze",
    "/v1/copy",
    "/v1/recommend/products",
    "/v1/recommend/rooms",
    "/v1/moment",
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v2/repository/index",
    "/v2/models/{model}/infer",
    "/v2/models/{model}/versions/{version}/infer",
}
RECORDS = {"/v1/events"}  # what it writes is the record itself
CUP = {"title": "Cup", "category": "kitchen", "price": {"amount": "1", "currency": "CNY"}}


@pytest.fixture
def lines() -> list[AuditLine]:
    return []


@pytest.fixture
def audited(own_app: FastAPI, lines: list[AuditLine]) -> FastAPI:
    own_app.state.auth = Auth(parse_key(key.line) for key in KEYS.values())
    own_app.state.trail = lines.append
    return own_app


def shown(role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {KEYS[role].secret}", "X-Request-Id": "req-1"}  # type: ignore[index]  # one of ROLES


def writing(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path of all routes that are no mere reading."""
    for route in app.routes:
        methods: set[str] = getattr(route, "methods", None) or set()
        yield from ((method, getattr(route, "path", "?")) for method in methods - READING)


async def test_each_route_that_writes_leaves_a_line_and_no_other_does(audited: FastAPI, lines: list[AuditLine]) -> None:
    async with calling(audited) as client:
        for method, path in writing(audited):
            lines.clear()
            status = (await client.request(method, path.replace("{", "").replace("}", ""), headers=shown("operator"))).status_code
            if path in COMPUTING | RECORDS:
                assert lines == [], path
                continue
            [line] = lines
            assert (line.actor, line.role, line.action, line.request_id) == ("the-operator", "operator", f"{method} {path}", "req-1")
            assert line.status == status


async def test_reading_leaves_no_line(audited: FastAPI, lines: list[AuditLine]) -> None:
    async with calling(audited) as client:
        for route in audited.routes:
            if isinstance(route, APIRoute) and "GET" in route.methods:
                await client.get(route.path.replace("{", "").replace("}", ""), headers=shown("operator"))
    assert lines == []


async def test_a_line_tells_how_it_ended(audited: FastAPI, lines: list[AuditLine]) -> None:
    async with calling(audited) as client:
        await client.put("/v1/products/P-1", json=CUP, headers=shown("editor"))
        await client.put("/v1/products/P-1", json={}, headers=shown("editor"))
        await client.put("/v1/products/P-1", json=CUP, headers=shown("caller"))
        await client.post("/v2/repository/models/identity/unload", headers=shown("editor"))
        await client.post("/v2/repository/models/identity/unload", headers=shown("operator"))
        await client.put("/v1/products/P-1", json=CUP)
        await client.put("/v1/products/P-1", json=CUP, headers={"Authorization": "Bearer stranger"})
    told = [(line.actor, line.ids, line.status, line.outcome) for line in lines]
    assert told == [
        ("the-editor", ["P-1"], 200, "done"),
        ("the-editor", ["P-1"], 400, "refused"),
        ("the-caller", ["P-1"], 403, "refused"),
        ("the-editor", ["identity"], 403, "refused"),
        ("the-operator", ["identity"], 200, "done"),
    ]


async def test_bulk_lines_name_the_first_ids_and_count_all(audited: FastAPI, lines: list[AuditLine]) -> None:
    rows = [{**CUP, "product_id": f"P-{number}"} for number in range(MOST_IDS + 5)]
    documents = [{"document_id": "D-1", "kind": "document", "text": "Washable."}]
    async with calling(audited) as client:
        assert (await client.post("/v1/products", json={"products": rows}, headers=shown("editor"))).status_code == 200
        assert (await client.post("/v1/knowledge", json={"documents": documents}, headers=shown("editor"))).status_code == 200
    assert [(line.count, list(line.ids)) for line in lines] == [
        (MOST_IDS + 5, [f"P-{number}" for number in range(MOST_IDS)]),
        (1, ["D-1"]),
    ]


async def test_an_erased_viewer_is_not_named(audited: FastAPI, lines: list[AuditLine]) -> None:
    event = {"event_id": "E-1", "viewer_id": "V-secret", "type": "enter", "at": "2026-11-01T00:00:00Z"}
    async with calling(audited) as client:
        assert (await client.post("/v1/events", json={"events": [event]}, headers=shown("caller"))).status_code == 202
        assert (await client.delete("/v1/viewers/V-secret", headers=shown("editor"))).status_code == 204
    [line] = lines
    assert (line.action, list(line.ids), line.outcome) == ("DELETE /v1/viewers/{viewer_id}", [], "done")
    assert "V-secret" not in repr(line)
