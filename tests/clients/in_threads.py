"""The waiting client with the face of the other one, so that one suite tests both."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from functools import partial
from typing import Any, cast

from livecart_client import AsyncClient, Client, Session, Tokens


def in_threads(client: Client) -> AsyncClient:
    return cast("AsyncClient", _InThreads(client))


class _InThreads:
    def __init__(self, target: object) -> None:
        self._target = target

    def __getattr__(self, name: str) -> object:
        value: Any = getattr(self._target, name)
        if not callable(value):
            return _InThreads(value)
        if name.startswith("stream_"):
            return partial(_streamed, value)
        if name == "session":
            return partial(_in_session, value)
        return partial(_listed, value) if name == "each" else partial(asyncio.to_thread, value)


@asynccontextmanager
async def _streamed(start: Callable[..., AbstractContextManager[Tokens[Any]]], *args: Any, **options: Any) -> AsyncIterator[object]:  # noqa: ANN401
    entered = start(*args, **options)
    tokens = await asyncio.to_thread(entered.__enter__)
    try:
        yield _TokensInThreads(tokens)
    finally:
        await asyncio.to_thread(entered.__exit__, None, None, None)


class _TokensInThreads:
    def __init__(self, tokens: Tokens[Any]) -> None:
        self._tokens = tokens

    async def __aiter__(self) -> AsyncIterator[str]:
        pieces = iter(self._tokens)
        while (token := await asyncio.to_thread(next, pieces, None)) is not None:
            yield token

    async def reply(self) -> object:
        return await asyncio.to_thread(self._tokens.reply)


async def _listed(each: Callable[..., Iterator[Any]], **options: Any) -> AsyncIterator[Any]:  # noqa: ANN401
    for value in await asyncio.to_thread(lambda: list(each(**options))):
        yield value


@asynccontextmanager
async def _in_session(start: Callable[..., AbstractContextManager[Session]], room_id: str) -> AsyncIterator["_InThreads"]:
    entered = start(room_id)
    session = await asyncio.to_thread(entered.__enter__)
    try:
        yield _InThreads(session)
    finally:
        await asyncio.to_thread(entered.__exit__, None, None, None)
