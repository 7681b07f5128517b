"""What people decide (questions, discards, corrections), what waits in quarantine, profiles of days, and which days are clean."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Boolean, Column, DateTime, Index, MetaData, String, Table, Text, true

revision = "0003"
down_revision = "0002"

metadata = MetaData()
TABLE, DAY, RUN = String(130), String(10), String(510)
WIDENED = {"table_days": "run_id", "attempts": "run_id", "verdicts": "run_id", "files": "run_id", "models": "run_id", "leases": "owner"}
"""The names of runs, for which 300 characters were too few."""

Table(
    "questions",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("day", DAY, primary_key=True),
    Column("rule", String(300), primary_key=True),
    Column("candidate", String(64), primary_key=True),
    Column("run_id", RUN, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("answer", String(10)),
    Column("answered_by", String(200)),
    Column("reason", Text),
    Column("answered_at", DateTime(timezone=True)),
    Index("questions_by_run", "run_id", "table_name"),
)
Table(
    "quarantined",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("keys", JSON, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)
Table(
    "discards",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("row_id", String(200), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("who", String(200), nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False),
)
Table(
    "corrections",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("row_id", String(200), primary_key=True),
    Column("day", DAY, nullable=False),
    Column("values_", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", String(200), nullable=False),
    Column("corrected_at", DateTime(timezone=True), nullable=False),
    Index("corrections_by_day", "table_name", "day"),
)
Table(
    "profiles",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("day", DAY, primary_key=True),
    Column("column_name", String(130), primary_key=True),
    Column("run_id", RUN, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)


def upgrade() -> None:
    """Make the new tables and columns, and widen the names of runs."""
    for table, column in WIDENED.items():
        with op.batch_alter_table(table) as batch:
            batch.alter_column(column, type_=RUN, existing_type=String(300), existing_nullable=False)
    metadata.create_all(op.get_bind())
    op.add_column("table_days", Column("clean", Boolean, nullable=False, server_default=true()))
    op.add_column("files", Column("landed_at", DateTime(timezone=True)))


def downgrade() -> None:
    """Drop them; wide names do no harm."""
    for table, column in (("table_days", "clean"), ("files", "landed_at")):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
    metadata.drop_all(op.get_bind())
