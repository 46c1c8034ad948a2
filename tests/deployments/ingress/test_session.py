"""The room session over its WebSocket: every message, every close code, and what is left when the caller is gone."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi import FastAPI

from deployments.gateway import Gateway
from deployments.ingress.auth import Auth, Key
from deployments.ingress.fakes import FakeModels, fake_gateway
from deployments.ingress.session import eye
from deployments.ingress.session.registry import Sessions
from deployments.settings import IngressConfig, Limits
from deployments.store import Store
from graphs.errors import Unavailable
from graphs.fakes import FakeDetector
from livecart_client import wire
from models.types import Event, FrameDetections, Match, ProductId, ViewerId
from tests.deployments.ingress.conftest import Client
from tests.deployments.ingress.sockets import PATIENCE_S, Closed, Socket
from tests.hostile_requests import bomb_picture, picture

SESSION = "/v1/rooms/R-1/session"
FRAME = picture()
P1, P2 = ProductId("P-1"), ProductId("P-2")


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    now_s: float = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Gated(FakeDetector):
    """Remembers its frames, and looks at none before the gate is opened."""

    frames: list[bytes] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def detect(self, frame: bytes, min_score: float | None = None) -> FrameDetections:
        self.frames.append(frame)
        await self.gate.wait()
        return await super().detect(frame, min_score)


@pytest.fixture
def clock(app: FastAPI) -> Clock:
    clock = Clock()
    app.state.sessions = Sessions(clock)
    return clock


def limit(app: FastAPI, **limits: float) -> None:
    app.state.gateway.apply(IngressConfig(limits=Limits.model_validate(limits)))


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not happened():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.001)


class Camera:
    """Shows frames one by one, half a second of the manual clock apart, and waits until each was looked at."""

    def __init__(self, app: FastAPI, clock: Clock, models: FakeModels, socket: Socket) -> None:
        self._app, self._clock, self._models, self._socket = app, clock, models, socket
        self._shown = 0

    async def show(self, *products: ProductId | None, apart_s: float = 0.5) -> None:
        for product in products:
            self._models.retriever.enrolled = (Match(product, 0.9),) if product else ()
            self._socket.picture(FRAME)
            self._shown += 1
            await until(lambda: f'livecart_session_frames_total{{outcome="seen"}} {self._shown}.0' in self._app.state.telemetry.render())
            self._clock.now_s += apart_s


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
    gated = models.detector = Gated()
    app.state.gateway = rebuilt(app, models)
    async with Socket(app, SESSION) as socket:
        socket.picture(FRAME + b"first")
        await until(lambda: len(gated.frames) == 1)
        for number in range(1_000):
            socket.picture(FRAME + str(number).encode())
        socket.say("ping")
        assert await socket.hear() == {"type": "pong", "dropped": 999}
        gated.gate.set()
        await until(lambda: len(gated.frames) == 2)
        assert gated.frames == [FRAME + b"first", FRAME + b"999"]
    assert 'livecart_session_frames_total{outcome="dropped"} 999.0' in app.state.telemetry.render()


def rebuilt(app: FastAPI, models: FakeModels) -> Gateway:
    return fake_gateway(app.state.gateway.store, models, app.state.telemetry)


# --- frames that fail ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"not a picture", "unsupported_media"),
        (b"", "invalid_request"),
        (FRAME[: len(FRAME) // 2], "invalid_request"),
        (bomb_picture(), "invalid_request"),
    ],
    ids=["no picture", "nothing", "truncated", "bomb"],
)
async def test_a_bad_picture_is_an_error_and_the_session_goes_on(app: FastAPI, shop: Client, frame: bytes, code: str) -> None:
    async with Socket(app, SESSION) as socket:
        for _ in range(8):
            socket.picture(frame)
            heard = wire.SessionError.model_validate(await socket.hear())
            assert heard.error.code == code
        socket.say("ping")
        assert (await socket.hear())["type"] == "pong"


@pytest.mark.parametrize("encoded", ["%%%", "AAAA=AAA", "QUJD" * 1_000_000, "/9j/" + "A" * 400_000])
async def test_bad_base64_is_an_error_and_the_session_goes_on(app: FastAPI, shop: Client, encoded: str) -> None:
    async with Socket(app, SESSION) as socket:
        socket.say("frame", base64=encoded)
        assert (await socket.hear())["error"]["code"] in ("invalid_request", "unsupported_media")
        socket.say("ping")
        assert (await socket.hear())["type"] == "pong"


async def test_a_detector_that_is_away_costs_the_frame_only(app: FastAPI, shop: Client, models: FakeModels, clock: Clock) -> None:
    async with Socket(app, SESSION) as socket:
        models.detector.failure = Unavailable("no detector")
        socket.picture(FRAME)
        assert (await socket.hear())["error"]["code"] == "unavailable"
        models.detector.failure = None
        await Camera(app, clock, models, socket).show(P1, P1)
        assert (await socket.hear())["type"] == "products"


async def test_a_frame_that_takes_too_long_is_given_up(app: FastAPI, shop: Client, models: FakeModels) -> None:
    limit(app, default_deadline_s=0.02)
    models.detector.delay_s = 30
    async with Socket(app, SESSION) as socket:
        socket.picture(FRAME)
        assert (await socket.hear())["error"]["code"] == "deadline_exceeded"


async def test_a_room_that_is_deleted_ends_its_sessions(app: FastAPI, shop: Client) -> None:
    async with Socket(app, SESSION) as socket:
        await shop.delete("/v1/rooms/R-1")
        socket.picture(FRAME)
        assert (await socket.hear())["error"]["param"] == "room_id"
        assert await socket.code() == 4404


# --- comments ------------------------------------------------------------------------------------------------------------


def comment(number: int, viewer_id: str = "V-1", text: str = "How fast does it come?") -> dict[str, str]:
    return {"comment_id": f"C-{number}", "viewer_id": viewer_id, "text": text}


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
            socket.say("comment", **comment(number))
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


# --- garbage -------------------------------------------------------------------------------------------------------------

GARBAGE = [
    "",
    "nonsense",
    "[]",
    "null",
    "NaN",
    "{}",
    '{"type": NaN}',
    '{"type": "frame", "base64": Infinity}',
    '{"type": 7}',
    '{"type": "dance"}',
    '{"type": "ping", "more": 1}',
    '{"type": "frame"}',
    '{"type": "frame", "base64": ""}',
    '{"type": "frame", "base64": 1}',
    '{"type": "frame", "base64": ["a"]}',
    '{"type": "comment", "comment_id": "C-1", "viewer_id": "V-1"}',
    '{"type": "comment", "comment_id": "C-1", "viewer_id": "V-1", "text": "   "}',
    '{"type": "comment", "comment_id": "a b", "viewer_id": "V-1", "text": "x"}',
    '{"type": "comment", "comment_id": "C-1", "viewer_id": null, "text": "x"}',
    '{"type": "comment", "comment_id": "C-1", "viewer_id": "V-1", "text": "\\ud800"}',
    json.dumps({"type": "comment", "comment_id": "C-1", "viewer_id": "V-1", "text": "x" * 2_001}),
    "[" * 100_000,
    "[" + "1," * 500_000 + "1]",
]


@pytest.mark.parametrize("text", GARBAGE, ids=lambda text: text[:40])
async def test_a_message_that_means_nothing_is_an_error_and_the_session_goes_on(app: FastAPI, shop: Client, text: str) -> None:
    async with Socket(app, SESSION) as socket:
        socket.text(text)
        heard = wire.SessionError.model_validate(await socket.hear())
        assert heard.error.code == "invalid_request"
        socket.say("ping")
        assert (await socket.hear())["type"] == "pong"


async def test_garbage_that_repeats_ends_the_session(app: FastAPI, shop: Client) -> None:
    async with Socket(app, SESSION) as socket:
        for _ in range(4):
            socket.text("nonsense")
        socket.say("ping")
        for _ in range(5):
            socket.text("nonsense")
        heard = []
        with pytest.raises(Closed) as closed:
            while True:
                heard.append((await socket.hear())["type"])
        assert heard == [*["error"] * 4, "pong", *["error"] * 5]
        assert closed.value.code == 1003


@pytest.mark.parametrize("as_text", [True, False])
async def test_a_message_over_the_limit_ends_the_session(app: FastAPI, shop: Client, *, as_text: bool) -> None:
    limit(app, max_message_mib=0.5)
    async with Socket(app, SESSION) as socket:
        if as_text:
            socket.say("frame", base64="A" * 600_000)
        else:
            socket.picture(FRAME + b"\0" * 600_000)
        assert (await socket.hear())["error"]["code"] == "payload_too_large"
        assert await socket.code() == 1009


# --- who may come in -----------------------------------------------------------------------------------------------------


@pytest.fixture
def locked(app: FastAPI) -> Iterator[FastAPI]:
    """The app with one key, `right`."""
    before = app.state.auth
    app.state.auth = Auth([Key("caller", "shop", hashlib.sha256(b"right").digest())])
    yield app
    app.state.auth = before


async def refusal(app: FastAPI, path: str = SESSION, headers: dict[str, str] | None = None) -> tuple[str, int]:
    async with Socket(app, path, headers) as socket:
        error = (await socket.hear())["error"]["code"]
        return error, await socket.code()


async def test_without_a_key_nobody_comes_in_where_keys_are_configured(shop: Client, locked: FastAPI) -> None:
    assert await refusal(locked) == ("unauthenticated", 4401)
    assert await refusal(locked, headers={"Authorization": "Bearer wrong"}) == ("unauthenticated", 4401)
    async with Socket(locked, SESSION, {"Authorization": "Bearer right"}) as socket:
        socket.say("ping")
        assert (await socket.hear())["type"] == "pong"


@pytest.mark.parametrize("headers", [{"Origin": "https://elsewhere.example"}, {"Host": "rebound.example"}])
async def test_pages_of_other_sites_are_refused_where_there_are_no_keys(app: FastAPI, shop: Client, headers: dict[str, str]) -> None:
    assert await refusal(app, headers=headers) == ("forbidden", 4403)


@pytest.mark.parametrize("room_id", ["R-404", "a b", "x" * 300, "\ufffd"])
async def test_a_room_that_is_not_known_is_refused(app: FastAPI, shop: Client, room_id: str) -> None:
    assert await refusal(app, f"/v1/rooms/{room_id}/session") == ("not_found", 4404)


async def test_more_sessions_than_allowed_are_sent_away(app: FastAPI, shop: Client) -> None:
    limit(app, max_sessions=1)
    async with Socket(app, SESSION):
        assert await refusal(app) == ("overloaded", 1013)
    async with Socket(app, SESSION) as socket:
        socket.say("ping")
        assert (await socket.hear())["type"] == "pong"


# --- the end -------------------------------------------------------------------------------------------------------------


async def test_a_process_on_its_way_out_says_so(app: FastAPI, shop: Client, clock: Clock) -> None:
    async with Socket(app, SESSION) as socket:
        socket.say("ping")
        await socket.hear()
        app.state.sessions.close_all()
        assert await socket.code() == 1001
    assert await refusal(app) == ("overloaded", 1013)


async def test_sessions_end_when_the_launcher_says_so(app: FastAPI, shop: Client, tmp_path: Path) -> None:
    marker = tmp_path / "stopping"
    async with Socket(app, SESSION) as socket, asyncio.TaskGroup() as tasks:
        tasks.create_task(app.state.sessions.close_when_made(marker))
        socket.say("ping")
        assert (await socket.hear())["type"] == "pong"
        marker.touch()
        assert await socket.code() == 1001


@pytest.mark.parametrize("how", ["leaves", "is cut off"])
async def test_a_caller_who_goes_during_a_frame_leaves_no_work_behind(app: FastAPI, shop: Client, models: FakeModels, how: str) -> None:
    gated = models.detector = Gated()
    app.state.gateway = rebuilt(app, models)
    before = asyncio.all_tasks()
    async with Socket(app, SESSION) as socket:
        socket.picture(FRAME)
        await until(lambda: len(gated.frames) == 1)
        assert app.state.gateway.ongoing == 1
        await (socket.leave() if how == "leaves" else socket.cut())
        assert app.state.gateway.ongoing == 0
        await until(lambda: asyncio.all_tasks() == before)
    assert len(app.state.sessions) == 0


async def test_a_caller_who_goes_during_an_answer_stops_the_writer(app: FastAPI, shop: Client, models: FakeModels) -> None:
    models.writer.delay_s = 0.01
    before = asyncio.all_tasks()
    async with Socket(app, SESSION) as socket:
        socket.say("comment", **comment(1))
        await socket.hear()
        await socket.leave()
        await until(lambda: asyncio.all_tasks() == before)
    assert models.writer.aborted <= 1


async def test_a_caller_who_does_not_read_is_given_up(app: FastAPI, shop: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployments.ingress.session.outbox.SEND_S", 0.02)
    async with Socket(app, SESSION) as socket:
        socket.stops_reading()
        socket.say("ping")
        await socket.end_of_app()
