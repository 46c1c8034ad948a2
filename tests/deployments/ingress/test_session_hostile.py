"""The room session: bad frames, garbage, every close code, and what is left when the caller is gone."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from deployments.ingress.auth import Auth, Key
from deployments.ingress.fakes import FakeModels
from graphs.errors import Unavailable
from livecart_client import wire
from tests.deployments.ingress.camera import FRAME, P1, SESSION, Camera, Clock, comment, gated, limit, until
from tests.deployments.ingress.conftest import Client
from tests.deployments.ingress.sockets import Closed, Socket
from tests.hostile_requests import bomb_picture

# --- frames that fail ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"not a picture", "unsupported_media"),
        (b"", "invalid_request"),
        (FRAME[: len(FRAME) // 2], "invalid_request"),
        (bomb_picture(), "payload_too_large"),
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
        assert (closed.value.code, closed.value.reason) == (1003, "5 messages in a row meant nothing")


@pytest.mark.parametrize(("bad", "named"), [({"text": " "}, "C-1"), ({"text": "x" * 2_001}, "C-1"), ({"comment_id": "a b"}, None)])
async def test_comments_with_a_bad_field_are_errors_that_name_them_and_never_end_the_session(
    app: FastAPI, shop: Client, bad: dict[str, str], named: str | None
) -> None:
    async with Socket(app, SESSION) as socket:
        for _ in range(8):
            socket.say("comment", **(comment(1) | bad))
            heard = wire.SessionError.model_validate(await socket.hear())
            assert (heard.error.code, heard.comment_id) == ("invalid_request", named)
        socket.say("ping")
        assert (await socket.hear())["type"] == "pong"


async def test_frames_between_garbage_keep_the_session(app: FastAPI, shop: Client) -> None:
    async with Socket(app, SESSION) as socket:
        for _ in range(8):
            socket.text("nonsense")
            assert (await socket.hear())["type"] == "error"
            socket.picture(FRAME)
        socket.say("ping")
        await socket.hear_until("pong")


@pytest.mark.parametrize("as_text", [True, False])
async def test_a_message_over_the_limit_ends_the_session(app: FastAPI, shop: Client, *, as_text: bool) -> None:
    limit(app, max_message_mib=0.5)
    async with Socket(app, SESSION) as socket:
        if as_text:
            socket.say("frame", base64="A" * 600_000)
        else:
            socket.picture(FRAME + b"\0" * 600_000)
        assert (await socket.hear())["error"]["code"] == "payload_too_large"
        with pytest.raises(Closed) as closed:
            await socket.hear()
        assert (closed.value.code, closed.value.reason) == (1009, "a message was too large")


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


async def test_a_close_reason_is_never_too_long_for_its_frame(app: FastAPI, shop: Client) -> None:
    async with Socket(app, f"/v1/rooms/{'房' * 100}/session") as socket:
        await socket.hear()
        with pytest.raises(Closed) as closed:
            await socket.hear()
    assert 100 < len(closed.value.reason.encode()) <= 123


async def test_the_room_that_is_missing_is_named(app: FastAPI, shop: Client) -> None:
    async with Socket(app, "/v1/rooms/R-404/session") as socket:
        assert (await socket.hear())["error"]["message"] == "no room `R-404`; PUT /v1/rooms/R-404 makes it"


async def test_more_sessions_than_allowed_are_sent_away(app: FastAPI, shop: Client) -> None:
    limit(app, max_sessions=1)
    async with Socket(app, SESSION) as first:
        first.say("ping")
        assert (await first.hear())["type"] == "pong"  # accepted comes before counted: without it the second may take the place
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
    detector = gated(app, models)
    before = asyncio.all_tasks()
    async with Socket(app, SESSION) as socket:
        socket.picture(FRAME)
        await until(lambda: len(detector.frames) == 1)
        assert app.state.gateway.ongoing == 1
        await (socket.leave() if how == "leaves" else socket.cut())
        assert app.state.gateway.ongoing == 0
        await until(lambda: asyncio.all_tasks() == before)
    assert len(app.state.sessions) == 0


@pytest.fixture
def ends(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[tuple[int, str]]]]:
    """What the access log says of sessions: their codes, and how they ended."""
    monkeypatch.setattr(logging.getLogger("livecart"), "propagate", True)
    with caplog.at_level(logging.INFO, "livecart.access"):
        yield lambda: [
            (each["status"], each["ended"]) for each in (vars(record).get("fields", {}) for record in caplog.records) if "ended" in each
        ]


@pytest.mark.parametrize(("code", "ended"), [(1000, "caller left"), (1005, "caller left"), (1011, "broken off")])
async def test_the_log_tells_a_goodbye_from_a_connection_that_broke_off(
    app: FastAPI, shop: Client, ends: Callable[[], list[tuple[int, str]]], code: int, ended: str
) -> None:
    async with Socket(app, SESSION) as socket:
        socket.say("ping")
        await socket.hear()
        await socket.leave(code)
    assert ends() == [(code, ended)]


async def test_the_log_tells_a_lost_connection(app: FastAPI, shop: Client, ends: Callable[[], list[tuple[int, str]]]) -> None:
    async with Socket(app, SESSION) as socket:
        await socket.lose()
    assert ends() == [(1006, "broken off")]


async def test_the_log_tells_what_this_server_closed(app: FastAPI, shop: Client, ends: Callable[[], list[tuple[int, str]]]) -> None:
    assert await refusal(app, "/v1/rooms/R-404/session") == ("not_found", 4404)
    assert ends() == [(4404, "closed here")]


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
