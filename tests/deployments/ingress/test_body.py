"""Body limits and decompression."""

import asyncio
import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from deployments.ingress.body import STEP_BYTES, BodyLimit
from deployments.ingress.context import RequestInfo, attach
from graphs.errors import DeadlineExceeded, InvalidRequest, LivecartError, PayloadTooLarge


async def received(pieces: list[bytes], *, encoding: str | None = None, max_bytes: int = 4 * STEP_BYTES) -> tuple[bytes, int]:
    """The body that an app behind the limit gets, and the size of the largest message."""
    waiting: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": index < len(pieces) - 1} for index, piece in enumerate(pieces)
    ]
    got: list[bytes] = []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        raise NotImplementedError

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            got.append(message["body"])
            more = message["more_body"]

    headers = [(b"content-encoding", encoding.encode())] if encoding else []
    await BodyLimit(app, max_bytes=lambda: max_bytes, max_s=lambda: 60.0)({"type": "http", "headers": headers}, receive, send)
    return b"".join(got), max(map(len, got))


@pytest.mark.parametrize(("deadline_ms", "kind"), [(20, DeadlineExceeded), (None, InvalidRequest)])
async def test_a_body_that_does_not_come_in_time_is_refused_and_the_connection_closed(
    deadline_ms: int | None, kind: type[LivecartError]
) -> None:
    first: list[Message] = [{"type": "http.request", "body": b"{", "more_body": True}]
    sent: list[Message] = []

    async def receive() -> Message:
        return first.pop() if first else await asyncio.Future[Message]()

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["body"] == b"{"
        with pytest.raises(kind):
            await receive()
        await send({"type": "http.response.start", "status": kind.http_status, "headers": []})

    scope: Scope = {"type": "http", "headers": []}
    attach(scope, RequestInfo("r", deadline_ms=deadline_ms))
    async with asyncio.timeout(10):
        await BodyLimit(app, max_bytes=lambda: 100, max_s=lambda: 60.0 if deadline_ms else 0.02)(scope, receive, send)
    assert sent[0]["headers"] == [(b"connection", b"close")]


async def test_the_time_of_a_body_without_a_deadline_is_a_setting() -> None:
    async def receive() -> Message:
        return await asyncio.Future[Message]()

    async def send(message: Message) -> None:
        raise NotImplementedError

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    limit = BodyLimit(app, max_bytes=lambda: 100, max_s=lambda: 60.0, default_s=lambda: 0.02)
    with pytest.raises(InvalidRequest, match=r"within 0\.02 s"):
        await limit({"type": "http", "headers": []}, receive, send)


async def test_after_the_body_the_callers_leaving_is_awaited_without_a_limit() -> None:
    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await asyncio.sleep(0.05)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise NotImplementedError

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        assert (await receive())["type"] == "http.disconnect"

    await BodyLimit(app, max_bytes=lambda: 100, max_s=lambda: 0.02)({"type": "http", "headers": []}, receive, send)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)] or [b""]


def raw_deflate(data: bytes) -> bytes:
    squeezer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return squeezer.compress(data) + squeezer.flush()


@given(st.binary(max_size=2_000), st.integers(1, 3_000), st.sampled_from(["gzip", "x-gzip", "deflate", "identity"]))
async def test_what_was_compressed_arrives_whatever_the_pieces(data: bytes, size: int, encoding: str) -> None:
    compressors: dict[str, Callable[[bytes], bytes]] = {"deflate": zlib.compress, "identity": bytes}
    compress = compressors.get(encoding, gzip.compress)
    assert (await received(cut(compress(data), size), encoding=encoding))[0] == data


async def test_deflate_without_zlibs_header_is_read_too() -> None:
    assert (await received(cut(raw_deflate(b"hello" * 500), 64), encoding="deflate"))[0] == b"hello" * 500


@pytest.mark.parametrize("length", [STEP_BYTES - 1, STEP_BYTES, STEP_BYTES + 1, 3 * STEP_BYTES + 7])
async def test_a_large_body_arrives_in_steps(length: int) -> None:
    body, largest = await received([gzip.compress(b"a" * length)], encoding="gzip")
    assert body == b"a" * length
    assert largest <= STEP_BYTES


async def test_the_limit_counts_both_sides_of_the_compression() -> None:
    assert (await received([b"a" * 100], max_bytes=100))[0] == b"a" * 100
    with pytest.raises(PayloadTooLarge):
        await received([b"a" * 60, b"a" * 41], max_bytes=100)
    with pytest.raises(PayloadTooLarge):
        await received([gzip.compress(b"a" * 101)], encoding="gzip", max_bytes=100)


@pytest.mark.parametrize("damage", [lambda z: z[:-1], lambda z: z + b"more", lambda z: b"\0" + z, lambda z: z[:12] + b"\xff" * 9 + z[21:]])
async def test_damaged_bodies_are_the_callers_fault(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(InvalidRequest):
        await received([damage(gzip.compress(bytes(range(256)) * 8))], encoding="gzip")
