"""Experiments: exposures are kept by experiment and viewer, and weights that results have moved are written down."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_counters = sa.table("counters", sa.column("name"), sa.column("value"))


def upgrade() -> None:
    rows = _rows()
    op.drop_table("exposures")
    op.create_table(
        "exposures",
        sa.Column("experiment", _id(), nullable=False),
        sa.Column("viewer_id", _id(), nullable=False),
        sa.Column("variant", _id(), nullable=False),
        sa.Column("at", _moment(), nullable=False),
        sa.PrimaryKeyConstraint("experiment", "viewer_id", name="pk_exposures"),
    )
    op.create_index("ix_exposures_viewer_id", "exposures", ["viewer_id"])
    op.create_index("ix_exposures_experiment_at", "exposures", ["experiment", "at"])
    op.create_table(
        "allocations",
        sa.Column("experiment", _id(), nullable=False),
        sa.Column("period", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("weights", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("experiment", "period", name="pk_allocations"),
    )
    _insert(rows)
    op.bulk_insert(_counters, [{"name": "exposures", "value": len(rows)}])


def downgrade() -> None:
    rows = _rows()
    op.drop_table("allocations")
    op.drop_table("exposures")
    op.execute(_counters.delete().where(_counters.c.name == "exposures"))
    op.create_table(
        "exposures",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("experiment", _id(), nullable=False),
        sa.Column("variant", _id(), nullable=False),
        sa.Column("viewer_id", _id(), nullable=False),
        sa.Column("at", _moment(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_exposures"),
        sa.UniqueConstraint("experiment", "viewer_id", name="uq_exposures_experiment_viewer_id"),
    )
    op.create_index("ix_exposures_viewer_id", "exposures", ["viewer_id"])
    _insert(rows)


def _rows() -> list[dict[str, object]]:
    read = sa.text("SELECT experiment, viewer_id, variant, at FROM exposures ORDER BY at").columns(at=_moment())
    return [dict(row) for row in op.get_bind().execute(read).mappings()]


def _insert(rows: list[dict[str, object]]) -> None:
    if rows:
        op.bulk_insert(sa.Table("exposures", sa.MetaData(), autoload_with=op.get_bind()), rows)


def _id() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _moment() -> sa.DateTime:
    return sa.DateTime(timezone=True)
