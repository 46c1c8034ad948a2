"""Request bodies: one limit, counted while they stream in and again while they are decompressed."""

import asyncio
import zlib
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphs.errors import InvalidRequest, PayloadTooLarge, UnsupportedMedia

STEP_BYTES = 256 * 1024  # decompressed at once; the event loop breathes between two steps
_GZIP_BITS = zlib.MAX_WBITS | 16


class BodyLimit:
    """Refuses bodies over `max_bytes()`, as sent and as decompressed. Routes see plain bytes and no Content-Encoding."""

    def __init__(self, app: ASGIApp, *, max_bytes: Callable[[], int]) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        max_bytes = self._max_bytes()
        _check_length(headers.get("content-length"), max_bytes)
        bounded: Receive = _Counted(receive, max_bytes)
        encodings = _encodings(headers)
        if encodings:
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name not in (b"content-encoding", b"content-length")]
            bounded = _Counted(_Decompressed(bounded, encodings[0]), max_bytes)
        await self._app(scope, bounded, send)


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
