"""The first schema."""

import os

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_logs()
    _create_catalogue()
    _create_rooms()
    _create_events()
    _create_experiments_and_questions()
    counters = sa.table("counters", sa.column("name"), sa.column("value"))
    op.bulk_insert(counters, [{"name": "changes", "value": 0}, {"name": "events", "value": 0}])
    secrets = sa.table("secrets", sa.column("name"), sa.column("value", sa.LargeBinary()))
    op.bulk_insert(secrets, [{"name": "event_digest", "value": os.urandom(32)}])


def downgrade() -> None:
    names = (
        "questions",
        "exposures",
        "erasures",
        "erased_events",
        "events",
        "shelf_history",
        "shelves",
        "rooms",
        "documents",
        "views",
        "products",
        "audit_log",
        "changes",
        "secrets",
        "counters",
    )
    for name in names:
        op.drop_table(name)


def _id() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _sequence() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _moment() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _create_logs() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secrets"),
    )
    op.create_table(
        "changes",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", _id(), nullable=False),
        sa.Column("op", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_changes"),
    )
    op.create_table(
        "audit_log",
        sa.Column("seq", _sequence(), nullable=False),
        sa.Column("at", _moment(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("key", sa.Text()),
        sa.Column("request_id", sa.Text()),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_log"),
    )


def _create_catalogue() -> None:
    op.create_table(
        "products",
        sa.Column("product_id", _id(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("price_amount", sa.String(), nullable=False),
        sa.Column("price_currency", sa.String(), nullable=False),
        sa.Column("brand", sa.Text()),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("stock", sa.BigInteger()),
        sa.PrimaryKeyConstraint("product_id", name="pk_products"),
    )
    op.create_table(
        "views",
        sa.Column("view_id", _sequence(), nullable=False),
        sa.Column("product_id", _id(), nullable=False),
        sa.Column("picture_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.Column("embeddings", sa.LargeBinary(), nullable=False),
        sa.Column("dim", sa.Integer(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.product_id"], name="fk_views_product_id"),
        sa.PrimaryKeyConstraint("view_id", name="pk_views"),
        sa.UniqueConstraint("product_id", "picture_sha256", name="uq_views_product_id_picture_sha256"),
    )
    op.create_table(
        "documents",
        sa.Column("document_id", _id(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("product_id", _id()),
        sa.Column("question", sa.Text()),
        sa.Column("answer", sa.Text()),
        sa.Column("text", sa.Text()),
        sa.Column("language", sa.String()),
        sa.ForeignKeyConstraint(["product_id"], ["products.product_id"], name="fk_documents_product_id"),
        sa.PrimaryKeyConstraint("document_id", name="pk_documents"),
    )
    op.create_index("ix_documents_product_id", "documents", ["product_id"])


def _create_rooms() -> None:
    op.create_table(
        "rooms",
        sa.Column("room_id", _id(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("showing", _id()),
        sa.ForeignKeyConstraint(["showing"], ["products.product_id"], name="fk_rooms_showing"),
        sa.PrimaryKeyConstraint("room_id", name="pk_rooms"),
    )
    op.create_index("ix_rooms_live_room_id", "rooms", ["live", "room_id"])
    op.create_index("ix_rooms_showing", "rooms", ["showing"])
    op.create_table(
        "shelves",
        sa.Column("room_id", _id(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("product_id", _id(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.product_id"], name="fk_shelves_product_id"),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.room_id"], name="fk_shelves_room_id"),
        sa.PrimaryKeyConstraint("room_id", "position", name="pk_shelves"),
    )
    op.create_index("ix_shelves_product_id", "shelves", ["product_id"])
    op.create_table(
        "shelf_history",
        sa.Column("seq", _sequence(), nullable=False),
        sa.Column("room_id", _id(), nullable=False),
        sa.Column("at", _moment(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("shelf", sa.JSON(), nullable=False),
        sa.Column("showing", _id()),
        sa.PrimaryKeyConstraint("seq", name="pk_shelf_history"),
    )
    op.create_index("ix_shelf_history_room_id_seq", "shelf_history", ["room_id", "seq"])


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", _id(), nullable=False),
        sa.Column("viewer_id", _id(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", _moment(), nullable=False),
        sa.Column("room_id", _id()),
        sa.Column("product_id", _id()),
        sa.Column("value", sa.Float()),
        sa.Column("text", sa.Text()),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sa.UniqueConstraint("event_id", name="uq_events_event_id"),
    )
    op.create_index("ix_events_viewer_id_at_seq", "events", ["viewer_id", "at", "seq"])
    op.create_table(
        "erased_events",
        sa.Column("event_digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("event_digest", name="pk_erased_events"),
    )
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.String(), nullable=False),
        sa.Column("at", _moment(), nullable=False),
        sa.Column("event_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("erasure_id", name="pk_erasures"),
    )


def _create_experiments_and_questions() -> None:
    op.create_table(
        "exposures",
        sa.Column("seq", _sequence(), nullable=False),
        sa.Column("experiment", _id(), nullable=False),
        sa.Column("variant", _id(), nullable=False),
        sa.Column("viewer_id", _id(), nullable=False),
        sa.Column("at", _moment(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_exposures"),
        sa.UniqueConstraint("experiment", "viewer_id", name="uq_exposures_experiment_viewer_id"),
    )
    op.create_index("ix_exposures_viewer_id", "exposures", ["viewer_id"])
    op.create_table(
        "questions",
        sa.Column("question_id", _sequence(), nullable=False),
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
