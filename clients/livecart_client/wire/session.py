"""Messages of a room session, `WS /v1/rooms/{room_id}/session`."""

from enum import IntEnum
from typing import Annotated, Literal

from pydantic import Field

from livecart_client.wire.base import Asked, ErrorReply, Identifier, Reply, Request
from livecart_client.wire.graphs import AnswerReply, FrameSize, RecommendReply, SeenProduct


class SessionClose(IntEnum):
    """Why a session's connection is closed, as a WebSocket close code (RFC 6455, section 7.4; 4000 and above are this API's)."""

    DONE = 1000
    GOING_AWAY = 1001  # the server stops, or the caller leaves the page
    GARBAGE = 1003
    WITHOUT_CODE = 1005  # never sent: a close frame that has no code
    LOST = 1006  # never sent: the connection broke off without a close frame
    TOO_LARGE = 1009
    BROKEN = 1011
    REPLACED = 1012
    TRY_AGAIN = 1013
    UNAUTHENTICATED = 4401
    FORBIDDEN = 4403
    UNKNOWN_ROOM = 4404


class SessionFrame(Request):
    type: Literal["frame"]
    base64: Annotated[str, Field(min_length=1)]  # JPEG, PNG or WebP; a binary message is the picture itself


class SessionComment(Request):
    """Answered by `reply_token`s and a `reply`, or by an `error`, each with this `comment_id`."""

    type: Literal["comment"]
    comment_id: Identifier
    viewer_id: Identifier
    text: Asked


class SessionPing(Request):
    type: Literal["ping"]


SessionMessage = Annotated[SessionFrame | SessionComment | SessionPing, Field(discriminator="type")]


class SessionProducts(Reply):
    """What is shown now, sent when that has changed. The boxes are those of the newest frame that saw each product."""

    type: Literal["products"] = "products"
    frame: FrameSize
    products: list[SeenProduct]
    dropped: int  # frames of this session that a newer one replaced before they were looked at


class SessionReplyToken(Reply):
    type: Literal["reply_token"] = "reply_token"  # a word of an answer
    comment_id: str
    text: str


class SessionReply(AnswerReply):
    type: Literal["reply"] = "reply"
    comment_id: str


class SessionRecommendations(RecommendReply):
    """For one viewer, to go with what is shown."""

    type: Literal["recommendations"] = "recommendations"
    viewer_id: str


class SessionPong(Reply):
    type: Literal["pong"] = "pong"
    dropped: int


class SessionError(ErrorReply):
    """The session goes on."""

    type: Literal["error"] = "error"
    comment_id: str | None = None  # the comment that stays without an answer
    retry_after_ms: int | None = None  # of `overloaded`: when it may be sent again


SessionEvent = Annotated[
    SessionProducts | SessionReplyToken | SessionReply | SessionRecommendations | SessionPong | SessionError, Field(discriminator="type")
]
