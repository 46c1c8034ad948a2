"""Everything that a call may raise: one tree, by the stable codes of the server.

LivecartError
├── InvalidRequest      invalid_request       also found here, before anything was sent
│   └── ContextLengthExceeded  context_length_exceeded
├── Unauthenticated     unauthenticated
├── Forbidden           forbidden
├── NotFound            not_found
│   └── ModelNotFound   model_not_found
├── MethodNotAllowed    method_not_allowed
├── Conflict            conflict
├── PayloadTooLarge     payload_too_large
├── UnsupportedMedia    unsupported_media
├── InvalidEvent        invalid_event
├── InvalidRow          invalid_row
├── Overloaded          overloaded            `retry_after_s` says when to come back
├── Internal            internal
├── Unavailable         unavailable
│   └── Unreachable     unreachable           no connection, or it broke
├── DeadlineExceeded    deadline_exceeded     the server's word, or ours
└── UnexpectedReply     unexpected_reply      whoever answered does not speak this API
"""

# ruff: noqa: N818  # the names are what callers read: NotFound, not NotFoundError

from collections.abc import Iterator
from typing import ClassVar, TypedDict, Unpack


class About(TypedDict, total=False):
    code: str
    param: str | None
    details: tuple[dict[str, object], ...]
    request_id: str | None
    retry_after_s: float | None
    status: int | None


class LivecartError(Exception):
    """A call without a result. A code that this client does not know is kept in `code` of the class for its status."""

    known_as: ClassVar[str] = "unknown"

    def __init__(self, message: str, **about: Unpack[About]) -> None:
        super().__init__(message)
        self.message = message
        self.code = about.get("code", self.known_as)
        self.param = about.get("param")  # dotted path of the first field at fault
        self.details = about.get("details", ())  # one object per row or finding
        self.request_id = about.get("request_id")  # stands in the server's log
        self.retry_after_s = about.get("retry_after_s")  # when the server wants to be asked again
        self.status = about.get("status")  # of HTTP; None where no answer came, and for an error inside a stream

    def __str__(self) -> str:
        where = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.code}: {self.message}{where}"


class InvalidRequest(LivecartError):
    known_as = "invalid_request"


class ContextLengthExceeded(InvalidRequest):
    known_as = "context_length_exceeded"


class Unauthenticated(LivecartError):
    known_as = "unauthenticated"


class Forbidden(LivecartError):
    known_as = "forbidden"


class NotFound(LivecartError):
    known_as = "not_found"


class ModelNotFound(NotFound):
    known_as = "model_not_found"


class MethodNotAllowed(LivecartError):
    known_as = "method_not_allowed"


class Conflict(LivecartError):
    known_as = "conflict"


class PayloadTooLarge(LivecartError):
    known_as = "payload_too_large"


class UnsupportedMedia(LivecartError):
    known_as = "unsupported_media"


class InvalidEvent(LivecartError):
    known_as = "invalid_event"


class InvalidRow(LivecartError):
    known_as = "invalid_row"


class Overloaded(LivecartError):
    known_as = "overloaded"


class Internal(LivecartError):
    known_as = "internal"


class Unavailable(LivecartError):
    known_as = "unavailable"


class Unreachable(Unavailable):
    known_as = "unreachable"


class DeadlineExceeded(LivecartError):
    known_as = "deadline_exceeded"


class UnexpectedReply(LivecartError):
    known_as = "unexpected_reply"


_BY_STATUS: dict[int, type[LivecartError]] = {
    400: InvalidRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    409: Conflict,
    413: PayloadTooLarge,
    415: UnsupportedMedia,
    422: InvalidRow,
    429: Overloaded,
    500: Internal,
    502: Unavailable,
    503: Unavailable,
    504: DeadlineExceeded,
}


def kinds(above: type[LivecartError] = LivecartError) -> Iterator[type[LivecartError]]:
    """The whole tree below."""
    for kind in above.__subclasses__():
        yield kind
        yield from kinds(kind)


def kind_of(code: str | None, status: int | None) -> type[LivecartError]:
    """By the code; by the HTTP status where it is none that this client knows."""
    known = {kind.known_as: kind for kind in kinds()}
    if code in known:
        return known[code]
    return _BY_STATUS.get(status or 0, LivecartError if code is not None else UnexpectedReply)
