"""Questions are merged: one row however often and by whomever it was asked, with its askers and rooms beside it."""

import re
import unicodedata
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_SILENT = frozenset({"Zs", "Zl", "Zp", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "So", "Sk", "Cc", "Cf"})
_RANK = {"open": 0, "answered": 1, "dismissed": 2}  # of rows that become one, the first of these counts

_counters = sa.table("counters", sa.column("name"), sa.column("value"))


def upgrade() -> None:
    old = sa.table("questions", *map(sa.column, ("question_id", "question", "room_id", "product_id", "viewer_id", "language", "status")))
    old.append_column(sa.column("at", _moment()))
    rows = op.get_bind().execute(sa.select(old).order_by(old.c.question_id)).mappings().all()
    op.drop_table("questions")
    _create_tables()
    questions, askers, rooms = _merged(dict(row) for row in rows)
    for table, values in (("questions", questions), ("askers", askers), ("question_rooms", rooms)):
        if values:
            op.bulk_insert(sa.Table(table, sa.MetaData(), autoload_with=op.get_bind()), values)
    op.bulk_insert(_counters, [{"name": "questions", "value": max((row["question_id"] for row in rows), default=0)}])


def downgrade() -> None:
    """Each asker gets a row of the old kind; a question without one gets a row without a viewer."""
    read = (
        "SELECT q.question, q.product_id, q.language, q.status, q.last_asked, a.viewer_id, a.room_id "
        "FROM questions q LEFT JOIN askers a ON a.question_id = q.question_id ORDER BY q.question_id"
    )
    typed = sa.text(read).columns(last_asked=_moment())
    rows = [dict(row) for row in op.get_bind().execute(typed).mappings()]
    for name in ("question_rooms", "askers", "questions"):
        op.drop_table(name)
    op.execute(_counters.delete().where(_counters.c.name == "questions"))
    _create_old_table()
    if rows:
        fresh = [{"question_id": number, "at": row.pop("last_asked"), **row} for number, row in enumerate(rows, start=1)]
        op.bulk_insert(sa.Table("questions", sa.MetaData(), autoload_with=op.get_bind()), fresh)
        if op.get_bind().dialect.name == "postgresql":
            op.execute("SELECT setval(pg_get_serial_sequence('questions', 'question_id'), max(question_id)) FROM questions")


def _merged(rows: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    questions: dict[bytes, dict[str, Any]] = {}
    askers: dict[tuple[int, str], dict[str, Any]] = {}
    rooms: set[tuple[int, str]] = set()
    for row in rows:
        digest = sha256(f"{row['product_id'] or ''}\0{_folded(row['question'])}".encode()).digest()
        question = questions.setdefault(digest, _question(digest, row))
        question["times"] += 1
        question["last_asked"] = max(question["last_asked"], row["at"])
        question["status"] = min(question["status"], row["status"], key=lambda status: _RANK[str(status)])
        number = question["question_id"]
        if row["viewer_id"] is not None:
            link = {"question_id": number, "viewer_id": row["viewer_id"], "room_id": row["room_id"], "at": row["at"], "times": 0}
            askers.setdefault((number, row["viewer_id"]), link)["times"] += 1
        if row["room_id"] is not None:
            rooms.add((number, row["room_id"]))
    for question in questions.values():
        question["settled_at"] = None if question["status"] == "open" else question["last_asked"]
    return list(questions.values()), list(askers.values()), [{"question_id": one, "room_id": room} for one, room in sorted(rooms)]


def _question(digest: bytes, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "question_id": row["question_id"],
        "digest": digest,
        "question": row["question"],
        "language": row["language"],
        "product_id": row["product_id"],
        "source": "none",
        "answer": None,
        "status": row["status"],
        "times": 0,
        "is_common": False,
        "first_asked": row["at"],
        "last_asked": row["at"],
        "settled_at": None,
        "document_id": None,
    }


def _folded(text: str) -> str:
    """As `deployments.store.askings.question_key` was when this was written."""
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).casefold().replace("~", " ")).strip()
    return "".join(c for place, c in enumerate(plain) if _is_telling(plain, place)) or plain


def _is_telling(text: str, place: int) -> bool:
    if text[place] in "%#&" or unicodedata.category(text[place]) not in _SILENT:
        return True
    return text[place - 1 : place].isdecimal() and text[place + 1 : place + 2].isdecimal()


def _id() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _moment() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _create_tables() -> None:
    op.create_table(
        "questions",
        sa.Column("question_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("language", sa.String()),
        sa.Column("product_id", _id()),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("is_common", sa.Boolean(), nullable=False),
        sa.Column("first_asked", _moment(), nullable=False),
        sa.Column("last_asked", _moment(), nullable=False),
        sa.Column("settled_at", _moment()),
        sa.Column("document_id", _id()),
        sa.PrimaryKeyConstraint("question_id", name="pk_questions"),
        sa.UniqueConstraint("digest", name="uq_questions_digest"),
    )
    op.create_index("ix_questions_product_id", "questions", ["product_id"])
    op.create_index("ix_questions_last_asked", "questions", ["last_asked"])
    op.create_index("ix_questions_status_times_question_id", "questions", ["status", "times", "question_id"])
    op.create_index("ix_questions_status_question_id", "questions", ["status", "question_id"])
    op.create_table(
        "askers",
        sa.Column("question_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("viewer_id", _id(), nullable=False),
        sa.Column("room_id", _id()),
        sa.Column("at", _moment(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["questions.question_id"], name="fk_askers_question_id"),
        sa.PrimaryKeyConstraint("question_id", "viewer_id", name="pk_askers"),
    )
    op.create_index("ix_askers_viewer_id", "askers", ["viewer_id"])
    op.create_table(
        "question_rooms",
        sa.Column("question_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("room_id", _id(), nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["questions.question_id"], name="fk_question_rooms_question_id"),
        sa.PrimaryKeyConstraint("question_id", "room_id", name="pk_question_rooms"),
    )
    op.create_index("ix_question_rooms_room_id", "question_rooms", ["room_id"])


def _create_old_table() -> None:
    op.create_table(
        "questions",
        sa.Column("question_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", _moment(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("room_id", _id()),
        sa.Column("product_id", _id()),
        sa.Column("viewer_id", _id()),
        sa.Column("language", sa.String()),
        sa.Column("status", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("question_id", name="pk_questions"),
    )
    op.create_index("ix_questions_status_question_id", "questions", ["status", "question_id"])
    op.create_index("ix_questions_viewer_id", "questions", ["viewer_id"])
