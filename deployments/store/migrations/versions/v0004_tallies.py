"""What each exposed viewer did is kept beside the exposure, so that sums of an experiment need not read all events again."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_MEASURES = ("impressions", "clicks", "purchases", "revenue")


def upgrade() -> None:
    for name in (*_MEASURES, *(f"{name}_before" for name in _MEASURES)):
        op.add_column("exposures", sa.Column(name, sa.Float(), nullable=True))
    op.add_column("exposures", sa.Column("counted", sa.BigInteger(), nullable=True))
    op.add_column("exposures", sa.Column("due", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "tallies",
        sa.Column("experiment", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("experiment", name="pk_tallies"),
    )


def downgrade() -> None:
    op.drop_table("tallies")
    for name in ("due", "counted", *(f"{name}_before" for name in reversed(_MEASURES)), *reversed(_MEASURES)):
        op.drop_column("exposures", name)
