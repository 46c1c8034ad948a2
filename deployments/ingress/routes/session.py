"""The room session: frames and comments in, what is shown and answers out, over one WebSocket."""

import logging

from pydantic import TypeAdapter, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from deployments.ingress.auth import Auth
from deployments.ingress.context import info_of
from deployments.ingress.ports import Gateway
from deployments.ingress.routing import Router, authorise
from deployments.ingress.session.around import Surroundings
from deployments.ingress.session.outbox import Outbox, told
from deployments.ingress.session.registry import Sessions
from deployments.ingress.session.room import GOODBYES, RoomSession
from graphs.errors import Forbidden, LivecartError, NotFound, Overloaded, Unauthenticated, Unavailable
from livecart_client import wire
from models.types import RoomId

router = Router(tag="rooms")
access_log = logging.getLogger("livecart.access")

ROUTE = "/v1/rooms/{room_id}/session"
BROKEN_OFF = "broken off"
KEY_ENDED = "the key of this session was revoked or has expired; connect again with one that is valid"
_CODES: dict[type[LivecartError], int] = {
    Unauthenticated: wire.SessionClose.UNAUTHENTICATED,
    Forbidden: wire.SessionClose.FORBIDDEN,
    NotFound: wire.SessionClose.UNKNOWN_ROOM,
    Overloaded: wire.SessionClose.TRY_AGAIN,
    Unavailable: wire.SessionClose.TRY_AGAIN,
}
_ROOM_ID: TypeAdapter[str] = TypeAdapter(wire.Identifier)


@router.websocket(ROUTE)
async def session(websocket: WebSocket, room_id: str) -> None:
    """Accepted before anything is checked: a close code reaches browsers only over a connection that is open."""
    info = info_of(websocket.scope)
    await websocket.accept(headers=[(b"x-request-id", info.request_id.encode("ascii"))])
    code, ended = int(wire.SessionClose.LOST), BROKEN_OFF
    try:
        code, ended = await _serve(websocket, room_id), "closed here"
    except WebSocketDisconnect as left:
        code, ended = left.code, "caller left" if left.code in GOODBYES else BROKEN_OFF
    finally:
        fields = {"method": "WS", "route": ROUTE, "status": code, "ended": ended, "took_ms": round(info.spent_s * 1_000, 2)}
        access_log.info("WS %s %d %s %.1f s", ROUTE, code, ended, info.spent_s, extra={"fields": {**fields, "actor": info.actor}})


async def _serve(websocket: WebSocket, room_id: str) -> int:
    """The session to its end; returns the close code that was sent. Raises WebSocketDisconnect when the caller leaves or breaks off."""
    out = Outbox(websocket)
    sessions: Sessions = websocket.app.state.sessions
    gateway: Gateway = websocket.app.state.gateway
    auth: Auth = websocket.app.state.auth
    try:
        identity = authorise(websocket, "caller")
        room = await _known(gateway, room_id)
        with sessions.memories.of(room, keep_s=gateway.limits.resume_s) as memory:
            around = Surroundings(gateway, websocket.app.state.telemetry, sessions.clock, room, memory, sessions.turns)
            live = RoomSession(websocket, around, out)
            with (
                sessions.holding(live, at_most=gateway.limits.max_sessions),
                auth.holding(identity, lambda: live.end(wire.SessionClose.UNAUTHENTICATED, Unauthenticated(KEY_ENDED))),
            ):
                return await live.run()
    except WebSocketDisconnect:
        raise
    except Exception as error:  # noqa: BLE001  # the caller is told what may be told
        refusal = told(error)
        code = _CODES.get(type(refusal), wire.SessionClose.BROKEN)
        await out.error(refusal)
        await out.close(code, refusal.message)
        return code


async def _known(gateway: Gateway, room_id: str) -> RoomId:
    """Raises NotFound, and whatever the store raises."""
    try:
        known = RoomId(_ROOM_ID.validate_python(room_id))
    except ValidationError:
        raise NotFound(f"no room `{room_id[:128]}`; it is no id that a room can have", param="room_id") from None
    if await gateway.store.room(known) is None:
        raise NotFound(f"no room `{known}`; PUT /v1/rooms/{known} makes it", param="room_id")
    return known
