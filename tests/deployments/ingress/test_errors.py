"""One error object for everything."""

import logging

import httpx
import pytest
from fastapi import FastAPI

from deployments.ingress.errors import PUBLIC_ERRORS, error_object, error_response, from_validation
from deployments.ingress.fakes import FakeModels
from graphs.errors import Internal, InvalidRequest, LivecartError, Overloaded
from models.types import ModelInputError
from tests.deployments.ingress.conftest import calling
from tests.hostile_requests import picture

IMAGE = {"Content-Type": "image/jpeg"}


@pytest.mark.parametrize("kind", PUBLIC_ERRORS)
async def test_every_error_has_its_status_and_code(shop: httpx.AsyncClient, models: FakeModels, kind: type[LivecartError]) -> None:
    models.detector.failure = kind("because", param="frame", details=({"index": 1},))
    response = await shop.post("/v1/recognize", content=picture(), headers=IMAGE)
    assert response.status_code == kind.http_status
    error = response.json()["error"]
    assert (error["code"], error["message"], error["param"], error["details"]) == (kind.code, "because", "frame", [{"index": 1}])


def kinds(of: type[LivecartError]) -> set[type[LivecartError]]:
    return {of}.union(*map(kinds, of.__subclasses__()))


def test_every_code_of_the_tree_is_public() -> None:
    told = {(kind.http_status, kind.code) for kind in kinds(LivecartError)}
    assert told - {(499, "cancelled")} == {(kind.http_status, kind.code) for kind in PUBLIC_ERRORS}  # 499: its caller has left


@pytest.mark.parametrize(("kind", "status"), [("invalid", 400), ("too_large", 413), ("unsupported", 415)])
async def test_a_models_refusal_is_the_callers_fault(own_app: FastAPI, kind: str, status: int) -> None:
    @own_app.get("/refuses")
    async def refuses() -> None:
        raise ModelInputError("no", kind=kind)  # type: ignore[arg-type]  # parametrised

    async with calling(own_app) as client:
        assert (await client.get("/refuses")).status_code == status


async def test_the_unexpected_is_500_without_a_word_of_its_cause(own_app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    @own_app.get("/breaks")
    async def breaks() -> None:
        raise RuntimeError("secret of the house")

    logging.getLogger("livecart").propagate = True
    async with calling(own_app) as client:
        response = await client.get("/breaks", headers={"X-Request-Id": "req-7"})
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal"
    assert "req-7" in response.json()["error"]["message"]
    assert "secret" not in response.text
    assert "secret of the house" in caplog.text


async def test_a_node_that_breaks_is_500_too(shop: httpx.AsyncClient, models: FakeModels) -> None:
    models.detector.failure = ZeroDivisionError("secret")
    response = await shop.post("/v1/recognize", content=picture(), headers=IMAGE)
    assert response.status_code == 500
    assert "secret" not in response.text


async def test_allow_names_the_methods_of_all_routes_on_a_path(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/products/P-1")
    assert response.status_code == 405
    assert response.headers["allow"] == "DELETE, GET, PUT"


async def test_request_ids_are_echoed_when_sane_and_made_otherwise(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz", headers={"X-Request-Id": "abc-1"})).headers["x-request-id"] == "abc-1"
    for insane in ("a b", "", "a" * 129, "<script>", '{"a":1}'):
        made = (await client.get("/healthz", headers={"X-Request-Id": insane})).headers["x-request-id"]
        assert made != insane
        assert len(made) == 32


def test_under_v2_errors_are_short() -> None:
    assert error_response("/v2/models/x", InvalidRequest("no")).body == b'{"error":"no"}'
    assert error_response("/v20", InvalidRequest("no")).body != b'{"error":"no"}'


def test_retry_hints_are_rounded_up_and_never_zero() -> None:
    headers = error_response("/", Overloaded("busy", retry_after_s=0.0)).headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("1", "1")


def test_text_that_cannot_be_sent_is_replaced() -> None:
    body = error_response("/", InvalidRequest("a\ud800b", param="\udcff", details=({"message": "fine"},))).body
    assert b"a?b" in bytes(body)


def test_findings_name_the_field_as_callers_write_it() -> None:
    error = from_validation([{"type": "missing", "loc": ("body", "context", "product_ids", 0), "msg": "Field required"}])
    assert error.param == "context.product_ids.0"
    assert error.message == "`context.product_ids.0`: is needed"


def test_types_speak_to_openai_clients() -> None:
    assert {kind.code: error_object(kind("x"))["error"]["type"] for kind in (InvalidRequest, Overloaded, Internal)} == {  # type: ignore[index]  # JSON
        "invalid_request": "invalid_request_error",
        "overloaded": "rate_limit_error",
        "internal": "server_error",
    }
