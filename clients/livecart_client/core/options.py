"""What may be said with a call, by name: the fields of its wire model, and how it is to be carried out."""

from collections.abc import Sequence
from typing import Literal, TypedDict

from livecart_client.wire import Language


class CallOptions(TypedDict, total=False):
    deadline_s: float | None  # the whole budget, tries and waits included; the server stops working when it is spent
    request_id: str | None  # made where none is given; the same in all tries


class GraphOptions(CallOptions, total=False):
    trace: bool  # tell how each node of the graph fared


class RecognizeOptions(GraphOptions, total=False):
    room_id: str | None
    top_k: int
    min_score: float | None


class MomentOptions(GraphOptions, total=False):
    room_id: str | None
    comment: str | None
    k: int


class AnswerOptions(GraphOptions, total=False):
    room_id: str | None
    product_id: str | None
    viewer_id: str | None
    language: Language | None


class ScriptOptions(GraphOptions, total=False):
    audience: str | None
    scene: str | None
    style: str | None
    language: Language | None
    duration_s: float


class LanguageOptions(GraphOptions, total=False):
    language: Language | None


class RecommendOptions(GraphOptions, total=False):
    room_id: str | None
    k: int
    context: Sequence[str]  # ids of products that the viewer looks at
    exclude: Sequence[str]
    within: Literal["room"] | None


class RoomsOptions(GraphOptions, total=False):
    k: int


class PageOptions(CallOptions, total=False):
    cursor: str | None
    limit: int


class RoomPageOptions(PageOptions, total=False):
    live: bool | None


class QuestionPageOptions(PageOptions, total=False):
    status: Literal["open", "answered", "dismissed", "all"]
    source: Literal["none", "llm"] | None
    room_id: str | None
    product_id: str | None
    order: Literal["most_asked", "newest"]


class QuestionAnswerOptions(CallOptions, total=False):
    question: str
    product_id: str | None  # None: for the whole shop; left out: the question's own
    language: Language
