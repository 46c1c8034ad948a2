"""Request bodies: one limit, counted while they stream in and again while they are decompressed, and a time in which they must come."""

import asyncio
import zlib
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.ingress.context import RequestInfo, info_of
from graphs.errors import DeadlineExceeded, InvalidRequest, LivecartError, PayloadTooLarge, UnsupportedMedia

DEFAULT_BODY_S = 30.0  # for a body whose caller sends no X-Deadline-Ms
STEP_BYTES = 256 * 1024  # decompressed at once; the event loop breathes between two steps
_GZIP_BITS = zlib.MAX_WBITS | 16


class BodyLimit:
    """Refuses bodies over `max_bytes()`, as sent and as decompressed, and those that are not there in time.

    Routes see plain bytes and no Content-Encoding. The time is the caller's deadline, else `default_s()`, and at most `max_s()`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: Callable[[], int],
        max_s: Callable[[], float],
        default_s: Callable[[], float] = lambda: DEFAULT_BODY_S,
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_s = max_s
        self._default_s = default_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        max_bytes = self._max_bytes()
        _check_length(headers.get("content-length"), max_bytes)
        timed = _Timed(receive, send, info_of(scope), default_s=self._default_s(), max_s=self._max_s())
        bounded: Receive = _Counted(timed.receive, max_bytes)
        encodings = _encodings(headers)
        if encodings:
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name not in (b"content-encoding", b"content-length")]
            bounded = _Counted(_Decompressed(bounded, encodings[0]), max_bytes)
        await self._app(scope, bounded, timed.send)


def _check_length(declared: str | None, max_bytes: int) -> None:
    if declared is None:
        return
    if not (declared.isascii() and declared.isdigit()):
        raise InvalidRequest("Content-Length must be a number of bytes", param="Content-Length")
    if len(declared) > 18 or int(declared) > max_bytes:
        raise _too_large(max_bytes)


def _encodings(headers: Headers) -> list[str]:
    named = [name.strip().lower() for line in headers.getlist("content-encoding") for name in line.split(",")]
    wanted = [name for name in named if name not in ("", "identity")]
    if len(wanted) > 1 or any(name not in ("gzip", "x-gzip", "deflate") for name in wanted):
        raise UnsupportedMedia("Content-Encoding may be gzip or deflate, once", param="Content-Encoding")
    return wanted


def _too_large(max_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"a body may have {max_bytes} bytes, also after decompression")


class _Timed:
    """A connection on which a body that comes too slowly is an error, after whose answer the connection is closed."""

    def __init__(self, receive: Receive, send: Send, info: RequestInfo, *, default_s: float, max_s: float) -> None:
        self._receive = receive
        self._send = send
        self._info = info
        self._default_s = default_s
        self._max_s = max_s
        self._ended = False  # the body; from then on only the end of the connection is waited for
        self._late = False

    async def receive(self) -> Message:
        if self._ended:
            return await self._receive()
        try:
            async with asyncio.timeout(self._info.remaining_s(default_s=self._default_s, max_s=self._max_s)):
                message = await self._receive()
        except (TimeoutError, DeadlineExceeded):
            self._late = True
            raise self._too_slow() from None
        self._ended = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self._late and message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
        await self._send(message)

    def _too_slow(self) -> LivecartError:
        if self._info.deadline_ms is not None:
            return DeadlineExceeded("the deadline passed while the request was being received")
        return InvalidRequest(f"the body did not arrive within {min(self._default_s, self._max_s):g} s; X-Deadline-Ms can allow it more")


class _Counted:
    def __init__(self, receive: Receive, max_bytes: int) -> None:
        self._receive = receive
        self._max_bytes = max_bytes
        self._seen_bytes = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._seen_bytes += len(message.get("body", b""))
            if self._seen_bytes > self._max_bytes:
                raise _too_large(self._max_bytes)
        return message


class _Decompressed:
    """`receive` over a gzip or deflate body; raises InvalidRequest when it is damaged or cut off."""

    def __init__(self, receive: Receive, encoding: str) -> None:
        self._receive = receive
        self._decoder = _Inflater(_GZIP_BITS if encoding.endswith("gzip") else zlib.MAX_WBITS)
        self._ended = False
        self._more_sent = True  # by the client: another compressed message will come

    async def __call__(self) -> Message:
        if self._ended:
            return await self._receive()
        while True:
            if self._decoder.hungry and self._more_sent:
                message = await self._receive()
                if message["type"] != "http.request":
                    return message
                self._more_sent = message.get("more_body", False)
                self._decoder.feed(message.get("body", b""))
            plain = self._decoder.step()
            if self._decoder.hungry and not self._more_sent:
                self._decoder.finish()
                self._ended = True
                return {"type": "http.request", "body": plain, "more_body": False}
            await asyncio.sleep(0)
            if plain:
                return {"type": "http.request", "body": plain, "more_body": True}


class _Inflater:
    def __init__(self, window_bits: int) -> None:
        self._zlib = zlib.decompressobj(window_bits)
        self._may_be_raw = window_bits == zlib.MAX_WBITS  # some clients send deflate without zlib's header
        self._pending = b""
        self._holds_back = False  # zlib may have output left although it took in all its input
        self._fed = False

    @property
    def hungry(self) -> bool:
        """All that was fed has been worked off."""
        return not self._pending and not self._holds_back

    def feed(self, compressed: bytes) -> None:
        self._pending += compressed
        self._fed = self._fed or bool(compressed)

    def step(self) -> bytes:
        """Up to STEP_BYTES more of the plain body."""
        try:
            plain = self._zlib.decompress(self._pending, STEP_BYTES)
        except zlib.error as error:
            if not self._may_be_raw:
                raise InvalidRequest(f"the compressed body is damaged: {error}") from None
            self._may_be_raw = False
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
            return self.step()
        if self._pending:
            self._may_be_raw = False
        if self._zlib.eof and self._zlib.unused_data:
            raise InvalidRequest("the compressed body goes on after its end")
        self._pending = self._zlib.unconsumed_tail
        self._holds_back = len(plain) == STEP_BYTES
        return plain

    def finish(self) -> None:
        if self._fed and not self._zlib.eof:
            raise InvalidRequest("the compressed body is cut off")
