from dataclasses import replace

import pytest

from graphs.errors import NotFound, Unavailable
from graphs.fakes import FakeRetriever, FakeShop
from graphs.flow import Graph
from graphs.rooms import RoomsNodes, RoomsReply, RoomsRequest, rooms_graph
from models.types import RoomId, ViewerId
from tests.graphs.world import ENTER, ROOM, VIEWER

CLOSED = replace(ROOM, room_id=RoomId("room-2"), live=False)


def graph(failure: Exception | None = None) -> Graph[RoomsRequest, RoomsReply]:
    shop = FakeShop(rooms=(CLOSED, ROOM), events=(ENTER,))
    return rooms_graph(RoomsNodes(shop, shop, FakeRetriever(failure=failure)))


async def test_only_live_rooms_are_recommended() -> None:
    run = await graph().run(RoomsRequest(VIEWER), budget_s=1)
    assert [room.room_id for room in run.output.rooms] == [ROOM.room_id]
    assert run.output.rooms[0].reasons[0].text


async def test_an_unknown_viewer_is_not_found() -> None:
    with pytest.raises(NotFound):
        await graph().run(RoomsRequest(ViewerId("nobody")), budget_s=1)


async def test_without_the_ranker_live_rooms_are_listed() -> None:
    run = await graph(Unavailable("down")).run(RoomsRequest(VIEWER), budget_s=1)
    assert (run.degraded, [room.room_id for room in run.output.rooms]) == (True, [ROOM.room_id])
