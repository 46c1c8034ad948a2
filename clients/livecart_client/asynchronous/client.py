"""The client that does not block."""

from asyncio import to_thread
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Literal, Self, Unpack

import httpx

from livecart_client import wire
from livecart_client.asynchronous.sending import AsyncTokens, Sender
from livecart_client.asynchronous.session import AsyncSession, opened
from livecart_client.asynchronous.state import Experiments, Graphs, Knowledge, Products, Questions, Rooms, Viewers
from livecart_client.core import graphs, state
from livecart_client.core.calls import Status
from livecart_client.core.options import (
    AnswerOptions,
    CallOptions,
    LanguageOptions,
    MomentOptions,
    RecognizeOptions,
    RecommendOptions,
    RoomsOptions,
    ScriptOptions,
)
from livecart_client.core.retries import RetryPolicy
from livecart_client.core.session import session_url
from livecart_client.core.settings import DEFAULT_URL, POLICY, Settings, headers, limits
from livecart_client.pictures import Picture, encoded


class AsyncClient:
    """A pool of connections to one server; for one event loop. Every call raises LivecartError, of the kind its code says."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        deadline_s: float | None = None,
        timeout_s: float = 30.0,
        retry: RetryPolicy = POLICY,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`api_key` comes from LIVECART_API_KEY where none is given; `timeout_s` is for calls without a deadline."""
        self._headers = headers(api_key)
        self._http = httpx.AsyncClient(base_url=url, headers=self._headers, limits=limits(), transport=transport)
        sender = Sender(self._http, Settings(deadline_s, timeout_s, retry))
        self._sender = sender
        self.products = Products(sender, state.PRODUCTS)
        self.knowledge = Knowledge(sender, state.DOCUMENTS)
        self.rooms = Rooms(sender, state.ROOMS)
        self.viewers = Viewers(sender)
        self.questions = Questions(sender)
        self.experiments = Experiments(sender)
        self.graphs = Graphs(sender)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    @property
    def is_closed(self) -> bool:
        return self._http.is_closed

    async def close(self) -> None:
        await self._http.aclose()

    async def recognize(self, frame: Picture, **options: Unpack[RecognizeOptions]) -> wire.RecognizeReply:
        """Which products are on screen."""
        return await self._sender.send(graphs.recognize(await to_thread(encoded, frame), options))

    async def moment(self, frame: Picture, viewer_id: str, **options: Unpack[MomentOptions]) -> wire.MomentReply:
        """Recognition, an answer to `comment` and recommendations in one call."""
        return await self._sender.send(graphs.moment(await to_thread(encoded, frame), viewer_id, options))

    async def answer(self, question: str, **options: Unpack[AnswerOptions]) -> wire.AnswerReply:
        return await self._sender.send(graphs.answer(question, options))

    @asynccontextmanager
    async def stream_answer(self, question: str, **options: Unpack[AnswerOptions]) -> AsyncIterator[AsyncTokens[wire.AnswerReply]]:
        async with self._sender.stream(graphs.answer(question, options, stream=True)) as tokens:
            yield tokens

    async def script(self, product_ids: Sequence[str], **options: Unpack[ScriptOptions]) -> wire.ScriptReply:
        """What the host says."""
        return await self._sender.send(graphs.script(product_ids, options))

    @asynccontextmanager
    async def stream_script(
        self, product_ids: Sequence[str], **options: Unpack[ScriptOptions]
    ) -> AsyncIterator[AsyncTokens[wire.ScriptReply]]:
        """A token is a segment, those after the first with a line break before them."""
        async with self._sender.stream(graphs.script(product_ids, options, stream=True)) as tokens:
            yield tokens

    async def copy(
        self, product_id: str, channel: Literal["title", "description", "ad"], **options: Unpack[LanguageOptions]
    ) -> wire.CopyReply:
        """Text for the catalogue."""
        return await self._sender.send(graphs.copy(product_id, channel, options))

    async def analyze(self, text: str, **options: Unpack[LanguageOptions]) -> wire.AnalyzeReply:
        """What a script mentions and claims, and whether that holds."""
        return await self._sender.send(graphs.analyze(text, options))

    async def recommend_products(self, viewer_id: str, **options: Unpack[RecommendOptions]) -> wire.RecommendReply:
        return await self._sender.send(graphs.recommend_products(viewer_id, options))

    async def recommend_rooms(self, viewer_id: str, **options: Unpack[RoomsOptions]) -> wire.RoomsReply:
        return await self._sender.send(graphs.recommend_rooms(viewer_id, options))

    @asynccontextmanager
    async def session(self, room_id: str) -> AsyncIterator[AsyncSession]:
        """A room in motion: frames and comments in, products, replies and recommendations out. Needs `livecart-client[session]`."""
        async with opened(session_url(str(self._http.base_url), room_id), self._headers) as session:
            yield session

    async def send_events(self, events: Iterable[wire.Event], **options: Unpack[CallOptions]) -> wire.Accepted:
        """Up to 1,000, all or none; each counts once, however often it is sent. Raises InvalidEvent with the rows at fault in `details`."""
        return await self._sender.send(state.send_events(events, options))

    async def healthz(self, **options: Unpack[CallOptions]) -> Status:
        return await self._sender.send(graphs.healthz(options))

    async def readyz(self, **options: Unpack[CallOptions]) -> Status:
        """Raises Unavailable with the deployments that cannot answer in `details`."""
        return await self._sender.send(graphs.readyz(options))
