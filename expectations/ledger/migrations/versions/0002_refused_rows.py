"""Refused rows of an arrival, and counts and file sizes beyond two thousand million."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, inspect

revision = "0002"
down_revision = "0001"

COUNTS = {
    "table_days": ("rows_in", "rows_out", "rows_quarantined", "rows_dropped"),
    "verdicts": ("rows_judged", "rows_broken"),
    "files": ("bytes",),
}


def upgrade() -> None:
    """Add `refused`, where an early 0001 has not made it yet, and widen the counts."""
    if "refused" not in {column["name"] for column in inspect(op.get_bind()).get_columns("arrivals")}:
        op.add_column("arrivals", Column("refused", Integer, nullable=False, server_default="0"))
    for table, columns in COUNTS.items():
        with op.batch_alter_table(table) as batch:
            for name in columns:
                batch.alter_column(name, type_=BigInteger(), existing_type=Integer(), existing_nullable=False)


def downgrade() -> None:
    """Drop `refused`; wide counts do no harm."""
    with op.batch_alter_table("arrivals") as batch:
        batch.drop_column("refused")
