"""Messages of a room session, `WS /v1/rooms/{room_id}/session`."""

from typing import Annotated, Literal

from pydantic import Field

from livecart_client.wire.base import Asked, ErrorReply, Identifier, Reply, Request
from livecart_client.wire.graphs import AnswerReply, FrameSize, RecommendReply, SeenProduct


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
