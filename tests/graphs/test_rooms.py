from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from graphs.errors import NotFound, Unavailable
from graphs.fakes import FakeRetriever, FakeShop
from graphs.flow import Graph
from graphs.rooms import RoomsNodes, RoomsReply, RoomsRequest, rooms_graph
from models.types import Event, EventId, RankedRoom, Room, RoomId, ViewerId
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
    assert [reason.text for reason in run.output.rooms[0].reasons] == ["it is live now"]


async def test_what_hardly_counts_is_not_told() -> None:
    shop = FakeShop(rooms=(ROOM,), events=(ENTER,))
    weighed = Weighing(RankedRoom(ROOM.room_id, 0.4, (("similar_to", 0.3995), ("fresh", 0.0005))))
    run = await rooms_graph(RoomsNodes(shop, shop, weighed)).run(RoomsRequest(VIEWER), budget_s=1)
    assert [reason.kind for reason in run.output.rooms[0].reasons] == ["similar_to"]


class Weighing(FakeRetriever):
    def __init__(self, ranked: RankedRoom) -> None:
        super().__init__()
        self._ranked = ranked

    async def rank_rooms(self, _history: Sequence[Event], _live: Sequence[Room], *, k: int) -> tuple[RankedRoom, ...]:
        return (self._ranked,)[:k]


async def test_visits_of_long_ago_are_known_before_the_latest_events() -> None:
    start = ENTER.at
    visits = [replace(ENTER, event_id=EventId(f"v{number}"), at=start + timedelta(hours=number)) for number in range(3)]
    clicks = [
        replace(ENTER, event_id=EventId(f"c{number}"), type="click", at=start + timedelta(days=1, hours=number)) for number in range(4)
    ]
    shop = FakeShop(rooms=(ROOM,), events=(*visits, *clicks))
    listener = Listener()
    await rooms_graph(RoomsNodes(shop, shop, listener, history_events=4)).run(RoomsRequest(VIEWER), budget_s=1)
    assert listener.history == (*visits, *clicks)


@dataclass
class Listener(FakeRetriever):
    history: Sequence[Event] = ()

    async def rank_rooms(self, history: Sequence[Event], live: Sequence[Room], *, k: int) -> tuple[RankedRoom, ...]:
        self.history = history
        return await super().rank_rooms(history, live, k=k)
