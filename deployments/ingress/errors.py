"""Every way to fail becomes one error object; under /v2 the short form that Open Inference Protocol clients decode."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from graphs.errors import (
    Conflict,
    ContextLengthExceeded,
    DeadlineExceeded,
    Forbidden,
    Internal,
    InvalidEvent,
    InvalidRequest,
    InvalidRow,
    LivecartError,
    MethodNotAllowed,
    ModelNotFound,
    NotFound,
    Overloaded,
    PayloadTooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)
from models.types import ModelInputError

MAX_DETAILS = 20
PUBLIC_ERRORS: tuple[type[LivecartError], ...] = (  # in the order of their status, the general one of each first
    InvalidRequest,
    ContextLengthExceeded,
    Unauthenticated,
    Forbidden,
    NotFound,
    ModelNotFound,
    MethodNotAllowed,
    Conflict,
    PayloadTooLarge,
    UnsupportedMedia,
    InvalidEvent,
    InvalidRow,
    Overloaded,
    Internal,
    Unavailable,
    DeadlineExceeded,
)
_BY_STATUS: dict[int, type[LivecartError]] = {kind.http_status: kind for kind in reversed(PUBLIC_ERRORS)}
_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_MODEL_INPUT: dict[str, type[LivecartError]] = {
    "invalid": InvalidRequest,
    "too_large": PayloadTooLarge,
    "unsupported": UnsupportedMedia,
}
_PLAIN_WORDS = {
    "missing": "is needed",
    "extra_forbidden": "is not a field of this request",
    "model_attributes_type": "must be a JSON object",
    "model_type": "must be a JSON object",
}
_PYTHON_WORDS = re.compile(r"^Value error, |^(?:List|Tuple|Set|Frozenset|Dictionary) (?=should have)| after validation")
_PLACES = frozenset({"body", "query", "path", "header"})


def error_type(status: int) -> str:
    """The `type` of an error, in the words that OpenAI clients know."""
    return _TYPES.get(status) or ("server_error" if status >= 500 else "invalid_request_error")


def error_object(error: LivecartError) -> dict[str, object]:
    return {
        "error": {
            "code": error.code,
            "message": _printable(error.message),
            "type": error_type(error.http_status),
            "param": _printable(error.param) if error.param is not None else None,
            "details": list(error.details),
        }
    }


def error_response(path: str, error: LivecartError, *, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a failed request. Headers say when to come back (429) and how to authenticate (401)."""
    short = path == "/v2" or path.startswith("/v2/")
    body: dict[str, object] = {"error": _printable(error.message)} if short else error_object(error)
    content = orjson.dumps(body, default=str, option=orjson.OPT_NON_STR_KEYS)
    return Response(content, error.http_status, {**_headers_of(error), **(headers or {})}, media_type="application/json")


def _headers_of(error: LivecartError) -> dict[str, str]:
    if isinstance(error, Overloaded):
        wait_s = max(error.retry_after_s, 0.001)
        return {"Retry-After": str(math.ceil(wait_s)), "retry-after-ms": str(math.ceil(wait_s * 1_000))}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {}


def _printable(text: str) -> str:
    """Text that can be sent as UTF-8: what a caller put into a path or header may hold lone surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8")


# --- from other libraries' errors to ours ------------------------------------------------------------------------------


def from_validation(errors: Sequence[Mapping[str, Any]]) -> InvalidRequest:
    """What pydantic found, as one error: `param` and message of the first finding, all of them (up to 20) in `details`."""
    findings = [_finding(error) for error in errors[:MAX_DETAILS]]
    first = findings[0]
    message = f"`{first['param']}`: {first['message']}" if first["param"] else str(first["message"])
    param = first["param"]
    return InvalidRequest(message, param=None if param is None else str(param), details=tuple(findings))


def _finding(error: Mapping[str, Any]) -> dict[str, object]:
    if error["type"] == "json_invalid":
        return {"param": None, "message": f"the body is not valid JSON: {error.get('ctx', {}).get('error', 'parse error')}"}
    location = [str(part) for part in error["loc"]]
    if location and location[0] in _PLACES:
        location = location[1:]
    message = finding_message(error)
    return {"param": ".".join(location)[:200] or None, "message": message if location else f"the body is not as expected: {message}"}


def finding_message(error: Mapping[str, Any]) -> str:
    """What pydantic says about one field, in the words of an API."""
    plain = _PLAIN_WORDS.get(error["type"])
    return plain or _PYTHON_WORDS.sub("", str(error["msg"]))


def from_model_input(error: ModelInputError) -> LivecartError:
    return _MODEL_INPUT[error.kind](error.message)


def from_http(scope: Scope, error: HTTPException) -> LivecartError:
    method, path = scope["method"], scope["path"]
    if error.status_code == 404:
        return NotFound(f"no route {method} {path}; GET /openapi.json lists them")
    if error.status_code == 405:
        return MethodNotAllowed(f"{method} is not possible on {path}; the Allow header says what is")
    return _BY_STATUS.get(error.status_code, InvalidRequest)(str(error.detail))


def allowed_methods(scope: Scope) -> str:
    """All methods of all routes on this path: the router names only those of the first one."""
    methods = {
        method
        for route in scope["app"].routes
        if route.matches(scope)[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }
    return ", ".join(sorted(methods))


# --- handlers ----------------------------------------------------------------------------------------------------------


async def _on_livecart_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, LivecartError):
        raise error
    return error_response(request.scope["path"], error)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return error_response(request.scope["path"], from_validation(error.errors()))


async def _on_model_input_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, ModelInputError):
        raise error
    return error_response(request.scope["path"], from_model_input(error))


async def _on_http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = allowed_methods(request.scope)
    return error_response(request.scope["path"], from_http(request.scope, error), headers=headers)


def install_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(LivecartError, _on_livecart_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(ModelInputError, _on_model_input_error)
    app.add_exception_handler(HTTPException, _on_http_error)
