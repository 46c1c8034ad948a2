"""A room whose connection broke off: what is shown is told again, comments keep their place, replies are given again."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import connect

from deployments.ingress.fakes import FakeModels
from tests.deployments.ingress.camera import P1, SESSION, Camera, Clock, comment, limit, until
from tests.deployments.ingress.conftest import Client
from tests.deployments.ingress.sockets import Socket

ASKED = "Is it delivered to the village?"  # the writer is asked


async def quiet(socket: Socket) -> bool:
    """Whether nothing was on its way."""
    socket.say("ping")
    return bool((await socket.hear())["type"] == "pong")


def shown(message: dict[str, object]) -> list[str]:
    assert message["type"] == "products"
    return [seen["matches"][0]["product_id"] for seen in message["products"] if seen["matches"]]  # type: ignore[attr-defined]


async def shows(app: FastAPI, clock: Clock, models: FakeModels, socket: Socket) -> Camera:
    camera = Camera(app, clock, models, socket)
    await camera.show(P1, P1)
    assert shown(await socket.hear()) == [P1]
    return camera


# --- what is shown -----------------------------------------------------------------------------------------------------------


async def test_who_comes_back_hears_at_once_what_is_shown(app: FastAPI, shop: Client, clock: Clock, models: FakeModels) -> None:
    async with Socket(app, SESSION) as socket:
        await shows(app, clock, models, socket)
        await socket.lose()
    async with Socket(app, SESSION) as socket:
        assert shown(await socket.hear()) == [P1]


async def test_who_joins_another_session_of_the_room_hears_it_too(app: FastAPI, shop: Client, clock: Clock, models: FakeModels) -> None:
    async with Socket(app, SESSION) as one:
        await shows(app, clock, models, one)
        async with Socket(app, SESSION) as other:
            assert shown(await other.hear()) == [P1]


async def test_what_was_seen_long_ago_is_not_told(app: FastAPI, shop: Client, clock: Clock, models: FakeModels) -> None:
    async with Socket(app, SESSION) as socket:
        await shows(app, clock, models, socket)
        await socket.lose()
    clock.now_s += 11
    async with Socket(app, SESSION) as socket:
        assert await quiet(socket)


async def test_what_is_not_shown_any_more_is_taken_back(app: FastAPI, shop: Client, clock: Clock, models: FakeModels) -> None:
    async with Socket(app, SESSION) as socket:
        camera = await shows(app, clock, models, socket)
        await socket.lose()
    async with Socket(app, SESSION) as socket:
        assert shown(await socket.hear()) == [P1]
        camera.socket = socket
        await camera.show(None, None)
        assert shown(await socket.hear()) == []


async def test_what_is_shown_on_is_told_once_more_and_then_not_again(app: FastAPI, shop: Client, clock: Clock, models: FakeModels) -> None:
    async with Socket(app, SESSION) as socket:
        camera = await shows(app, clock, models, socket)
        await socket.lose()
    async with Socket(app, SESSION) as socket:
        camera.socket = socket
        await camera.show(*[P1] * 4)
        assert [shown(await socket.hear()) for _ in range(2)] == [[P1], [P1]], "as it was, and as the new session sees it"
        assert await quiet(socket)


# --- comments ----------------------------------------------------------------------------------------------------------------


async def broken_off(app: FastAPI, models: FakeModels, *, code: int | None = None) -> None:
    """A session that ends, by a close frame or without, while one comment is being answered and another one waits."""
    models.writer.delay_s = 30
    async with Socket(app, SESSION) as socket:
        socket.say("comment", **comment(1, text=ASKED))
        socket.say("comment", **comment(2, text="Is it delivered to the town?"))
        await until(lambda: len(models.writer.prompts) == 1)
        await (socket.lose() if code is None else socket.leave(code))
    models.writer.delay_s = 0


async def test_comments_without_an_answer_are_answered_to_who_comes_back(app: FastAPI, shop: Client, models: FakeModels) -> None:
    limit(app, recommended_viewers=0)
    await broken_off(app, models)
    async with Socket(app, SESSION) as socket:
        assert [(await socket.hear_until("reply"))[-1]["comment_id"] for _ in range(2)] == ["C-1", "C-2"]
    async with Socket(app, SESSION) as socket:
        assert await quiet(socket), "each is answered once"


@pytest.mark.parametrize("code", [1000, 1001, 1005])
async def test_who_says_goodbye_wants_no_answer(app: FastAPI, shop: Client, models: FakeModels, code: int) -> None:
    await broken_off(app, models, code=code)
    async with Socket(app, SESSION) as socket:
        assert await quiet(socket)


async def test_comments_that_waited_too_long_are_not_answered(app: FastAPI, shop: Client, clock: Clock, models: FakeModels) -> None:
    await broken_off(app, models)
    clock.now_s += 61
    async with Socket(app, SESSION) as socket:
        assert await quiet(socket)


async def test_a_comment_sent_again_gets_the_reply_that_it_had(app: FastAPI, shop: Client, models: FakeModels) -> None:
    limit(app, recommended_viewers=0)
    async with Socket(app, SESSION) as socket:
        socket.say("comment", **comment(1, text=ASKED))
        [*_, reply] = await socket.hear_until("reply")
        await socket.lose()
    async with Socket(app, SESSION) as socket:
        socket.say("comment", **comment(1, text=ASKED))
        assert await socket.hear() == reply
        assert await quiet(socket)
    assert len(models.writer.prompts) == 1


async def test_a_comment_sent_again_that_waits_already_is_answered_once(app: FastAPI, shop: Client, models: FakeModels) -> None:
    limit(app, recommended_viewers=0)
    await broken_off(app, models)
    async with Socket(app, SESSION) as socket:
        socket.say("comment", **comment(1, text=ASKED))
        replies = [(await socket.hear_until("reply"))[-1]["comment_id"] for _ in range(2)]
        assert replies == ["C-1", "C-2"]
        assert await quiet(socket)


# --- over a real connection --------------------------------------------------------------------------------------------------


@pytest.fixture
async def port(app: FastAPI, shop: Client) -> AsyncIterator[int]:
    """The app behind the server that Ray runs."""
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listener]))
            yield listener.getsockname()[1]
            server.should_exit = True


@pytest.mark.parametrize(("frame", "resumed"), [(None, True), (b"\x88\x80\0\0\0\0", False)], ids=["lost", "a close frame without a code"])
async def test_only_a_connection_that_is_lost_keeps_its_comments(
    app: FastAPI, models: FakeModels, port: int, frame: bytes | None, *, resumed: bool
) -> None:
    models.writer.delay_s = 30
    async with connect(f"ws://127.0.0.1:{port}{SESSION}") as calling:
        for number in (1, 2):
            await calling.send(json.dumps({"type": "comment", **comment(number, text=f"{ASKED} {number}")}))
        await until(lambda: len(models.writer.prompts) == 1)
        if frame:
            calling.transport.write(frame)
        else:
            calling.transport.abort()
        await until(lambda: len(app.state.sessions) == 0)
    models.writer.delay_s = 0
    async with Socket(app, SESSION) as coming_back:
        if resumed:
            assert [(await coming_back.hear_until("reply"))[-1]["comment_id"] for _ in range(2)] == ["C-1", "C-2"]
        else:
            assert await quiet(coming_back)
