"""Comments of a room session: the same question of several viewers, what a room may ask in a while, recommendations for who asks."""

import pytest
from fastapi import FastAPI

from deployments.ingress.fakes import FakeModels
from deployments.settings import IngressConfig, RoomLimits
from livecart_client import wire
from tests.deployments.ingress.camera import P1, SESSION, Camera, Clock, comment, limit
from tests.deployments.ingress.conftest import Client
from tests.deployments.ingress.sockets import Socket

ASKED = "Is it delivered to the village?"  # the writer is asked


async def outcomes(socket: Socket, count: int) -> dict[str, str]:
    """The reply, or the code of the error, of so many comments."""
    found: dict[str, str] = {}
    while len(found) < count:
        message = await socket.hear()
        if message["type"] == "reply":
            assert message["comment_id"] not in found
            found[message["comment_id"]] = message["answer"]
        elif message["type"] == "error":
            assert message["comment_id"] not in found
            found[message["comment_id"]] = message["error"]["code"]
    return found


def rated(app: FastAPI, **rates: str | None) -> None:
    app.state.gateway.apply(IngressConfig(rooms=RoomLimits.model_validate(rates)))


# --- the same question -----------------------------------------------------------------------------------------------------


async def test_what_several_ask_while_it_waits_is_written_once_and_answered_to_each(app: FastAPI, shop: Client, models: FakeModels) -> None:
    models.writer.delay_s = 0.001
    async with Socket(app, SESSION) as socket:
        for number, text in enumerate((ASKED, "is it delivered to the village", "IS IT delivered to the village???", ASKED)):
            socket.say("comment", **comment(number, text=text))
        found = await outcomes(socket, 4)
    assert set(found) == {"C-0", "C-1", "C-2", "C-3"}
    assert len(set(found.values())) == 1
    assert len(models.writer.prompts) == 1


async def test_what_others_ask_between_keeps_its_order(app: FastAPI, shop: Client) -> None:
    async with Socket(app, SESSION) as socket:
        for number, text in enumerate((ASKED, "Is it delivered to the town?", ASKED, "Is it delivered to the city?")):
            socket.say("comment", **comment(number, text=text))
        order = list(await outcomes(socket, 4))
    assert set(order[:2]) == {"C-0", "C-2"}
    assert order[2:] == ["C-1", "C-3"]


async def test_each_viewer_is_looked_up_also_where_the_question_is_shared(app: FastAPI, shop: Client) -> None:
    async with Socket(app, SESSION) as socket:
        socket.say("comment", **comment(1, text=ASKED))
        socket.say("comment", **comment(2, viewer_id="stranger", text=ASKED))
        found = await outcomes(socket, 2)
    assert found["C-2"] == "not_found"
    assert found["C-1"] != "not_found"


async def test_a_comment_sent_twice_while_it_waits_is_answered_once(app: FastAPI, shop: Client) -> None:
    limit(app, recommended_viewers=0)
    async with Socket(app, SESSION) as socket:
        for _ in range(2):
            socket.say("comment", **comment(1, text=ASKED))
        assert list(await outcomes(socket, 1)) == ["C-1"]
        socket.say("ping")
        assert [message["type"] for message in await socket.hear_until("pong")] == ["pong"]


@pytest.mark.parametrize("other", [{"viewer_id": "V-2"}, {"text": "Is it delivered to the town?"}])
@pytest.mark.parametrize("when", ["while it waits", "after its reply", "in another session"])
async def test_an_id_that_is_another_comments_is_a_conflict(
    app: FastAPI, shop: Client, models: FakeModels, other: dict[str, str], when: str
) -> None:
    limit(app, recommended_viewers=0)
    models.writer.delay_s = 0.001
    async with Socket(app, SESSION) as one, Socket(app, SESSION) as two:
        one.say("comment", **comment(1, text=ASKED))
        if when != "while it waits":
            await one.hear_until("reply")
        socket = two if when == "in another session" else one
        socket.say("comment", **(comment(1, text=ASKED) | other))
        [*_, refused] = await socket.hear_until("error")
        error = wire.SessionError.model_validate(refused)
        assert (error.comment_id, error.error.code, error.error.param) == ("C-1", "conflict", "comment_id")
        if when == "while it waits":
            await one.hear_until("reply")
    assert len(models.writer.prompts) == 1


# --- what a room may ask -----------------------------------------------------------------------------------------------------


async def test_more_comments_than_a_room_may_send_are_refused_by_name_over_all_its_sessions(app: FastAPI, shop: Client) -> None:
    rated(app, comments="3 per hour")
    async with Socket(app, SESSION) as one, Socket(app, SESSION) as other:
        one.say("comment", **comment(1, text=ASKED))
        one.say("comment", **comment(2))
        assert "overloaded" not in (await outcomes(one, 2)).values()
        other.say("comment", **comment(3))
        assert "overloaded" not in (await outcomes(other, 1)).values()
        other.say("comment", **comment(4))
        [*_, refused] = await other.hear_until("error")
    error = wire.SessionError.model_validate(refused)
    assert (error.comment_id, error.error.code) == ("C-4", "overloaded")
    assert 0 < (error.retry_after_ms or 0) <= 3_600_000


async def test_rooms_are_counted_apart(app: FastAPI, shop: Client) -> None:
    await shop.put("/v1/rooms/R-2", json={"room_id": "R-2", "title": "Other", "host": "H", "live": True, "shelf": ["P-1"]})
    rated(app, comments="1 per hour")
    async with Socket(app, SESSION) as one, Socket(app, "/v1/rooms/R-2/session") as other:
        for socket in (one, other):
            socket.say("comment", **comment(1, text=ASKED))
            assert "overloaded" not in (await outcomes(socket, 1)).values()


async def test_a_room_that_has_had_its_generations_is_told_so_and_stored_answers_go_on(
    app: FastAPI, shop: Client, models: FakeModels
) -> None:
    rated(app, generations="1 per hour")
    async with Socket(app, SESSION) as socket:
        socket.say("comment", **comment(1, text=ASKED))
        socket.say("comment", **comment(2, text="Is it delivered to the town?"))
        socket.say("comment", **comment(3, text="How much is P-1, the Thermos?"))
        found = await outcomes(socket, 3)
    assert found["C-2"] == "overloaded"
    assert "overloaded" not in (found["C-1"], found["C-3"])
    assert len(models.writer.prompts) == 1


async def test_a_shared_generation_counts_once(app: FastAPI, shop: Client) -> None:
    rated(app, generations="1 per hour")
    async with Socket(app, SESSION) as socket:
        for number in range(4):
            socket.say("comment", **comment(number, text=ASKED))
        assert "overloaded" not in (await outcomes(socket, 4)).values()


async def test_answers_outside_sessions_are_not_counted(app: FastAPI, shop: Client) -> None:
    rated(app, generations="1 per hour")
    for question in (ASKED, "Is it delivered to the town?"):
        assert (await shop.post("/v1/answer", json={"question": question, "room_id": "R-1"})).status_code == 200


# --- recommendations ---------------------------------------------------------------------------------------------------------


async def test_who_comments_is_recommended_something(app: FastAPI, shop: Client) -> None:
    async with Socket(app, SESSION) as socket:
        socket.say("comment", **comment(1, text=ASKED))
        [*_, heard] = await socket.hear_until("recommendations")
    found = wire.SessionRecommendations.model_validate(heard)
    assert found.viewer_id == "V-1"
    assert "trace" not in heard


async def test_when_something_else_is_shown_the_latest_viewers_hear_what_goes_with_it(
    app: FastAPI, shop: Client, clock: Clock, models: FakeModels
) -> None:
    async with Socket(app, SESSION) as socket:
        socket.say("comment", **comment(1, text=ASKED))
        await socket.hear_until("recommendations")
        await Camera(app, clock, models, socket).show(P1, P1)
        [*_, products, heard] = await socket.hear_until("recommendations")
    assert products["type"] == "products"
    assert heard["viewer_id"] == "V-1"
    assert P1 not in [item["product_id"] for item in heard["items"]]


async def test_nobody_is_recommended_anything_where_that_is_off(app: FastAPI, shop: Client, clock: Clock, models: FakeModels) -> None:
    limit(app, recommended_viewers=0)
    async with Socket(app, SESSION) as socket:
        socket.say("comment", **comment(1, text=ASKED))
        await socket.hear_until("reply")
        await Camera(app, clock, models, socket).show(P1, P1)
        socket.say("ping")
        assert [message["type"] for message in await socket.hear_until("pong")] == ["products", "pong"]


async def test_only_the_latest_viewers_hear_of_a_change(app: FastAPI, shop: Client, clock: Clock, models: FakeModels) -> None:
    limit(app, recommended_viewers=1)
    event = {"event_id": "e-2", "viewer_id": "V-2", "type": "enter", "at": "2026-01-01T00:00:00Z"}
    (await shop.post("/v1/events", json={"events": [event]})).raise_for_status()
    async with Socket(app, SESSION) as socket:
        for number, viewer_id in enumerate(("V-1", "V-2")):
            socket.say("comment", **comment(number, viewer_id=viewer_id))
            await socket.hear_until("recommendations")
        await Camera(app, clock, models, socket).show(P1, P1)
        heard = await socket.hear_until("recommendations")
        assert heard[-1]["viewer_id"] == "V-2"
        socket.say("ping")
        assert [message["type"] for message in await socket.hear_until("pong")] == ["pong"]
