"""A room session by both clients, over a port."""

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from livecart_client import AsyncClient, Client, errors, wire
from livecart_client.asynchronous.session import AsyncSession
from livecart_client.core import session as core
from tests.clients.in_threads import in_threads
from tests.hostile_requests import JPEG

PATIENCE_S = 30.0


@pytest.fixture(params=["async", "sync"])
async def client(request: pytest.FixtureRequest, url: str) -> AsyncIterator[AsyncClient]:
    """Sessions need a connection: there is no in-process way."""
    if request.param == "sync":
        with Client(url) as waiting:
            yield in_threads(waiting)
    else:
        async with AsyncClient(url) as calling:
            yield calling


async def hear(session: AsyncSession, kind: type[wire.Reply]) -> list[wire.Reply]:
    """All messages up to the first of this kind."""
    heard: list[wire.Reply] = []
    while not (heard and isinstance(heard[-1], kind)):
        message = await session.receive(PATIENCE_S)
        assert message is not None, heard
        heard.append(message)
    return heard


async def test_a_comment_is_answered_word_by_word(client: AsyncClient) -> None:
    async with client.session("R-1") as session:
        asked = await session.comment("How long does delivery take?", "V-1")
        *tokens, reply = await hear(session, wire.SessionReply)
        assert isinstance(reply, wire.SessionReply)
        assert reply.comment_id == asked
        said = [token.text for token in tokens if isinstance(token, wire.SessionReplyToken) and token.comment_id == asked]
        assert "".join(said) == reply.answer


async def test_what_is_shown_is_told(client: AsyncClient) -> None:
    async with client.session("R-1") as session:
        products: wire.SessionEvent | None = None
        for _ in range(round(PATIENCE_S / 0.2)):  # it takes two frames that agree, and of those that wait only the newest is seen
            await session.frame(JPEG)
            products = await session.receive(0.2)
            if isinstance(products, wire.SessionProducts) and products.products:
                break
        assert isinstance(products, wire.SessionProducts)
        assert [seen.matches[0].product_id for seen in products.products] == ["P-1"]


async def test_a_frame_that_is_none_is_an_error_and_the_session_goes_on(client: AsyncClient) -> None:
    async with client.session("R-1") as session:
        await session.frame(b"no picture")
        error = (await hear(session, wire.SessionError))[-1]
        assert isinstance(error, wire.SessionError)
        assert error.error.code == "unsupported_media"
        await session.ping()
        await hear(session, wire.SessionPong)
        while await session.receive(0.2) is not None:
            pass


async def test_an_unknown_room_is_said_and_raised(client: AsyncClient) -> None:
    async with client.session("R-none") as session:
        error = await session.receive(PATIENCE_S)
        assert isinstance(error, wire.SessionError)
        assert error.error.code == "not_found"
        with pytest.raises(errors.NotFound):
            await session.receive(PATIENCE_S)


async def test_what_the_server_would_refuse_is_not_sent(client: AsyncClient) -> None:
    with pytest.raises(errors.InvalidRequest):
        async with client.session("a/b"):
            pass
    async with client.session("R-1") as session:
        with pytest.raises(errors.InvalidRequest):
            await session.comment("  ", "V-1")


async def test_nobody_there(unused_tcp_port: int) -> None:
    for client in (AsyncClient(f"http://127.0.0.1:{unused_tcp_port}"), in_threads(Client(f"http://127.0.0.1:{unused_tcp_port}"))):
        with pytest.raises(errors.Unreachable):
            async with client.session("R-1"):
                pass


def test_every_message_of_the_wire_is_understood_and_others_are_passed_over() -> None:
    assert isinstance(core.heard('{"type": "pong", "dropped": 2, "more": 1}'), wire.SessionPong)
    assert core.heard('{"type": "fireworks"}') is None
    for odd in ("[]", "{", '{"type": "pong"}', "{}"):
        with pytest.raises(errors.UnexpectedReply):
            core.heard(odd)


@pytest.mark.parametrize(
    ("code", "kind"), [(4404, errors.NotFound), (4401, errors.Unauthenticated), (1013, errors.Overloaded), (1012, errors.Unavailable)]
)
def test_a_close_code_is_its_error(code: int, kind: type[errors.LivecartError]) -> None:
    assert type(core.ended(code, "so")) is kind
    assert type(core.ended(None, "")) is errors.Unreachable


def test_without_websockets_it_says_what_is_missing() -> None:
    code = (
        "import sys; sys.modules['websockets'] = None; sys.path.insert(0, 'clients')\n"
        "from livecart_client import Client, errors\n"
        "try:\n    Client().session('R-1').__enter__()\nexcept errors.InvalidRequest as error:\n    print(error)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True, timeout=60)
    assert "livecart-client[session]" in done.stdout
