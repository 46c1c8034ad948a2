"""A room session, apart from its connection: what is sent, what is heard, and what an end means."""

import json
import secrets
from urllib.parse import urlsplit, urlunsplit

from pydantic import TypeAdapter, ValidationError

from livecart_client import wire
from livecart_client.core.calls import checked_id, validated
from livecart_client.core.routes import quoted
from livecart_client.errors import (
    Forbidden,
    Internal,
    InvalidRequest,
    LivecartError,
    NotFound,
    Overloaded,
    PayloadTooLarge,
    Unauthenticated,
    Unavailable,
    UnexpectedReply,
    Unreachable,
)

NEEDS = "room sessions need websockets: pip install livecart-client[session]"
PING = json.dumps({"type": "ping"})
_BY_CODE: dict[int, type[LivecartError]] = {
    wire.SessionClose.GOING_AWAY: Unavailable,
    wire.SessionClose.GARBAGE: InvalidRequest,
    wire.SessionClose.TOO_LARGE: PayloadTooLarge,
    wire.SessionClose.BROKEN: Internal,
    wire.SessionClose.REPLACED: Unavailable,
    wire.SessionClose.TRY_AGAIN: Overloaded,
    wire.SessionClose.UNAUTHENTICATED: Unauthenticated,
    wire.SessionClose.FORBIDDEN: Forbidden,
    wire.SessionClose.UNKNOWN_ROOM: NotFound,
}
_EVENTS: TypeAdapter[wire.SessionEvent] = TypeAdapter(wire.SessionEvent)


def session_url(base_url: str, room_id: str) -> str:
    """Raises InvalidRequest for an id that no room can have.

    >>> session_url("https://shop.example/live/", "room-6")
    'wss://shop.example/live/v1/rooms/room-6/session'
    """
    checked_id("room_id", room_id)
    parts = urlsplit(base_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, f"{parts.path.rstrip('/')}/v1/rooms/{quoted(room_id)}/session", "", ""))


def comment(text: str, viewer_id: str, comment_id: str | None) -> wire.SessionComment:
    """Raises InvalidRequest, as the server would."""
    made = comment_id or f"c-{secrets.token_hex(8)}"
    return validated(wire.SessionComment, {"type": "comment", "comment_id": made, "viewer_id": viewer_id, "text": text})


def heard(message: str | bytes) -> wire.SessionEvent | None:
    """None for a kind of message that only a newer client knows. Raises UnexpectedReply for what is no message of this API."""
    try:
        return _EVENTS.validate_json(message)
    except ValidationError as error:
        if [finding["type"] for finding in error.errors(include_url=False)] == ["union_tag_invalid"]:
            return None
        raise UnexpectedReply(f"the session's message is not one of this API ({error.error_count()} faults)") from None


def ended(code: int | None, reason: str) -> LivecartError:
    """What an end that the caller did not ask for means."""
    if code in _BY_CODE:
        return _BY_CODE[code](reason or f"the server closed the session with {code}")
    return Unreachable(f"the session broke off ({code})")
