"""Which Delta version of each table counts."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, DateTime, MetaData, String, Table

revision = "0005"
down_revision = "0004"

metadata = MetaData()

Table(
    "heads",
    metadata,
    Column("table_name", String(130), primary_key=True),
    Column("version", BigInteger),
    Column("run_id", String(510)),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)


def upgrade() -> None:
    """Make the table."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Drop it."""
    metadata.drop_all(op.get_bind())
