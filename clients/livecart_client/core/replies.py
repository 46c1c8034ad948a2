"""What came back, as a result or as an error of the tree."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import ValidationError

from livecart_client import wire
from livecart_client.core.retries import retry_after_s
from livecart_client.errors import LivecartError, UnexpectedReply, kind_of

R = TypeVar("R")
SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class HttpReply:
    status: int
    headers: Mapping[str, str]  # names in lower case
    content: bytes
    sent_id: str | None = None  # that of the request

    @property
    def request_id(self) -> str | None:
        return self.headers.get("x-request-id", self.sent_id)


def result(parse: Callable[[bytes], R], reply: HttpReply) -> R:
    """Raises the error that the reply is."""
    if not 200 <= reply.status < 300:
        raise error_of(reply)
    try:
        return parse(reply.content)
    except ValidationError as error:
        message = f"the answer is not one of this API ({error.error_count()} faults): {_shown(reply.content)}"
        raise UnexpectedReply(message, status=reply.status, request_id=reply.request_id) from None


def error_of(reply: HttpReply, *, now: datetime | None = None) -> LivecartError:
    """By the code of the error object; by the status where something on the way answered without one."""
    again_s = retry_after_s(reply.headers, now or datetime.now(UTC))
    try:
        body = wire.ErrorReply.model_validate_json(reply.content).error
    except ValidationError:
        message = f"HTTP {reply.status} without an error object: {_shown(reply.content)}"
        kind = kind_of(None, reply.status)
        return kind(message, status=reply.status, request_id=reply.request_id, retry_after_s=again_s)
    return error_from(body, request_id=reply.request_id, status=reply.status, again_s=again_s)


def error_from(
    body: wire.ErrorBody, *, request_id: str | None = None, status: int | None = None, again_s: float | None = None
) -> LivecartError:
    return kind_of(body.code, status)(
        body.message,
        code=body.code,
        param=body.param,
        details=tuple(body.details),
        request_id=request_id,
        retry_after_s=again_s,
        status=status,
    )


def _shown(content: bytes) -> str:
    return content[:SHOWN_CHARACTERS].decode("utf-8", "replace") or "nothing"
