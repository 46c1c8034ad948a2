"""The room session over its WebSocket: what is shown, more frames than can be looked at, comments."""

import asyncio
import base64
import json

import pytest
from fastapi import FastAPI

from deployments.ingress.fakes import FakeModels
from deployments.ingress.session import eye
from deployments.store import Store
from livecart_client import wire
from models.types import Event, ViewerId
from tests.deployments.ingress.camera import FRAME, P1, P2, SESSION, Camera, Clock, comment, gated, limit, until
from tests.deployments.ingress.conftest import Client
from tests.deployments.ingress.sockets import PATIENCE_S, Socket

# --- what is shown -------------------------------------------------------------------------------------------------------


async def test_a_product_is_reported_once_two_frames_agree(app: FastAPI, shop: Client, clock: Clock, models: FakeModels) -> None:
    async with Socket(app, SESSION) as socket:
        await Camera(app, clock, models, socket).show(P1, P1, P1, P1)
        message = await socket.hear()
        reported = wire.SessionProducts.model_validate(message)
        assert message["type"] == "products"
        assert reported.frame == wire.FrameSize(width=640, height=480)
        [seen] = reported.products
        assert (seen.track_id, seen.box, seen.matches[0].product_id, seen.matches[0].title) == (1, (0.0, 0.0, 320.0, 240.0), P1, "Thermos")
        socket.say("ping")
        assert await socket.hear() == {"type": "pong", "dropped": 0}, "the same product is not reported again"


async def test_frames_come_as_base64_too(app: FastAPI, shop: Client, clock: Clock, models: FakeModels) -> None:
    async with Socket(app, SESSION) as socket:
        await Camera(app, clock, models, socket).show(P1)
        socket.say("frame", base64=base64.b64encode(FRAME).decode())
        assert (await socket.hear())["products"][0]["matches"][0]["product_id"] == P1


async def test_an_accepted_session_tells_its_request_id(app: FastAPI, shop: Client) -> None:
    async with Socket(app, SESSION, {"X-Request-Id": "show-7"}) as socket:
        assert socket.accepted["headers"] == [(b"x-request-id", b"show-7")]


async def test_the_products_change_in_the_order_in_which_they_are_shown(
    app: FastAPI, shop: Client, clock: Clock, models: FakeModels, store: Store
) -> None:
    async with Socket(app, SESSION) as socket:
        await Camera(app, clock, models, socket).show(*[P1] * 8, *[None] * 12, *[P2] * 10, *[None] * 12)
        reports = [await socket.hear() for _ in range(4)]
        shown = [[seen["matches"][0]["product_id"] for seen in report["products"] if seen["matches"]] for report in reports]
        assert shown == [[P1], [], [P2], []]
    displays = [event for event in await host_events(store) if event.value is not None]
    assert [(event.product_id, json.loads(event.text or "")["order"]) for event in displays] == [(P1, 1), (P2, 2)]
    assert [event.value for event in displays] == [pytest.approx(4.0, abs=1.0), pytest.approx(5.0, abs=1.0)]


async def host_events(store: Store) -> tuple[Event, ...]:
    record = await store.viewer(ViewerId("host-R-1"))
    return record.events if record else ()


async def test_a_display_that_begins_is_an_event_at_once(
    app: FastAPI, shop: Client, clock: Clock, models: FakeModels, store: Store
) -> None:
    async with Socket(app, SESSION) as socket:
        await Camera(app, clock, models, socket).show(P1, P1)
        await socket.hear()
        async with asyncio.timeout(PATIENCE_S):
            while not (events := await host_events(store)):  # noqa: ASYNC110  # the store has no event for it
                await asyncio.sleep(0.01)
        [event] = events
        assert (event.type, event.room_id, event.product_id, event.value) == ("display", "R-1", P1, None)


async def test_a_caller_who_leaves_ends_the_display(app: FastAPI, shop: Client, clock: Clock, models: FakeModels, store: Store) -> None:
    async with Socket(app, SESSION) as socket:
        await Camera(app, clock, models, socket).show(*[P1] * 7)
        await socket.cut()
    over = [event.value for event in await host_events(store) if event.value is not None]
    assert over == [pytest.approx(3.25)], "six half seconds between seven frames, and a quarter after the last"


async def test_a_long_display_is_renewed(app: FastAPI, shop: Client, clock: Clock, models: FakeModels, store: Store) -> None:
    async with Socket(app, SESSION) as socket:
        await Camera(app, clock, models, socket).show(*[P1] * 30, apart_s=5.0)
    phases = [event.event_id.split("-", 3)[-1] for event in sorted(await host_events(store), key=lambda event: event.at)]
    assert [phase.split("-")[0] for phase in phases].count("on") == 2


async def test_when_the_frames_stop_nothing_is_shown(
    app: FastAPI, shop: Client, clock: Clock, models: FakeModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eye, "SILENCE_S", 0.05)
    async with Socket(app, SESSION) as socket:
        camera = Camera(app, clock, models, socket)
        await camera.show(P1)
        clock.now_s += 1
        await camera.show(P1)
        assert (await socket.hear())["products"]
        clock.now_s += 60
        assert (await socket.hear())["products"] == []


# --- more frames than can be looked at -----------------------------------------------------------------------------------


async def test_of_a_thousand_frames_at_once_the_newest_is_kept_and_the_others_are_counted(
    app: FastAPI, shop: Client, models: FakeModels
) -> None:
    detector = gated(app, models)
    async with Socket(app, SESSION) as socket:
        socket.picture(FRAME + b"first")
        await until(lambda: len(detector.frames) == 1)
        for number in range(1_000):
            socket.picture(FRAME + str(number).encode())
        socket.say("ping")
        assert await socket.hear() == {"type": "pong", "dropped": 999}
        detector.gate.set()
        await until(lambda: len(detector.frames) == 2)
        assert detector.frames == [FRAME + b"first", FRAME + b"999"]
    assert 'livecart_session_frames_total{outcome="dropped"} 999.0' in app.state.telemetry.render()


async def test_who_does_not_read_keeps_nobody_from_being_looked_at(app: FastAPI, shop: Client, clock: Clock, models: FakeModels) -> None:
    limit(app, max_frames=1)
    async with Socket(app, SESSION) as slow, Socket(app, SESSION) as other:
        slow.stops_reading()
        camera = Camera(app, clock, models, slow)
        await camera.show(P1, P1)
        camera.socket = other
        await camera.show(P1, P1)
        assert (await other.hear())["products"][0]["matches"][0]["product_id"] == P1
        slow.reads_again()


# --- comments ------------------------------------------------------------------------------------------------------------


async def test_a_comment_is_answered_word_by_word(app: FastAPI, shop: Client) -> None:
    async with Socket(app, SESSION) as socket:
        socket.say("comment", **comment(1))
        *tokens, reply = await socket.hear_until("reply")
        assert {token["type"] for token in tokens} == {"reply_token"}
        assert {message["comment_id"] for message in (*tokens, reply)} == {"C-1"}
        assert "".join(token["text"] for token in tokens) == reply["answer"] != ""
        assert wire.SessionReply.model_validate(reply).ai_generated is (reply["source"] == "llm")
        assert "trace" not in reply


async def test_comments_are_answered_in_order(app: FastAPI, shop: Client) -> None:
    async with Socket(app, SESSION) as socket:
        for number in range(5):
            socket.say("comment", **comment(number, text=f"How fast does it come to town {number}?"))
        replies = [(await socket.hear_until("reply"))[-1]["comment_id"] for _ in range(5)]
        assert replies == [f"C-{number}" for number in range(5)]


async def test_a_comment_that_finds_the_queue_full_is_told_so_by_name(app: FastAPI, shop: Client, models: FakeModels) -> None:
    limit(app, max_comments=2)
    models.writer.delay_s = 0.01
    async with Socket(app, SESSION) as socket:
        for number in range(10):
            socket.say("comment", **comment(number))
        answered: list[str] = []
        refused: list[str] = []
        while len(answered) + len(refused) < 10:
            message = await socket.hear()
            if message["type"] == "reply":
                answered.append(message["comment_id"])
            elif message["type"] == "error":
                assert message["error"]["code"] == "overloaded"
                assert message["comment_id"] in message["error"]["message"]
                refused.append(message["comment_id"])
        assert answered == ["C-0", "C-1", "C-2"][: len(answered)]
        assert len(answered) >= 2
        assert sorted(answered + refused) == sorted(f"C-{number}" for number in range(10))


async def test_a_comment_of_nobody_is_an_error_that_names_it(app: FastAPI, shop: Client) -> None:
    async with Socket(app, SESSION) as socket:
        socket.say("comment", **comment(1, viewer_id="stranger"))
        message = await socket.hear()
        assert (message["comment_id"], message["error"]["code"]) == ("C-1", "not_found")
        socket.say("comment", **comment(2))
        assert (await socket.hear_until("reply"))[-1]["comment_id"] == "C-2"
