"""A call, as a value: route, body and how to read the answer."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from livecart_client import wire
from livecart_client.core.options import CallOptions
from livecart_client.core.routes import Route
from livecart_client.errors import InvalidRequest

R = TypeVar("R")
M = TypeVar("M", bound=BaseModel)

LONGEST_DEADLINE_S = 999_999.0
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_NO_FIELDS = frozenset({"deadline_s", "request_id", "trace"})
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(wire.Identifier)


class Status(wire.Reply):
    status: str


class Upserted(wire.Reply):
    upserted: int


@dataclass(frozen=True, slots=True)
class Call(Generic[R]):
    route: Route
    path: str
    parse: Callable[[bytes], R]
    deadline_s: float | None = None
    request_id: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    json: bytes | None = None
    files: tuple[tuple[str, bytes], ...] = ()  # with any of them it is a form
    form: Mapping[str, str] = field(default_factory=dict)
    accept: str = "application/json, text/event-stream"


@dataclass(frozen=True, slots=True)
class Content:
    query: Mapping[str, str] = field(default_factory=dict)
    json: bytes | None = None
    files: tuple[tuple[str, bytes], ...] = ()
    form: Mapping[str, str] = field(default_factory=dict)


def call(
    route: Route, parse: Callable[[bytes], R], options: CallOptions, content: Content, ids: Mapping[str, str] | None = None
) -> Call[R]:
    """Raises InvalidRequest for an option that is none of the route, and an id, deadline or request id that the server would not take."""
    unknown = sorted(set(options) - set(route.options.__annotations__))
    if unknown:
        raise InvalidRequest(f"`{unknown[0]}` is no option of {route.method} {route.path}; nothing was sent", param=unknown[0])
    for name, value in (ids or {}).items():
        checked_id(name, value)
    return Call(
        route,
        route.at(**(ids or {})),
        parse,
        _deadline(options.get("deadline_s")),
        _request_id(options.get("request_id")),
        content.query,
        content.json,
        content.files,
        content.form,
    )


def checked_id(name: str, value: str) -> None:
    """Raises InvalidRequest for what cannot be an id."""
    _checked(_IDENTIFIER.validate_python, value, place=name)


def fields_of(options: Mapping[str, object]) -> dict[str, object]:
    """Those that belong to the body or the query."""
    return {name: value for name, value in options.items() if name not in _NO_FIELDS}


def validated(kind: type[M], fields: Mapping[str, object]) -> M:
    """Raises InvalidRequest, as the server would."""
    return _checked(kind.model_validate, dict(fields))


def as_json(value: BaseModel) -> bytes:
    """What was said, not what follows from it."""
    return value.model_dump_json(exclude_unset=True).encode("utf-8")


def as_text(fields: Mapping[str, object]) -> dict[str, str]:
    """Fields of a form or a query; None is left out.

    >>> as_text({"live": True, "limit": 5, "cursor": None})
    {'live': 'true', 'limit': '5'}
    """
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in fields.items() if value is not None}


def model_of(kind: type[M]) -> Callable[[bytes], M]:
    """Reads a model; fields that a newer server may add are passed over, also where the model is one of a request."""
    return lambda content: kind.model_validate_json(content, extra="ignore")


def nothing(content: bytes) -> None:
    """Of an answer without content."""


def _checked(check: Callable[[object], R], value: object, *, place: str | None = None) -> R:
    try:
        return check(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        details = tuple(_finding(place, finding["loc"], finding["msg"]) for finding in found)
        first = details[0]
        message = f"`{first['param']}`: {first['message']}; nothing was sent"
        raise InvalidRequest(message, param=str(first["param"]) or None, details=details) from None


def _finding(place: str | None, location: tuple[int | str, ...], message: str) -> dict[str, object]:
    parts = [*([place] if place else []), *(str(part) for part in location)]
    return {"param": ".".join(parts), "message": message.removeprefix("Value error, ")}


def _deadline(deadline_s: float | None) -> float | None:
    if deadline_s is None or (0 < deadline_s <= LONGEST_DEADLINE_S and math.isfinite(deadline_s)):
        return deadline_s
    raise InvalidRequest(f"`deadline_s` must be above 0 and at most {LONGEST_DEADLINE_S:.0f}, not {deadline_s}", param="deadline_s")


def _request_id(request_id: str | None) -> str | None:
    if request_id is None or _REQUEST_ID.fullmatch(request_id):
        return request_id
    raise InvalidRequest("`request_id` must be 1 to 128 letters, digits or any of . _ : / + = @ -", param="request_id")
