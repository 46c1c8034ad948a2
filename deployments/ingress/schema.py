"""Parts of the OpenAPI document that FastAPI cannot see, because these bodies are read by hand."""

from typing import Any, cast

from deployments.ingress.errors import PUBLIC_ERRORS, error_type
from livecart_client import wire

JsonSchema = dict[str, Any]

_EVERYWHERE = (400, 401, 403, 429, 500)
_TITLES = {kind.http_status: kind.code for kind in reversed(PUBLIC_ERRORS)}


def ref(name: str) -> JsonSchema:
    return {"$ref": f"#/components/schemas/{name}"}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route: the error object for these statuses and for those that every route may answer."""
    return {status: _error(status) for status in sorted({*statuses, *_EVERYWHERE})}


def _error(status: int) -> dict[str, Any]:
    example = {"code": _TITLES[status], "message": "what was asked, what was found, what to do", "type": error_type(status)}
    answer: dict[str, Any] = {
        "description": f"`{_TITLES[status]}`",
        "model": wire.ErrorReply,
        "content": {"application/json": {"example": {"error": {**example, "param": None, "details": []}}}},
    }
    if status == 429:
        whole = {"description": "Seconds until there should be room", "schema": {"type": "integer"}}
        answer["headers"] = {"Retry-After": whole, "retry-after-ms": {**whole, "description": "The same in milliseconds"}}
    return answer


def json_body(schema: JsonSchema, *, example: object | None = None) -> JsonSchema:
    content: JsonSchema = {"schema": schema}
    if example is not None:
        content["example"] = example
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def openai_body(properties: JsonSchema, *required: str) -> JsonSchema:
    """The fields that a call needs; the rest is OpenAI's and vLLM's, and unknown ones are accepted."""
    known = {"model": {"type": ["string", "null"]}, **properties}
    return json_body({"type": "object", "required": list(required), "properties": known, "additionalProperties": True})


def rows_body(name: str, model: str, *, max_rows: int = 1_000) -> JsonSchema:
    rows = {"type": "array", "items": ref(model), "maxItems": max_rows}
    return json_body({"type": "object", "required": [name], "properties": {name: rows}, "additionalProperties": False})


def frame_body(options: type[wire.Request], model: str) -> JsonSchema:
    """The three ways to send a frame."""
    schema = options.model_json_schema()
    form = {
        "type": "object",
        "required": ["frame", *schema.get("required", [])],
        "properties": {"frame": {"type": "string", "format": "binary", "description": "JPEG, PNG or WebP"}, **schema["properties"]},
    }
    picture = {"schema": {"type": "string", "format": "binary"}}
    content = {
        "multipart/form-data": {"schema": form},
        "application/json": {"schema": ref(model)},
        "image/jpeg": picture,
        "image/png": picture,
        "image/webp": picture,
    }
    return {"requestBody": {"required": True, "content": content}, "parameters": _query_of(options)}


def _query_of(options: type[wire.Request]) -> list[JsonSchema]:
    """The options as query parameters; the name of one that is required is required only beside a raw picture."""
    properties = cast(dict[str, JsonSchema], options.model_json_schema()["properties"])
    note = "Beside a raw picture only; otherwise part of the body"
    return [{"name": name, "in": "query", "required": False, "schema": schema, "description": note} for name, schema in properties.items()]


def images_body() -> JsonSchema:
    images = {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}
    form = {"type": "object", "required": ["image"], "properties": {"image": images}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}}}


def event_stream(event_names: str) -> JsonSchema:
    """Without a schema: readers of the document disagree whether one would be of the whole or of each event."""
    return {"text/event-stream": {"example": event_names}}


UPSERTED: dict[str, Any] = {
    "description": "Stored",
    "content": {
        "application/json": {
            "schema": {"type": "object", "required": ["upserted"], "properties": {"upserted": {"type": "integer", "description": "rows"}}}
        }
    },
}
