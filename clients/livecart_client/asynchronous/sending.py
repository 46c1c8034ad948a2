"""Sending calls, again where that is safe, and reading streams."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import httpx

from livecart_client.core.attempts import Attempts
from livecart_client.core.calls import Call
from livecart_client.core.replies import error_of
from livecart_client.core.settings import Settings
from livecart_client.core.streams import StreamReader
from livecart_client.errors import LivecartError

R = TypeVar("R")


class AsyncTokens(Generic[R]):
    """The pieces of a streamed text, once; `reply()` reads what is left of them and tells the whole."""

    def __init__(self, response: httpx.Response, attempts: Attempts[R]) -> None:
        self._response = response
        self._attempts = attempts
        self._reader = StreamReader(attempts.call.parse, attempts.request_id)
        self._pieces = self._read()

    def __aiter__(self) -> AsyncIterator[str]:
        return self._pieces

    async def reply(self) -> R:
        async for _ in self._pieces:
            pass
        return self._reader.finish()

    async def close(self) -> None:
        await self._pieces.aclose()
        await self._response.aclose()

    async def _read(self) -> AsyncGenerator[str, None]:
        try:
            async for piece in self._response.aiter_bytes():
                for token in self._reader.feed(piece):
                    yield token
        except httpx.RequestError as error:
            raise self._attempts.failed(error) from error
        self._reader.finish()


class Sender:
    """Sends calls, again where that is safe."""

    def __init__(self, http: httpx.AsyncClient, settings: Settings) -> None:
        self._http = http
        self._settings = settings

    async def send(self, call: Call[R]) -> R:
        """Raises LivecartError."""
        attempts = Attempts(self._settings.with_deadline(call), self._settings.policy)
        while True:
            try:
                response = await self._http.send(attempts.request(self._http, self._settings.timeout_s))
            except httpx.RequestError as error:
                await asyncio.sleep(attempts.wait_after_failure(error))
                continue
            reply = attempts.reply(response)
            waiting_s = attempts.wait_after(reply)
            if waiting_s is None:
                return attempts.result(reply)
            await asyncio.sleep(waiting_s)

    @asynccontextmanager
    async def stream(self, call: Call[R]) -> AsyncIterator[AsyncTokens[R]]:
        """Raises LivecartError, on entering and while tokens are read. Leaving early stops the generation."""
        attempts = Attempts(self._settings.with_deadline(call), self._settings.policy)
        response = await self._open(attempts)
        tokens = AsyncTokens(response, attempts)
        try:
            if response.status_code != 200:
                raise await _refusal(response, attempts)
            yield tokens
        finally:
            await tokens.close()

    async def _open(self, attempts: Attempts[R]) -> httpx.Response:
        while True:
            try:
                return await self._http.send(attempts.request(self._http, self._settings.timeout_s), stream=True)
            except httpx.RequestError as error:
                await asyncio.sleep(attempts.wait_after_failure(error))


async def _refusal(response: httpx.Response, attempts: Attempts[R]) -> LivecartError:
    try:
        await response.aread()
    except httpx.RequestError as error:
        return attempts.failed(error)
    return error_of(attempts.reply(response))
