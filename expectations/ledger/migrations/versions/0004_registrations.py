"""Which tables and partitions a Hive metastore knows."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, DateTime, MetaData, String, Table

revision = "0004"
down_revision = "0003"

metadata = MetaData()

Table(
    "registrations",
    metadata,
    Column("metastore", String(300), primary_key=True),
    Column("table_name", String(130), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("code", String(64), nullable=False),
    Column("run_id", String(510), nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
)


def upgrade() -> None:
    """Make the table."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Drop it."""
    metadata.drop_all(op.get_bind())
