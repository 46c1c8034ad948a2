"""Completes FastAPI's OpenAPI document with the models that are read by hand."""

import copy
from typing import Any, cast

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from deployments.ingress.routing import SCHEME
from deployments.ingress.schema import JsonSchema
from livecart_client import wire

_READ_BY_HAND: tuple[type[wire.Request], ...] = (
    wire.Product,
    wire.Document,
    wire.Room,
    wire.Event,
    wire.RecognizeRequest,
    wire.MomentRequest,
)
_ABOUT_KEYS = "A key made with `livecart keys new`; without configured keys none is needed"
_ID_IN_PATH = {"ProductBody": ("Product", "product_id"), "DocumentBody": ("Document", "document_id"), "RoomBody": ("Room", "room_id")}


def complete(app: FastAPI) -> None:
    """Make `app.openapi()` add what FastAPI cannot see; the document is still made once and kept."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for name, found in _models_read_by_hand().items():
                schemas.setdefault(name, found)
            for name, (source, id_name) in _ID_IN_PATH.items():
                schemas[name] = _without_id(schemas[source], id_name)
            document["components"]["securitySchemes"] = {SCHEME: {"type": "http", "scheme": "bearer", "description": _ABOUT_KEYS}}
            _drop_validation_error(document)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _models_read_by_hand() -> dict[str, JsonSchema]:
    _, found = models_json_schema([(model, "validation") for model in _READ_BY_HAND], ref_template="#/components/schemas/{model}")
    return cast(dict[str, JsonSchema], found["$defs"])


def _without_id(schema: JsonSchema, id_name: str) -> JsonSchema:
    """The schema of a PUT's body: the id stands in the path, the body may leave it out."""
    body = copy.deepcopy(schema)
    body["required"] = [name for name in body["required"] if name != id_name]
    body["properties"][id_name]["description"] = "May be left out; if given it is the id of the path"
    return body


def _drop_validation_error(document: dict[str, Any]) -> None:
    """FastAPI declares its own 422 for every route with parameters; here those are 400 with the error object."""
    for path in document["paths"].values():
        for operation in path.values():
            answer = operation.get("responses", {}).get("422", {})
            if "HTTPValidationError" in str(answer):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
