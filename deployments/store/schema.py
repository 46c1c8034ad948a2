"""The tables. Migrations create them; a test holds both to the same shape.

`counters` numbers changes, events and questions without gaps: a writing transaction takes its row lock first and keeps it until the commit,
so numbers become visible in their own order. A PostgreSQL sequence would not do that: 8 may be committed before 7, and a follower would
step over 7. Of exposures it holds how many there are, for the lock.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: any zone goes in (a time without one is refused), UTC comes out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value.isoformat()} has no zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Id(TypeDecorator[str]):
    """An id. It sorts by code point on both databases, whatever the server's locale, so that pages come in one order.

    Rows are checked before they are written; an id that no row can hold (NUL, lone surrogates) is looked up as NULL, which equals nothing.
    """

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        return dialect.type_descriptor(String(collation="C") if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is not None and is_storable(value) else None


def is_storable(text: str) -> bool:
    """Both databases hold any valid UTF-8; PostgreSQL no NUL, so neither does."""
    if text.isascii():
        return "\0" not in text
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _sequence() -> BigInteger:
    """A 64-bit key numbered by the database; SQLite numbers only a column declared INTEGER."""
    return BigInteger().with_variant(Integer(), "sqlite")


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

counters = Table("counters", metadata, Column("name", String(), primary_key=True), Column("value", BigInteger(), nullable=False))

secrets = Table("secrets", metadata, Column("name", String(), primary_key=True), Column("value", LargeBinary(), nullable=False))

products = Table(
    "products",
    metadata,
    Column("product_id", Id(), primary_key=True),
    Column("title", Text(), nullable=False),
    Column("category", Text(), nullable=False),
    Column("price_amount", String(), nullable=False),  # decimal string: exact, and the trailing zeros stay
    Column("price_currency", String(), nullable=False),
    Column("brand", Text()),
    Column("attributes", JSON(), nullable=False),
    Column("description", Text()),
    Column("tags", JSON(), nullable=False),
    Column("stock", BigInteger()),
)

views = Table(
    "views",
    metadata,
    Column("view_id", _sequence(), primary_key=True),
    Column("product_id", Id(), ForeignKey("products.product_id"), nullable=False),
    Column("picture_sha256", LargeBinary(), nullable=False),
    Column("picture", LargeBinary(), nullable=False),  # as enrolled: another embedder can start from it
    Column("embeddings", LargeBinary(), nullable=False),  # little-endian float32 (n, dim), rows joined
    Column("dim", Integer(), nullable=False),
    Column("model", Text(), nullable=False),
    UniqueConstraint("product_id", "picture_sha256"),
)

documents = Table(
    "documents",
    metadata,
    Column("document_id", Id(), primary_key=True),
    Column("kind", String(), nullable=False),
    Column("product_id", Id(), ForeignKey("products.product_id"), index=True),
    Column("question", Text()),
    Column("answer", Text()),
    Column("text", Text()),
    Column("language", String()),
)

rooms = Table(
    "rooms",
    metadata,
    Column("room_id", Id(), primary_key=True),
    Column("title", Text(), nullable=False),
    Column("host", Text(), nullable=False),
    Column("tags", JSON(), nullable=False),
    Column("live", Boolean(), nullable=False),
    Column("showing", Id(), ForeignKey("products.product_id"), index=True),
    Index(None, "live", "room_id"),
)

shelves = Table(
    "shelves",
    metadata,
    Column("room_id", Id(), ForeignKey("rooms.room_id"), primary_key=True),
    Column("position", Integer(), primary_key=True),
    Column("product_id", Id(), ForeignKey("products.product_id"), nullable=False, index=True),
)

shelf_history = Table(
    "shelf_history",
    metadata,
    Column("seq", _sequence(), primary_key=True),
    Column("room_id", Id(), nullable=False),  # outlives the room: no foreign key
    Column("at", UtcDateTime(), nullable=False),
    Column("live", Boolean(), nullable=False),
    Column("shelf", JSON(), nullable=False),
    Column("showing", Id()),
    Index(None, "room_id", "seq"),
)

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger(), primary_key=True, autoincrement=False),
    Column("event_id", Id(), nullable=False, unique=True),
    Column("viewer_id", Id(), nullable=False),
    Column("type", String(), nullable=False),
    Column("at", UtcDateTime(), nullable=False),
    Column("room_id", Id()),
    Column("product_id", Id()),
    Column("value", Float()),
    Column("text", Text()),
    Index(None, "viewer_id", "at", "seq"),
)

erased_events = Table("erased_events", metadata, Column("event_digest", LargeBinary(), primary_key=True))

erasures = Table(
    "erasures",
    metadata,
    Column("erasure_id", String(), primary_key=True),  # random; says that an erasure happened, not whose
    Column("at", UtcDateTime(), nullable=False),
    Column("event_count", BigInteger(), nullable=False),
)

exposures = Table(
    "exposures",
    metadata,
    Column("experiment", Id(), primary_key=True),
    Column("viewer_id", Id(), primary_key=True, index=True),
    Column("variant", Id(), nullable=False),
    Column("at", UtcDateTime(), nullable=False),  # the first time
    *(Column(name, Float()) for name in ("impressions", "clicks", "purchases", "revenue")),  # since then
    *(Column(f"{name}_before", Float()) for name in ("impressions", "clicks", "purchases", "revenue")),
    Column("counted", BigInteger()),  # number of the latest event when that was counted
    Column("due", BigInteger(), nullable=False, server_default="0"),  # number of an event up to which it has to be
    Index(None, "experiment", "at"),
)

tallies = Table(
    "tallies",
    metadata,
    Column("experiment", Id(), primary_key=True),
    Column("since", UtcDateTime(), nullable=False),  # events before this are not counted
    Column("seen", BigInteger(), nullable=False),  # number of the event up to which exposures were made due
)

allocations = Table(
    "allocations",
    metadata,
    Column("experiment", Id(), primary_key=True),
    Column("period", BigInteger(), primary_key=True, autoincrement=False),  # the replica that is first in it decides for all
    Column("weights", JSON(), nullable=False),  # variant -> weight
)

questions = Table(
    "questions",
    metadata,
    Column("question_id", BigInteger(), primary_key=True, autoincrement=False),  # from the counter: never given twice
    Column("digest", LargeBinary(), nullable=False, unique=True),  # of the folded text and the product: asked again, it is the same row
    Column("question", Text(), nullable=False),
    Column("language", String()),
    Column("product_id", Id(), index=True),
    Column("source", String(), nullable=False),
    Column("answer", Text()),  # what the LLM said
    Column("status", String(), nullable=False),
    Column("times", BigInteger(), nullable=False),
    Column("is_common", Boolean(), nullable=False),  # asked by so many that nobody is remembered for it
    Column("first_asked", UtcDateTime(), nullable=False),
    Column("last_asked", UtcDateTime(), nullable=False, index=True),
    Column("settled_at", UtcDateTime()),
    Column("document_id", Id()),  # the bank entry that an editor made of it
    Index(None, "status", "times", "question_id"),
    Index(None, "status", "question_id"),
)

askers = Table(
    "askers",
    metadata,
    Column("question_id", BigInteger(), ForeignKey("questions.question_id"), primary_key=True, autoincrement=False),
    Column("viewer_id", Id(), primary_key=True, index=True),
    Column("room_id", Id()),
    Column("at", UtcDateTime(), nullable=False),
    Column("times", BigInteger(), nullable=False),
)

question_rooms = Table(
    "question_rooms",
    metadata,
    Column("question_id", BigInteger(), ForeignKey("questions.question_id"), primary_key=True, autoincrement=False),
    Column("room_id", Id(), primary_key=True, index=True),
)

changes = Table(
    "changes",
    metadata,
    Column("seq", BigInteger(), primary_key=True, autoincrement=False),
    Column("kind", String(), nullable=False),
    Column("key", Id(), nullable=False),
    Column("op", String(), nullable=False),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", _sequence(), primary_key=True),
    Column("at", UtcDateTime(), nullable=False),
    Column("actor", Text(), nullable=False),
    Column("action", String(), nullable=False),
    Column("key", Text()),
    Column("request_id", Text()),
)
