"""Every shape that crosses the ingress, once: the server, the client and the tests share these models.

Requests refuse unknown fields, NaN and control characters; replies ignore fields that a newer server may add.
Money is a decimal string, never a float; times carry a zone; boxes are pixels of the submitted frame.
"""

import re
from decimal import Decimal
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

Language = Literal["zh", "en"]
T = TypeVar("T")


def _plain_text(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold a NUL character")
    return text


def _some_words(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _identifier(value: str) -> str:
    if not re.fullmatch(r"[^\x00-\x20\x7f/\\?#%]{1,128}", value):
        raise ValueError("must be 1 to 128 characters without spaces, control characters or any of / \\ ? # %")
    if value in (".", ".."):
        raise ValueError("must not be a dot path")
    return value


def _decimal_string(value: object) -> object:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str):
        raise ValueError('must be a decimal string such as "199.00", not a number')  # noqa: TRY004  # pydantic reports ValueErrors
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,4})?", value):
        raise ValueError('must be a decimal string such as "199.00": up to 12 digits before the point and 4 after it')
    return value


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number, not a boolean")  # noqa: TRY004  # pydantic reports ValueErrors
    return value


def _iso_time(value: object) -> object:
    if isinstance(value, int | float) or (isinstance(value, str) and not re.match(r"\d{4}-\d{2}-\d{2}", value)):
        raise ValueError('must be an ISO 8601 time with a zone such as "2026-11-11T20:00:00+08:00"')
    return value


def _attribute_value(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Identifier = Annotated[str, AfterValidator(_identifier)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain_text)]
ShortText = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_plain_text)]
LongText = Annotated[str, Field(min_length=1, max_length=20_000), AfterValidator(_plain_text)]
Asked = Annotated[ShortText, AfterValidator(_some_words)]
AttributeValue = Annotated[str, BeforeValidator(_attribute_value), Field(max_length=500), AfterValidator(_plain_text)]
Amount = Annotated[
    Decimal,
    BeforeValidator(_decimal_string),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,12}(\.\d{1,4})?$", "examples": ["199.00"]}),
]
NotBoolean = BeforeValidator(_no_boolean)
Flag = Annotated[bool, Field(strict=True)]
Moment = Annotated[AwareDatetime, BeforeValidator(_iso_time)]
Box = tuple[float, float, float, float]
ProductIds = Annotated[tuple[Identifier, ...], Field(max_length=500)]


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True, allow_inf_nan=False)


class Reply(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, from_attributes=True)


# --- errors, lists, traces ---------------------------------------------------------------------------------------------


class ErrorBody(Reply):
    code: str
    message: str
    type: str
    param: str | None = None
    details: list[dict[str, object]] = []


class ErrorReply(Reply):
    error: ErrorBody


class Page(Reply, Generic[T]):
    items: list[T]
    next_cursor: str | None = None


class NodeTrace(Reply):
    node: str
    outcome: Literal["ok", "timeout", "error", "skipped", "cancelled"]
    start_ms: float
    took_ms: float
    used_fallback: bool


class Trace(Reply):
    graph: str
    took_ms: float
    nodes: list[NodeTrace]


class GraphReply(Reply):
    degraded: bool = False
    trace: Trace | None = None


# --- state that backends keep up to date -------------------------------------------------------------------------------


class Money(Request):
    amount: Amount
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Product(Request):
    product_id: Identifier
    title: Name
    brand: Name | None = None
    category: Name
    price: Money
    attributes: Annotated[dict[Name, AttributeValue], Field(max_length=100)] = {}
    description: LongText | None = None
    tags: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    stock: Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)] | None = None


class Document(Request):
    document_id: Identifier
    kind: Literal["qa", "document"]
    product_id: Identifier | None = None
    question: ShortText | None = None
    answer: LongText | None = None
    text: LongText | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _has_its_text(self) -> "Document":
        if self.kind == "qa" and not (self.question and self.answer):
            raise ValueError("a `qa` needs `question` and `answer`")
        if self.kind == "document" and not self.text:
            raise ValueError("a `document` needs `text`")
        return self


class Room(Request):
    room_id: Identifier
    title: Name
    host: Name
    tags: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    live: Flag = False
    shelf: ProductIds = ()
    showing: Identifier | None = None


EventType = Literal[
    "enter", "leave", "watch", "impression", "click", "like", "comment", "share", "cart", "purchase", "display", "correction"
]


class Event(Request):
    event_id: Identifier
    viewer_id: Identifier
    type: EventType
    at: Moment
    room_id: Identifier | None = None
    product_id: Identifier | None = None
    value: Annotated[float, NotBoolean] | None = None
    text: ShortText | None = None


class Views(Reply):
    product_id: str
    views: int


class Accepted(Reply):
    accepted: int
    duplicates: int


class OpenQuestion(Reply):
    """A question of a viewer that nobody could answer, and what became of it."""

    question: str
    at: AwareDatetime
    status: str
    room_id: str | None = None
    product_id: str | None = None


class Exposure(Reply):
    """A variant of an experiment that a viewer was shown."""

    experiment: str
    variant: str
    at: AwareDatetime


class Viewer(Reply):
    viewer_id: str
    events: list[Event]
    questions: list[OpenQuestion] = []
    exposures: list[Exposure] = []


# --- graphs ------------------------------------------------------------------------------------------------------------


class EncodedPicture(Request):
    base64: Annotated[str, Field(min_length=1)]


class RecognizeOptions(Request):
    """What goes with a frame, as form fields or query parameters."""

    room_id: Identifier | None = None
    top_k: Annotated[int, Field(ge=1, le=50), NotBoolean] = 3
    min_score: Annotated[float, Field(ge=0, le=1), NotBoolean] | None = None


class RecognizeRequest(RecognizeOptions):
    frame: EncodedPicture


class FrameSize(Reply):
    width: int
    height: int


class ProductMatch(Reply):
    product_id: str
    title: str
    similarity: float


class SeenProduct(Reply):
    box: Box
    score: float
    category: str
    track_id: int | None = None
    matches: list[ProductMatch]


class RecognizeReply(GraphReply):
    frame: FrameSize
    products: list[SeenProduct]


class AnswerRequest(Request):
    question: Asked
    room_id: Identifier | None = None
    product_id: Identifier | None = None
    viewer_id: Identifier | None = None
    language: Language | None = None
    stream: Flag = False


class Citation(Reply):
    source_id: str
    kind: Literal["spec", "qa", "document"]
    text: str
    score: float


class LabelScore(Reply):
    label: str
    score: float


class Answer(Reply):
    answer: str
    grounded: bool
    abstained: bool
    source: Literal["slot", "bank", "llm", "none"]
    citations: list[Citation]
    intent: LabelScore
    sentiment: LabelScore
    product_ids: list[str]
    ai_generated: bool


class AnswerReply(Answer, GraphReply):
    pass


class ScriptRequest(Request):
    product_ids: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=20)]
    audience: Name | None = None
    scene: Name | None = None
    style: Name | None = None
    language: Language = "zh"
    duration_s: Annotated[float, Field(ge=10, le=3_600), NotBoolean] = 90
    stream: Flag = False


class Finding(Reply):
    rule: str
    start: int
    end: int
    text: str
    suggestion: str


class Compliance(Reply):
    passed: bool
    findings: list[Finding]


class Segment(Reply):
    kind: Literal["opening", "product", "interaction", "promotion", "closing"]
    product_id: str | None = None
    text: str
    seconds: float


class ScriptReply(GraphReply):
    segments: list[Segment]
    summary: str
    keywords: list[str]
    compliance: Compliance
    ai_generated: Literal[True] = True


class AnalyzeRequest(Request):
    text: Annotated[LongText, AfterValidator(_some_words)]
    language: Language | None = None


class Claim(Reply):
    text: str
    grounded: bool


class AnalyzeReply(GraphReply):
    keywords: list[str]
    product_ids: list[str]
    summary: str
    claims: list[Claim]
    compliance: Compliance


class RecommendContext(Request):
    product_ids: ProductIds = ()


class RecommendRequest(Request):
    viewer_id: Identifier
    room_id: Identifier | None = None
    k: Annotated[int, Field(ge=1, le=100), NotBoolean] = 10
    context: RecommendContext = RecommendContext()
    exclude: ProductIds = ()
    within: Literal["room"] | None = None


class Reason(Reply):
    kind: Literal["similar_to", "bought_together", "on_shelf", "popular", "fresh"]
    product_id: str | None = None
    weight: float
    text: str


class RecommendedProduct(Reply):
    product_id: str
    score: float
    reasons: list[Reason]


class ExperimentExposure(Reply):
    name: str
    variant: str


class RecommendReply(GraphReply):
    items: list[RecommendedProduct]
    experiment: ExperimentExposure | None = None


class RoomsRequest(Request):
    viewer_id: Identifier
    k: Annotated[int, Field(ge=1, le=100), NotBoolean] = 10


class RoomReason(Reply):
    kind: Literal["watched_before", "similar_to", "topic", "popular", "fresh"]
    weight: float
    text: str


class RecommendedRoom(Reply):
    room_id: str
    score: float
    reasons: list[RoomReason]


class RoomsReply(GraphReply):
    rooms: list[RecommendedRoom]


class MomentOptions(Request):
    """What goes with a frame, as form fields or query parameters."""

    viewer_id: Identifier
    room_id: Identifier | None = None
    comment: Asked | None = None
    k: Annotated[int, Field(ge=1, le=100), NotBoolean] = 5


class MomentRequest(MomentOptions):
    frame: EncodedPicture


class MomentReply(GraphReply):
    products: list[SeenProduct]
    answer: Answer | None = None
    recommendations: list[RecommendedProduct]


# --- room sessions: messages of WS /v1/rooms/{room_id}/session -----------------------------------------------------------


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


class SessionPong(Reply):
    type: Literal["pong"] = "pong"
    dropped: int


class SessionError(ErrorReply):
    """The session goes on."""

    type: Literal["error"] = "error"
    comment_id: str | None = None  # the comment that stays without an answer
