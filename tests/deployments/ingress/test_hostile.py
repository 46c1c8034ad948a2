"""No input gets anything but a 4xx with the error object."""

import json
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import HOSTILE, JSON_ROUTES
from tests.hostile_requests import JSON

FIELDS = st.sampled_from(
    [
        "question",
        "answer",
        "frame",
        "base64",
        "viewer_id",
        "product_ids",
        "k",
        "text",
        "products",
        "documents",
        "events",
        "context",
        "stream",
    ]
)
KINDS = ["application/json", "multipart/form-data; boundary=X", "image/png", "text/plain"]


async def test_hostile_requests_are_refused_and_change_nothing(shop: httpx.AsyncClient) -> None:
    before = [(await shop.get(path)).text for path in ("/v1/products", "/v1/rooms", "/v1/knowledge", "/v1/viewers/V-1")]
    problems: list[str] = []
    for case in HOSTILE:
        try:
            case.check(await case.send(shop))
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, "\n".join(problems)
    assert [(await shop.get(path)).text for path in ("/v1/products", "/v1/rooms", "/v1/knowledge", "/v1/viewers/V-1")] == before


def test_names_in_the_table_are_unique() -> None:
    names = [case.name for case in HOSTILE]
    assert len(set(names)) == len(names)
    assert len(names) >= 60


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS | st.text(max_size=8), inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(route=st.sampled_from(JSON_ROUTES), value=JSON_VALUES | st.dictionaries(FIELDS, JSON_VALUES, max_size=6))
async def test_no_json_is_a_fault_of_the_server(shop: httpx.AsyncClient, route: str, value: object) -> None:
    response = await shop.post(route, content=json.dumps(value).encode(), headers=JSON)
    assert response.status_code < 500, response.text


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(route=st.sampled_from([*JSON_ROUTES, "/v1/products/P-1/images"]), content=st.binary(max_size=200), kind=st.sampled_from(KINDS))
async def test_no_bytes_are_a_fault_of_the_server(shop: httpx.AsyncClient, route: str, content: bytes, kind: str) -> None:
    response = await shop.post(route, content=content, headers={"Content-Type": kind})
    assert 400 <= response.status_code < 500, response.text


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=st.text(st.characters(codec="utf-8"), max_size=30))
async def test_no_path_or_cursor_is_a_fault_of_the_server(shop: httpx.AsyncClient, name: str) -> None:
    for path in (
        "/v1/products/",
        "/v1/rooms/",
        "/v1/viewers/",
        "/v1/questions/",
        "/v1/graphs/",
        "/v1/products?cursor=",
        "/v1/questions?cursor=",
    ):
        assert (await shop.get(path + quote(name, safe=""))).status_code < 500
