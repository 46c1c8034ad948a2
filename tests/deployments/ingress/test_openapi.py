"""The OpenAPI document and the pages are complete and need nothing from elsewhere."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from deployments.ingress.call import as_dataclass
from deployments.ingress.errors import PUBLIC_ERRORS
from deployments.ingress.reference import FULL_PAGE, PAGE, reference
from deployments.ingress.reference_examples import example_of
from deployments.ingress.reference_page import reference_page
from graphs.analyze import AnalyzeRequest
from graphs.answer import AnswerRequest
from graphs.moment import MomentRequest
from graphs.recognize import RecognizeRequest
from graphs.rooms import RoomsRequest
from graphs.script import ScriptRequest
from livecart_client import wire
from models.types import Document, Event, Room

PUBLIC = {"/healthz", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready"}
WITHOUT_BODY = {"/v1/questions/{question_id}/dismiss"}
MAY_HAVE_BODY = {"/v2/repository/index", "/v2/repository/models/{model}/load", "/v2/repository/models/{model}/unload"}


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, operation) for path, methods in document["paths"].items() for method, operation in methods.items()]


def references(value: object) -> set[str]:
    if isinstance(value, dict):
        found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return found.union(*(references(item) for item in value.values()))
    return set().union(*(references(item) for item in value)) if isinstance(value, list) else set()


def test_every_reference_leads_somewhere(app: FastAPI) -> None:
    document = app.openapi()
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= known


def test_every_operation_says_who_may_call_it_and_how_it_fails(app: FastAPI) -> None:
    for method, path, operation in operations(app.openapi()):
        assert operation["summary"], path
        if path in PUBLIC:
            continue
        [requirement] = operation["security"]
        assert requirement["key"] in (["caller"], ["editor"], ["operator"]), path
        assert {"400", "401", "403", "429", "500"} <= set(operation["responses"]), path
        if method == "put" or (method == "post" and path not in WITHOUT_BODY):
            assert operation["requestBody"]["required"] is (path not in MAY_HAVE_BODY), path
            assert {"413", "415"} <= set(operation["responses"]), path
        error = "ProtocolError" if path == "/v2" or path.startswith("/v2/") else "ErrorReply"
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert answer["content"]["application/json"]["schema"] == {"$ref": f"#/components/schemas/{error}"}, (path, status)


def test_a_frame_is_described_in_all_its_forms(app: FastAPI) -> None:
    for path in ("/v1/recognize", "/v1/moment"):
        content = app.openapi()["paths"][path]["post"]["requestBody"]["content"]
        assert set(content) == {"multipart/form-data", "application/json", "image/jpeg", "image/png", "image/webp"}
        assert "frame" in content["multipart/form-data"]["schema"]["required"]


def test_trace_is_a_parameter_where_the_reply_has_one_and_nowhere_else(app: FastAPI) -> None:
    document = app.openapi()
    for _, path, operation in operations(document):
        replied = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
        described = document["components"]["schemas"].get(replied.get("$ref", "").rpartition("/")[2], {})
        has_parameter = any(parameter["name"] == "trace" for parameter in operation.get("parameters", ()))
        assert has_parameter == ("trace" in described.get("properties", {})), path


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_pages_load_nothing_from_elsewhere(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", response.text)
    assert "import(" not in response.text


def test_the_written_reference_is_current(app: FastAPI) -> None:
    assert Path(PAGE).read_text(encoding="utf-8") == reference(app, Path(PAGE).read_text(encoding="utf-8")), (
        "run `python -m deployments.ingress.reference`"
    )
    assert FULL_PAGE.read_text(encoding="utf-8") == reference_page(app.openapi()), "run `python -m deployments.ingress.reference`"


def test_the_catalogue_has_every_error(app: FastAPI) -> None:
    page = PAGE.with_name("errors.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \| (\d{3}) \| .+ \| .+ \| (?:yes|no|perhaps) \|$", page, re.MULTILINE)
    assert told == [(error.code, str(error.http_status)) for error in PUBLIC_ERRORS]


def test_every_wire_request_fills_its_graph_request() -> None:
    answer = as_dataclass(AnswerRequest, wire.AnswerRequest(question="a", room_id="R", product_id="P", viewer_id="V", language="en"))
    assert (answer.question, answer.room_id, answer.product_id, answer.viewer_id, answer.language) == ("a", "R", "P", "V", "en")
    recognize = as_dataclass(RecognizeRequest, wire.RecognizeOptions(room_id="R", top_k=2, min_score=0.5), frame=b"x")
    assert (recognize.frame, recognize.room_id, recognize.top_k, recognize.min_score) == (b"x", "R", 2, 0.5)
    moment = as_dataclass(MomentRequest, wire.MomentOptions(viewer_id="V", room_id="R", comment="c", k=7), frame=b"x")
    assert (moment.viewer_id, moment.room_id, moment.comment, moment.k) == ("V", "R", "c", 7)
    script = wire.ScriptRequest(product_ids=("P",), audience="a", scene="b", style="c", language="en", duration_s=30)
    asked = as_dataclass(ScriptRequest, script)
    assert (asked.product_ids, asked.audience, asked.scene, asked.style, asked.language, asked.duration_s) == (
        ("P",),
        "a",
        "b",
        "c",
        "en",
        30,
    )
    assert as_dataclass(AnalyzeRequest, wire.AnalyzeRequest(text="t", language="zh")) == AnalyzeRequest("t", "zh")
    assert as_dataclass(RoomsRequest, wire.RoomsRequest(viewer_id="V", k=3)).k == 3


@pytest.mark.parametrize(("kind", "model"), [(Document, wire.Document), (Room, wire.Room), (Event, wire.Event)])
def test_state_values_have_the_wires_fields(kind: type, model: type[wire.Request]) -> None:
    assert set(kind.__dataclass_fields__) == set(model.model_fields)  # type: ignore[attr-defined]  # a dataclass


def test_examples_are_what_the_routes_take(app: FastAPI) -> None:
    document = app.openapi()
    for _, _, operation in operations(document):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is not None and "example" not in body:
            schema = {**body["schema"], "components": document["components"]}
            Draft202012Validator(schema).validate(example_of(body["schema"], document["components"]["schemas"]))
