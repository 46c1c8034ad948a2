"""A caller who leaves cancels what runs for them, the LLM included."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping

import pytest
from fastapi import FastAPI
from starlette.types import Message, Scope

from deployments.ingress.disconnect import CallerLeft, until_disconnect, within
from deployments.ingress.fakes import FakeModels
from deployments.ingress.sse import EventStream
from graphs.errors import DeadlineExceeded


class Connection:
    """A raw ASGI connection whose caller leaves when told to."""

    def __init__(self, path: str, body: object) -> None:
        content = json.dumps(body).encode()
        self.scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
        }
        self._waiting: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]
        self.left = asyncio.Event()
        self.sent: list[Message] = []

    def becomes(self, content: bytes, headers: Mapping[str, str]) -> None:
        """Another body than JSON."""
        self._waiting = [{"type": "http.request", "body": content, "more_body": False}]
        named = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self.scope["headers"] = [*named, (b"content-length", str(len(content)).encode())]

    async def receive(self) -> Message:
        if self._waiting:
            return self._waiting.pop()
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)


@pytest.mark.parametrize("stream", [False, True])
async def test_leaving_aborts_the_generation(shop: object, app: FastAPI, models: FakeModels, *, stream: bool) -> None:
    models.writer.texts = ("The fake shop delivers within three days. " * 50,)
    models.writer.delay_s = 0.01
    connection = Connection("/v1/answer", {"question": "where does the fake shop deliver, and how fast?", "stream": stream})

    async def something_said() -> None:
        while models.writer.said < 10 or (stream and len(connection.sent) < 2):  # noqa: ASYNC110 - the fake counts, it does not signal
            await asyncio.sleep(0.005)
        connection.left.set()

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(something_said())
        group.create_task(app(connection.scope, connection.receive, connection.send))
    assert models.writer.aborted == 1
    said = models.writer.said
    await asyncio.sleep(0.05)
    assert models.writer.said == said
    assert connection.sent[0]["status"] == (200 if stream else 499)


async def test_work_that_ends_is_returned_and_its_error_is_raised_as_it_is() -> None:
    async def never() -> Message:
        return await asyncio.Future[Message]()

    async def fails() -> int:
        raise KeyError("x")

    assert await until_disconnect(never, asyncio.sleep(0, 7)) == 7
    with pytest.raises(KeyError):
        await until_disconnect(never, fails())


async def test_work_beyond_its_budget_is_cancelled() -> None:
    with pytest.raises(DeadlineExceeded):
        await within(0.01, asyncio.sleep(60))
    assert await within(10, asyncio.sleep(0, 7)) == 7


async def test_a_timeout_inside_the_work_is_not_the_deadline() -> None:
    async def fails() -> None:
        raise TimeoutError("the database")

    with pytest.raises(TimeoutError, match="the database"):
        await within(10, fails())


async def test_leaving_at_the_first_byte_of_a_stream_closes_what_it_stands_on() -> None:
    closed: list[str] = []

    async def source() -> AsyncGenerator[str, None]:
        try:
            yield "a"
            yield "b"
        finally:
            closed.append("source")

    steps = source()
    first = await anext(steps)

    async def events() -> AsyncGenerator[bytes, None]:
        yield first.encode()
        async for step in steps:
            yield step.encode()

    async def never() -> Message:
        return await asyncio.Future[Message]()

    async def send(message: Message) -> None:
        raise OSError("the connection is gone")

    with pytest.raises(OSError, match="gone"):
        await EventStream(events(), source=steps)({"type": "http"}, never, send)
    assert closed == ["source"]


async def test_leaving_waits_until_the_work_has_cleaned_up() -> None:
    cleaned = False

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def work() -> None:
        nonlocal cleaned
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            cleaned = True

    with pytest.raises(CallerLeft):
        await until_disconnect(gone, work())
    assert cleaned


async def test_a_cancelled_handler_cancels_the_work() -> None:
    async def never() -> Message:
        return await asyncio.Future[Message]()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await until_disconnect(never, asyncio.sleep(60))
