"""Viewer -> which of the rooms that are live now to enter."""

from dataclasses import dataclass
from operator import itemgetter

from graphs.flow import Graph, GraphBuilder
from graphs.ports import Catalog, RoomRanker, Viewers
from graphs.recommending.reasons import telling
from graphs.viewers import known_history
from models.types import HISTORY_EVENTS, Event, RankedRoom, Room, RoomId, RoomReasonKind, ViewerId

VISITS_READ = 50  # `enter` and `watch` events of a viewer, the latest


@dataclass(frozen=True, slots=True)
class RoomsRequest:
    viewer_id: ViewerId
    k: int = 10


@dataclass(frozen=True, slots=True)
class RoomReason:
    kind: RoomReasonKind
    weight: float
    text: str


@dataclass(frozen=True, slots=True)
class RecommendedRoom:
    room_id: RoomId
    score: float
    reasons: tuple[RoomReason, ...]


@dataclass(frozen=True, slots=True)
class RoomsReply:
    rooms: tuple[RecommendedRoom, ...]


REASON_TEXTS: dict[RoomReasonKind, str] = {
    "watched_before": "you watched this room before",
    "similar_to": "it shows products like those you looked at",
    "topic": "it is about what you follow",
    "popular": "many viewers are in it now",
    "fresh": "it has just started",
}
NEUTRAL: tuple[tuple[RoomReasonKind, float], ...] = (("popular", 0.0),)  # of a room for which nothing speaks but that it is live
NEUTRAL_TEXT = "it is live now"


@dataclass(frozen=True, slots=True)
class RoomsNodes:
    catalog: Catalog
    viewers: Viewers
    ranker: RoomRanker
    history_events: int = HISTORY_EVENTS

    async def history(self, request: RoomsRequest) -> tuple[Event, ...]:
        return await known_history(self.viewers, request.viewer_id, limit=self.history_events)

    async def visits(self, request: RoomsRequest) -> tuple[Event, ...]:
        """Rooms are come back to over weeks, of which the latest events may not tell."""
        return await self.viewers.visits(request.viewer_id, limit=VISITS_READ)

    async def live(self, _request: RoomsRequest) -> tuple[Room, ...]:
        return await self.catalog.live_rooms()

    @staticmethod
    def known(history: tuple[Event, ...], visits: tuple[Event, ...]) -> tuple[Event, ...]:
        """The latest events, and before them the visits that are older."""
        return (*(visit for visit in visits if visit.at < history[0].at), *history)

    async def rank(self, request: RoomsRequest, known: tuple[Event, ...], live: tuple[Room, ...]) -> tuple[RankedRoom, ...]:
        return await self.ranker.rank_rooms(known, live, k=request.k)

    @staticmethod
    def reply(ranked: tuple[RankedRoom, ...]) -> RoomsReply:
        return RoomsReply(
            tuple(
                RecommendedRoom(
                    room.room_id,
                    room.score,
                    tuple(
                        RoomReason(kind, weight, REASON_TEXTS[kind] if weight > 0 else NEUTRAL_TEXT)
                        for kind, weight in telling(room.reasons, room.score, itemgetter(1)) or NEUTRAL
                    ),
                )
                for room in ranked
            )
        )


def no_visits(_request: RoomsRequest) -> tuple[Event, ...]:
    """Fallback: the latest events have to do."""
    return ()


def as_listed(request: RoomsRequest, _known: tuple[Event, ...], live: tuple[Room, ...]) -> tuple[RankedRoom, ...]:
    """Fallback: the live rooms as the store lists them, without a score of their own."""
    return tuple(RankedRoom(room.room_id, 0.0, ()) for room in live[: request.k])


def rooms_graph(nodes: RoomsNodes) -> Graph[RoomsRequest, RoomsReply]:
    g = GraphBuilder("rooms", RoomsRequest)
    history = g.add(nodes.history, g.request, timeout_s=2.0)
    visits = g.add(nodes.visits, g.request, timeout_s=1.0, fallback=no_visits)
    live = g.add(nodes.live, g.request, timeout_s=2.0)
    known = g.apply(nodes.known, history, visits)
    ranked = g.add(nodes.rank, g.request, known, live, timeout_s=1.0, fallback=as_listed)
    return g.build(g.apply(nodes.reply, ranked))
