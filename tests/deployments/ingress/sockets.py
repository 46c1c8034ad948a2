"""A WebSocket caller of an ASGI app in the same event loop, so that a test sees every task that is left behind."""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from fastapi import FastAPI
from starlette.types import Message

PATIENCE_S = 20.0


class Closed(Exception):  # noqa: N818  # what happened, not a fault
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Socket:
    """`async with Socket(app, path) as socket`: connected at the beginning, gone at the end."""

    def __init__(self, app: FastAPI, path: str, headers: Mapping[str, str] | None = None) -> None:
        self._app = app
        named = {"host": "localhost"} | {name.lower(): value for name, value in (headers or {}).items()}
        self._scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "subprotocols": [],
        }
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._gone = False
        self._reads = asyncio.Event()
        self._reads.set()
        self.accepted: Message = {}

    async def __aenter__(self) -> Self:
        self._to_app.put_nowait({"type": "websocket.connect"})
        self.served = asyncio.create_task(self._serve())
        self.accepted = await self._next()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.leave()

    async def leave(self, code: int = 1001) -> None:
        """Hang up with a close frame and wait until the app has ended."""
        await self._hang_up({"type": "websocket.disconnect", "code": code, "reason": ""})

    async def lose(self) -> None:
        """Break off without a close frame, as uvicorn reports it, and wait until the app has ended."""
        await self._hang_up({"type": "websocket.disconnect", "code": 1005})

    async def _hang_up(self, message: Message) -> None:
        if not self._gone:
            self._gone = True
            self._to_app.put_nowait(message)
        await self.end_of_app()

    async def cut(self) -> None:
        """As a server does whose caller is gone: cancel the app."""
        self._gone = True
        self.served.cancel()
        await self.end_of_app()

    async def end_of_app(self) -> None:
        """Raises what the app raised, and TimeoutError when it does not end."""
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(self.served, PATIENCE_S)

    def stops_reading(self) -> None:
        self._reads.clear()

    def reads_again(self) -> None:
        self._reads.set()

    def text(self, text: str) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    def picture(self, picture: bytes) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "bytes": picture})

    def say(self, kind: str, **fields: object) -> None:
        self.text(json.dumps({"type": kind, **fields}))

    async def hear(self) -> dict[str, Any]:
        """The next message. Raises Closed."""
        message = await self._next()
        if message["type"] == "websocket.close":
            raise Closed(message["code"], message.get("reason") or "")
        found: dict[str, Any] = json.loads(message["text"])
        return found

    async def hear_until(self, kind: str) -> list[dict[str, Any]]:
        """All messages up to the first of this type."""
        heard = [await self.hear()]
        while heard[-1]["type"] != kind:
            heard.append(await self.hear())
        return heard

    async def code(self) -> int:
        """The close code, whatever comes before it."""
        while True:
            try:
                await self.hear()
            except Closed as closed:
                return closed.code

    async def _next(self) -> Message:
        async with asyncio.timeout(PATIENCE_S):
            return await self._from_app.get()

    async def _serve(self) -> None:
        await self._app(self._scope, self._to_app.get, self._send)

    async def _send(self, message: Message) -> None:
        await self._reads.wait()
        if self._gone:
            raise OSError("the caller is gone")
        if message["type"] == "websocket.close":
            self._gone = True
        self._from_app.put_nowait(message)
