"""State that backends keep up to date: products, knowledge, rooms, events, viewers."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict, JsonValue

from livecart_client.wire.base import (
    Amount,
    Asked,
    AskedLong,
    AttributeValue,
    Flag,
    Identifier,
    Language,
    LongText,
    Moment,
    Name,
    NotBoolean,
    ProductIds,
    Reply,
    Request,
    ShortText,
    Whole,
)


class Money(Request):
    amount: Amount
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Product(Request):
    product_id: Identifier
    title: Name
    brand: Name | None = None
    category: Name
    price: Money
    attributes: Annotated[dict[Name, AttributeValue], Field(max_length=100, json_schema_extra={"additionalProperties": False})] = {}  # noqa: RUF012  # pydantic copies defaults
    description: LongText | None = None
    tags: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    stock: Annotated[int, Field(ge=0, le=1_000_000_000, strict=True), Whole] | None = None


def _needs(kind: str, *names: str) -> JsonDict:
    """In the schema: a document of this kind has these texts."""
    texts: dict[str, JsonValue] = {name: {"type": "string"} for name in names}
    return {"properties": {"kind": {"const": kind}, **texts}, "required": list(names)}


class Document(Request):
    model_config = ConfigDict(json_schema_extra={"oneOf": [_needs("qa", "question", "answer"), _needs("document", "text")]})

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


class Question(Reply):
    """A question that was declined or answered by the LLM; asked again in other spacing, case or punctuation it is the same one."""

    question_id: Annotated[str, BeforeValidator(str)]
    question: str  # as it was asked first
    status: Literal["open", "answered", "dismissed"]
    source: Literal["none", "llm"]  # who answered the viewer the latest time: nobody, or the LLM
    answer: str | None = None  # what the LLM said the latest time it did
    language: Language | None = None
    product_id: str | None = None
    room_ids: list[str] = []  # noqa: RUF012  # pydantic copies defaults
    count: int  # how often it was asked
    first_asked: AwareDatetime
    last_asked: AwareDatetime
    document_id: str | None = None  # the bank entry that was made of it


class QuestionAnswer(Request):
    """An editor's answer; what is left out is the question's own."""

    answer: AskedLong
    question: Asked | None = None
    product_id: Identifier | None = None  # null: for the whole shop
    language: Language | None = None


class OpenQuestion(Reply):
    """A question of a viewer that was declined or answered by the LLM, and what became of it."""

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
    questions: list[OpenQuestion] = []  # noqa: RUF012  # pydantic copies defaults
    exposures: list[Exposure] = []  # noqa: RUF012  # pydantic copies defaults
