"""The client that waits."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Literal, Self, Unpack

import httpx

from livecart_client import wire
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
from livecart_client.sync.sending import Sender, Tokens
from livecart_client.sync.session import Session, opened
from livecart_client.sync.state import Experiments, Graphs, Knowledge, Products, Questions, Rooms, Viewers


class Client:
    """A pool of connections to one server; may be shared by threads. Every call raises LivecartError, of the kind its code says."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        deadline_s: float | None = None,
        timeout_s: float = 30.0,
        retry: RetryPolicy = POLICY,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`api_key` comes from LIVECART_API_KEY where none is given; `timeout_s` is for calls without a deadline."""
        self._headers = headers(api_key)
        self._http = httpx.Client(base_url=url, headers=self._headers, limits=limits(), transport=transport)
        sender = Sender(self._http, Settings(deadline_s, timeout_s, retry))
        self._sender = sender
        self.products = Products(sender, state.PRODUCTS)
        self.knowledge = Knowledge(sender, state.DOCUMENTS)
        self.rooms = Rooms(sender, state.ROOMS)
        self.viewers = Viewers(sender)
        self.questions = Questions(sender)
        self.experiments = Experiments(sender)
        self.graphs = Graphs(sender)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def is_closed(self) -> bool:
        return self._http.is_closed

    def close(self) -> None:
        self._http.close()

    def recognize(self, frame: Picture, **options: Unpack[RecognizeOptions]) -> wire.RecognizeReply:
        """Which products are on screen."""
        return self._sender.send(graphs.recognize(encoded(frame), options))

    def moment(self, frame: Picture, viewer_id: str, **options: Unpack[MomentOptions]) -> wire.MomentReply:
        """Recognition, an answer to `comment` and recommendations in one call."""
        return self._sender.send(graphs.moment(encoded(frame), viewer_id, options))

    def answer(self, question: str, **options: Unpack[AnswerOptions]) -> wire.AnswerReply:
        return self._sender.send(graphs.answer(question, options))

    @contextmanager
    def stream_answer(self, question: str, **options: Unpack[AnswerOptions]) -> Iterator[Tokens[wire.AnswerReply]]:
        with self._sender.stream(graphs.answer(question, options, stream=True)) as tokens:
            yield tokens

    def script(self, product_ids: Sequence[str], **options: Unpack[ScriptOptions]) -> wire.ScriptReply:
        """What the host says."""
        return self._sender.send(graphs.script(product_ids, options))

    @contextmanager
    def stream_script(self, product_ids: Sequence[str], **options: Unpack[ScriptOptions]) -> Iterator[Tokens[wire.ScriptReply]]:
        """A token is a segment, those after the first with a line break before them."""
        with self._sender.stream(graphs.script(product_ids, options, stream=True)) as tokens:
            yield tokens

    def copy(self, product_id: str, channel: Literal["title", "description", "ad"], **options: Unpack[LanguageOptions]) -> wire.CopyReply:
        """Text for the catalogue."""
        return self._sender.send(graphs.copy(product_id, channel, options))

    def analyze(self, text: str, **options: Unpack[LanguageOptions]) -> wire.AnalyzeReply:
        """What a script mentions and claims, and whether that holds."""
        return self._sender.send(graphs.analyze(text, options))

    def recommend_products(self, viewer_id: str, **options: Unpack[RecommendOptions]) -> wire.RecommendReply:
        return self._sender.send(graphs.recommend_products(viewer_id, options))

    def recommend_rooms(self, viewer_id: str, **options: Unpack[RoomsOptions]) -> wire.RoomsReply:
        return self._sender.send(graphs.recommend_rooms(viewer_id, options))

    @contextmanager
    def session(self, room_id: str) -> Iterator[Session]:
        """A room in motion: frames and comments in, products, replies and recommendations out. Needs `livecart-client[session]`."""
        with opened(session_url(str(self._http.base_url), room_id), self._headers) as session:
            yield session

    def send_events(self, events: Iterable[wire.Event], **options: Unpack[CallOptions]) -> wire.Accepted:
        """Up to 1,000, all or none; each counts once, however often it is sent. Raises InvalidEvent with the rows at fault in `details`."""
        return self._sender.send(state.send_events(events, options))

    def healthz(self, **options: Unpack[CallOptions]) -> Status:
        return self._sender.send(graphs.healthz(options))

    def readyz(self, **options: Unpack[CallOptions]) -> Status:
        """Raises Unavailable with the deployments that cannot answer in `details`."""
        return self._sender.send(graphs.readyz(options))
