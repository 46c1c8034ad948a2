"""What the OpenAPI document says of `/v2`."""

from typing import Any

from pydantic import BaseModel

from deployments.ingress import schema
from deployments.ingress.oip.messages import HEADER_LENGTH
from deployments.ingress.schema import JsonSchema

_TENSOR = {
    "name": {"type": "string"},
    "datatype": {"type": "string"},
    "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
}
_PARAMETERS = {"type": "object", "additionalProperties": True}
_EXAMPLE = {"inputs": [{"name": "INPUT0", "datatype": "FP32", "shape": [2], "data": [1.5, 2.5]}]}


class ProtocolError(BaseModel):
    """What went wrong, in the form that clients of this protocol read."""

    error: str


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route, as `schema.errors`, with the protocol's body."""
    found = schema.errors(*statuses)
    for answer in found.values():
        answer["model"] = ProtocolError
        answer["content"] = {"application/json": {"example": {"error": "what was asked, what was found, what to do"}}}
    return found


def answers(example: object) -> dict[int | str, dict[str, Any]]:
    kind = "array" if isinstance(example, list) else "object"
    return {200: {"content": {"application/json": {"schema": {"type": kind}, "example": example}}}}


def infer_body() -> JsonSchema:
    """JSON, or JSON with binary parts behind it."""
    tensor = {"type": "object", "required": ["name", "datatype", "shape"], "properties": {**_TENSOR, "parameters": _PARAMETERS, "data": {}}}
    output = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "parameters": _PARAMETERS}}
    properties = {
        "id": {"type": "string"},
        "inputs": {"type": "array", "items": tensor},
        "outputs": {"type": "array", "items": output},
        "parameters": _PARAMETERS,
    }
    content = {
        "application/json": {"schema": {"type": "object", "required": ["inputs"], "properties": properties}, "example": _EXAMPLE},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    }
    about = "How many bytes of the body are JSON; binary tensors follow. 0: the body is the tensor of the only input"
    header = {"name": HEADER_LENGTH, "in": "header", "required": False, "schema": {"type": "integer", "minimum": 0}, "description": about}
    return {"requestBody": {"required": True, "content": content}, "parameters": [header]}


def optional_body() -> JsonSchema:
    return {"requestBody": {"required": False, "content": {"application/json": {"schema": {"type": "object"}}}}}
