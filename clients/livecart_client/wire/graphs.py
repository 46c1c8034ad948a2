"""Requests to the inference graphs, and their answers."""

from typing import Annotated, Literal

from pydantic import Field

from livecart_client.wire.base import (
    Asked,
    AskedLong,
    Box,
    Flag,
    GraphReply,
    Identifier,
    Language,
    Name,
    NotBoolean,
    ProductIds,
    Reply,
    Request,
)

ClaimKind = Literal["figure", "property", "effect", "offer", "comparison", "absence", "finding"]


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
    product_ids: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=50)]
    audience: Name | None = None
    scene: Name | None = None
    style: Name | None = None
    language: Annotated[Language | None, Field(description="That of most products' titles when left out")] = None
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


class CopyRequest(Request):
    product_id: Identifier
    channel: Literal["title", "description", "ad"]
    language: Annotated[Language | None, Field(description="That of the product's title when left out")] = None


class CopyReply(GraphReply):
    text: str
    attributes_used: Annotated[list[str], Field(description="Attributes whose values stand in the text, and `price` when that does")]
    compliance: Compliance
    ai_generated: Literal[True] = True


class AnalyzeRequest(Request):
    text: AskedLong
    language: Language | None = None


class Claim(Reply):
    text: str
    grounded: bool
    kinds: list[ClaimKind] = Field(default=[], description="What makes it a claim; `finding`: the compliance check minds its wording")


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
    experiment: ExperimentExposure | None = None
