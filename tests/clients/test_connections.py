"""Real connections: tokens as they come, streams that break off, callers who leave, and nobody there."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from deployments.ingress.api import create_app
from deployments.ingress.auth import Auth, new_key, parse_key
from deployments.ingress.fakes import fake_gateway
from deployments.ingress.sse import token_event
from deployments.store import Store
from livecart_client import AsyncClient, Client, RetryPolicy, errors, wire
from tests.clients.in_threads import in_threads

PATIENCE_S = 30.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
ONCE = RetryPolicy(retries=0)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def read_request(connection: socket.socket) -> None:
    """To the end of its JSON, or of its head where it has no body."""
    came = b""
    while not came.endswith(b"}" if came.startswith(b"POST") else b"\r\n\r\n"):
        came += connection.recv(65_536)


@contextmanager
def serving(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """The URL of a server that answers one connection as `behave` does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(PATIENCE_S)
                read_request(connection)
                behave(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def asynchronous(url: str) -> AsyncClient:
    return AsyncClient(url, retry=ONCE)


def waiting(url: str) -> AsyncClient:
    return in_threads(Client(url, retry=ONCE))


@pytest.fixture(params=[asynchronous, waiting])
def make(request: pytest.FixtureRequest) -> Callable[[str], AsyncClient]:
    found: Callable[[str], AsyncClient] = request.param
    return found


async def test_a_token_is_there_before_the_next_is_written(make: Callable[[str], AsyncClient]) -> None:
    heard = threading.Event()

    def behave(connection: socket.socket) -> None:
        connection.sendall(HEAD + chunk(token_event("one")))
        assert heard.wait(PATIENCE_S)
        connection.sendall(chunk(token_event("two")) + chunk(b""))

    with serving(behave) as url, pytest.raises(errors.Unreachable, match="broke off"):
        async with make(url).stream_answer("a") as tokens:
            got: list[str] = []
            async for token in tokens:
                got.append(token)
                heard.set()
    assert got == ["one", "two"]


async def test_who_leaves_early_hangs_up(make: Callable[[str], AsyncClient]) -> None:
    rest: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        connection.sendall(HEAD + chunk(token_event("one")))
        rest.append(connection.recv(1))

    with serving(behave) as url:
        async with make(url).stream_answer("a") as tokens:
            async for _ in tokens:
                break
    assert rest == [b""]


async def test_a_connection_that_ends_in_the_middle_is_an_error(make: Callable[[str], AsyncClient]) -> None:
    with serving(lambda connection: connection.sendall(HEAD + b"ff\r\nevent:")) as url, pytest.raises(errors.Unreachable) as found:
        async with make(url).stream_answer("a", request_id="req-1") as tokens:
            await tokens.reply()
    assert found.value.request_id == "req-1"


async def test_a_server_that_hangs_up_is_an_error(make: Callable[[str], AsyncClient]) -> None:
    with serving(lambda connection: None) as url, pytest.raises(errors.Unreachable):
        await make(url).answer("a")


async def test_a_server_that_is_silent_is_left_at_the_deadline(make: Callable[[str], AsyncClient]) -> None:
    with serving(lambda connection: ignore(connection.recv(65_536))) as url, pytest.raises(errors.DeadlineExceeded):
        await make(url).rooms.get("R-1", deadline_s=0.05)


def ignore(_: object) -> None:
    """What came does not matter."""


async def test_nobody_there_is_an_error(make: Callable[[str], AsyncClient]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(errors.Unreachable):
        await make(url).healthz()


async def test_keys_open_what_their_role_may_do(store: Store) -> None:
    key = new_key("caller", "shop-1")
    transport = httpx.ASGITransport(create_app(fake_gateway(store), auth=Auth([parse_key(key.line)])))
    room = wire.Room(room_id="R-1", title="a", host="b")
    async with AsyncClient(api_key=key.secret, transport=transport) as caller, AsyncClient(api_key="", transport=transport) as stranger:
        assert (await caller.rooms.page()).items == []
        with pytest.raises(errors.Forbidden):
            await caller.rooms.put(room)
        with pytest.raises(errors.Unauthenticated):
            await stranger.rooms.page()
