"""The tries of one call: what each sends, and what follows from how it ended. It neither waits nor sends."""

import random
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Generic, TypeVar

import httpx

from livecart_client.core.calls import Call
from livecart_client.core.replies import HttpReply, result
from livecart_client.core.retries import REFUSALS, Attempt, Failure, FailureKind, RetryPolicy, retry_after_s, wait_s
from livecart_client.errors import DeadlineExceeded, InvalidRequest, LivecartError, Unreachable

R = TypeVar("R")
GRACE_S = 1.0  # beyond the deadline, for the server's own word that it has passed
LONGEST_CONNECT_S = 5.0
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_HOPELESS = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.DecodingError, httpx.TooManyRedirects, httpx.TimeoutException)


class Attempts(Generic[R]):
    """The deadline counts from here, over all tries."""

    def __init__(
        self, call: Call[R], policy: RetryPolicy, *, clock: Callable[[], float] = time.monotonic, draw: Callable[[], float] = random.random
    ) -> None:
        self.call = call
        self.request_id = call.request_id or secrets.token_hex(16)
        self._policy = policy
        self._clock = clock
        self._draw = draw
        self._began_at_s = clock()
        self._number = 0
        self._may_be_done = False  # a try broke off that may have been carried out

    def request(self, http: httpx.Client | httpx.AsyncClient, timeout_s: float) -> httpx.Request:
        """The next try. Raises DeadlineExceeded when no time is left for it."""
        call, remaining_s = self.call, self._remaining_s
        headers = {"X-Request-Id": self.request_id, "Accept": call.accept}
        if remaining_s is not None:
            if remaining_s <= 0:
                raise self._too_late()
            headers["X-Deadline-Ms"] = str(max(int(remaining_s * 1_000), 1))
            timeout_s = remaining_s + GRACE_S
        if call.json is not None:
            headers["Content-Type"] = "application/json"
        return http.build_request(
            call.route.method,
            call.path,
            params=dict(call.query) or None,
            content=call.json,
            files=[(name, (name, content, "application/octet-stream")) for name, content in call.files] or None,
            data=dict(call.form) or None,
            headers=headers,
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, LONGEST_CONNECT_S)),
        )

    def reply(self, response: httpx.Response) -> HttpReply:
        """Of a response that was read."""
        return HttpReply(response.status_code, response.headers, response.content, self.request_id)

    def wait_after(self, reply: HttpReply) -> float | None:
        """Seconds until the next try; None: the reply is the last word."""
        if reply.status not in REFUSALS:
            return None
        return self._next(Failure("refused", retry_after_s(reply.headers, datetime.now(UTC))))

    def wait_after_failure(self, error: httpx.RequestError) -> float:
        """Seconds until the next try. Raises what the caller gets if there is none."""
        kind = failure_kind(error)
        self._may_be_done |= kind == "broken"
        waiting_s = self._next(Failure(kind))
        if waiting_s is None:
            raise self.failed(error) from error
        return waiting_s

    def result(self, reply: HttpReply) -> R:
        """Raises the error that the reply is. What a try before may have deleted and is gone now counts as deleted."""
        if self._may_be_done and self.call.route.method == "DELETE" and reply.status == 404:
            return self.call.parse(b"")
        return result(self.call.parse, reply)

    def failed(self, error: httpx.RequestError) -> LivecartError:
        """What the caller gets for a call that found no answer."""
        if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
            return InvalidRequest(f"this cannot be sent: {error}", request_id=self.request_id)
        if isinstance(error, httpx.TimeoutException) and not isinstance(error, _UNSENT):
            return DeadlineExceeded(f"no answer came in time ({type(error).__name__})", request_id=self.request_id)
        message = f"{self.call.route.method} {error.request.url} failed: {error or type(error).__name__}"
        return Unreachable(message, request_id=self.request_id)

    def _next(self, failure: Failure) -> float | None:
        attempt = Attempt(self._number, self.call.route.may_repeat, self._remaining_s, self._draw())
        self._number += 1
        return wait_s(self._policy, attempt, failure)

    @property
    def _remaining_s(self) -> float | None:
        deadline_s = self.call.deadline_s
        return None if deadline_s is None else deadline_s - (self._clock() - self._began_at_s)

    def _too_late(self) -> DeadlineExceeded:
        return DeadlineExceeded(f"the {self.call.deadline_s} s of this call are spent", request_id=self.request_id)


def failure_kind(error: httpx.RequestError) -> FailureKind:
    """By when it happened: before anything was sent, or after."""
    if isinstance(error, _UNSENT):
        return "unsent"
    return "final" if isinstance(error, _HOPELESS) else "broken"
