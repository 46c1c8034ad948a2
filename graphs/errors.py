"""Everything that livecart tells a caller went wrong: one tree, stable codes.

Exception
├── LivecartError
│   ├── InvalidRequest      invalid_request       400
│   │   └── ContextLengthExceeded  context_length_exceeded
│   ├── Unauthenticated     unauthenticated       401
│   ├── Forbidden           forbidden             403
│   ├── NotFound            not_found             404
│   │   └── ModelNotFound   model_not_found
│   ├── MethodNotAllowed    method_not_allowed    405
│   ├── Conflict            conflict              409
│   ├── PayloadTooLarge     payload_too_large     413
│   ├── UnsupportedMedia    unsupported_media     415
│   ├── InvalidEvent        invalid_event         422
│   ├── InvalidRow          invalid_row           422
│   ├── Overloaded          overloaded            429  (says when to come back)
│   │   └── QuotaSpent      the caller has had what is theirs; no fallback hides it
│   ├── Internal            internal              500
│   │   └── NodeFailed      a node of a graph raised something unexpected
│   ├── Unavailable         unavailable           503
│   └── DeadlineExceeded    deadline_exceeded     504
└── GraphError              a graph was put together wrongly; raised at start, never while serving
"""

# ruff: noqa: N818  # the names are what callers read: NotFound, not NotFoundError

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:  # the engine imports this module
    from graphs.flow.spans import Span


class LivecartError(Exception):
    """An answer that is not a result; survives pickling, since it crosses processes."""

    code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, param: str | None = None, details: tuple[Mapping[str, object], ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.param = param  # the field of the request that is at fault
        self.details = details  # one object per row or finding
        self.spans: tuple[Span, ...] = ()  # what ran before a graph gave up; filled in by the graph engine

    @property
    def is_callers_fault(self) -> bool:
        """The same request would fail again: no fallback and no retry can help (429 is not such a case)."""
        return self.http_status < 500 and self.http_status != 429

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.__dict__))


def _rebuild(kind: type[LivecartError], message: str, state: dict[str, object]) -> LivecartError:
    error = kind.__new__(kind, message)
    error.__dict__.update(state)
    return error


class InvalidRequest(LivecartError):
    code, http_status = "invalid_request", 400


class ContextLengthExceeded(InvalidRequest):
    """A prompt with the tokens asked for is longer than what the model reads; OpenAI's code."""

    code = "context_length_exceeded"


class Unauthenticated(LivecartError):
    code, http_status = "unauthenticated", 401


class Forbidden(LivecartError):
    code, http_status = "forbidden", 403


class NotFound(LivecartError):
    code, http_status = "not_found", 404


class ModelNotFound(NotFound):
    """A model that is not served; OpenAI's code."""

    code = "model_not_found"


class MethodNotAllowed(LivecartError):
    code, http_status = "method_not_allowed", 405


class Conflict(LivecartError):
    code, http_status = "conflict", 409


class PayloadTooLarge(LivecartError):
    code, http_status = "payload_too_large", 413


class UnsupportedMedia(LivecartError):
    code, http_status = "unsupported_media", 415


class InvalidEvent(LivecartError):
    code, http_status = "invalid_event", 422


class InvalidRow(LivecartError):
    code, http_status = "invalid_row", 422


class Overloaded(LivecartError):
    """Refused before any work was done; `retry_after_s` is when the queue is expected to have room."""

    code, http_status = "overloaded", 429

    def __init__(
        self, message: str, *, retry_after_s: float = 1.0, param: str | None = None, details: tuple[Mapping[str, object], ...] = ()
    ) -> None:
        super().__init__(message, param=param, details=details)
        self.retry_after_s = retry_after_s


class QuotaSpent(Overloaded):
    """A caller has had their share of something for now, however much of it is left for others."""

    @property
    def is_callers_fault(self) -> bool:
        return True


class Unavailable(LivecartError):
    code, http_status = "unavailable", 503


class DeadlineExceeded(LivecartError):
    code, http_status = "deadline_exceeded", 504


class Internal(LivecartError):
    code, http_status = "internal", 500


class NodeFailed(Internal):
    """A node without a fallback raised something that is no LivecartError; `__cause__` is what it raised."""

    def __init__(self, node: str, graph: str) -> None:
        super().__init__(f"node `{node}` of graph `{graph}` failed")
        self.node = node
        self.graph = graph


class GraphError(Exception):
    """A graph was built or overridden wrongly; the message says what was found and what to write instead."""
