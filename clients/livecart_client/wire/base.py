"""What the other models are made of: checked text, numbers and times; errors, lists, traces."""

import re
from decimal import Decimal
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.config import JsonDict

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


def _whole(value: object) -> object:
    """A JSON number without a fraction is an integer, however it is written: 5.0 is 5."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _iso_time(value: object) -> object:
    if isinstance(value, int | float) or (isinstance(value, str) and not re.match(r"\d{4}-\d{2}-\d{2}", value)):
        raise ValueError('must be an ISO 8601 time with a zone such as "2026-11-11T20:00:00+08:00"')
    return value


def _attribute_value(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


# What the validators above refuse, for the schema; checked by them, whose words say more than a pattern.
_PLAIN: JsonDict = {"pattern": r"^[^\u0000]*$"}
_WORDS: JsonDict = {"pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}
_ID: JsonDict = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": r"^(?!\.{1,2}$)[^\u0000-\u0020\u007f/\\?#%]+$"}

Identifier = Annotated[str, AfterValidator(_identifier), WithJsonSchema(_ID)]
Name = Annotated[str, Field(min_length=1, max_length=200, json_schema_extra=_PLAIN), AfterValidator(_plain_text)]
ShortText = Annotated[str, Field(min_length=1, max_length=2_000, json_schema_extra=_PLAIN), AfterValidator(_plain_text)]
LongText = Annotated[str, Field(min_length=1, max_length=20_000, json_schema_extra=_PLAIN), AfterValidator(_plain_text)]
Asked = Annotated[ShortText, Field(json_schema_extra=_WORDS), AfterValidator(_some_words)]
AskedLong = Annotated[LongText, Field(json_schema_extra=_WORDS), AfterValidator(_some_words)]
AttributeValue = Annotated[
    str,
    BeforeValidator(_attribute_value),
    Field(max_length=500),
    AfterValidator(_plain_text),
    WithJsonSchema({"type": ["string", "number"], "maxLength": 500, **_PLAIN, "description": "A number is kept as text"}),
]
Amount = Annotated[
    Decimal,
    BeforeValidator(_decimal_string),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,4})?$", "examples": ["199.00"]}),
]
NotBoolean = BeforeValidator(_no_boolean)
Whole = BeforeValidator(_whole)
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
    writer: dict[str, int] = {}  # how often the writer was asked, and what became of what it wrote
    variants: dict[str, str] = Field(default={}, description="Variants that this request got: of experiments and of the graph's splits")


class GraphReply(Reply):
    degraded: bool = False
    trace: Trace | None = None
