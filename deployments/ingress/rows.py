"""Bodies that hold rows (all or none), and bodies whose id stands in the path."""

from typing import TypeVar

from pydantic import ValidationError
from starlette.requests import Request

from deployments.ingress.errors import MAX_DETAILS, finding_message
from deployments.ingress.frames import validated
from deployments.ingress.routing import json_object
from graphs.errors import InvalidEvent, InvalidRequest, InvalidRow, PayloadTooLarge
from livecart_client import wire

M = TypeVar("M", bound=wire.Request)


async def read_rows(request: Request, name: str, kind: type[M], *, max_rows: int, error: type[InvalidEvent | InvalidRow]) -> list[M]:
    """The rows of `{name: [...]}`.

    Raises InvalidRequest for a bad envelope, PayloadTooLarge for too many rows, and `error` with one `{"index", "message"}` in `details`
    for each row at fault (up to 20 rows).
    """
    body = await json_object(request)
    rows = body.pop(name, None)
    if not isinstance(rows, list):
        raise InvalidRequest(f"the body must be an object with a list `{name}`", param=name)
    if body:
        raise InvalidRequest(f"the body holds nothing but `{name}`", param=next(iter(body))[:100])
    if len(rows) > max_rows:
        raise PayloadTooLarge(f"{len(rows)} rows; send at most {max_rows} at once", param=name)
    return _checked(rows, name, kind, error)


def _checked(rows: list[object], name: str, kind: type[M], error: type[InvalidEvent | InvalidRow]) -> list[M]:
    good: list[M] = []
    faults: list[dict[str, object]] = []
    for index, row in enumerate(rows):
        try:
            good.append(kind.model_validate(row))
        except ValidationError as fault:
            faults.append({"index": index, "message": _message(fault)})
            if len(faults) >= MAX_DETAILS:
                break
    if faults:
        raise error(f"row {faults[0]['index']}: {faults[0]['message']}; nothing was stored", param=name, details=tuple(faults))
    return good


def _message(fault: ValidationError) -> str:
    first = fault.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])[:200]
    message = finding_message(dict(first))
    return f"`{place}`: {message}" if place else message


async def read_object(request: Request, kind: type[M], *, id_name: str, path_id: str) -> M:
    """The object of a PUT: the id stands in the path and may be repeated in the body. Raises InvalidRequest where they differ."""
    body = await json_object(request)
    if id_name in body and body[id_name] != path_id:
        raise InvalidRequest(f"the path says `{path_id}` and the body another `{id_name}`; leave it out of the body", param=id_name)
    return validated(kind, {**body, id_name: path_id})
