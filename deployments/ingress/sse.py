"""Server-sent events: tokens as they come, then the whole answer or an error object."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from deployments.ingress.context import info_of
from deployments.ingress.disconnect import until_disconnect
from deployments.ingress.errors import error_object
from graphs.errors import Internal, LivecartError

log = logging.getLogger("livecart.ingress")


def event(name: str, data: bytes) -> bytes:
    """One event; `data` is JSON without line breaks.

    >>> event("token", b'{"text":"hi"}')
    b'event: token\\ndata: {"text":"hi"}\\n\\n'
    """
    return b"event: " + name.encode("ascii") + b"\ndata: " + data + b"\n\n"


def token_event(text: str) -> bytes:
    return event("token", orjson.dumps({"text": text}))


def error_event(error: LivecartError) -> bytes:
    return event("error", orjson.dumps(error_object(error), default=str))


class EventStream(Response):
    """Sends events as they come. What goes wrong on the way is the last event; a caller who leaves closes the iterator.

    `source`, from which `events` are made, is closed too: an iterator that was never begun could not pass its closing on.
    `failed` makes the last event of a stream that breaks off.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        *,
        source: AsyncGenerator[Any, None] | None = None,
        failed: Callable[[LivecartError], bytes] = error_event,
    ) -> None:
        self._events = events
        self._failed = failed
        self._source = source if source is not None else events
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await until_disconnect(receive, self._send_all(scope, send))

    async def _send_all(self, scope: Scope, send: Send) -> None:
        async with aclosing(self._source), aclosing(self._events):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._send_events(scope, send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_events(self, scope: Scope, send: Send) -> None:
        try:
            async for piece in self._events:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except LivecartError as error:
            await send({"type": "http.response.body", "body": self._failed(error), "more_body": True})
        except Exception:
            log.exception("a stream broke off")
            failure = Internal(f"something went wrong here; the log has it under request id {info_of(scope).request_id}")
            await send({"type": "http.response.body", "body": self._failed(failure), "more_body": True})
