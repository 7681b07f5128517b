"""The first schema, written out: what stands in schema.py today is the sum of all migrations."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, Boolean, Column, DateTime, Float, Index, Integer, MetaData, String, Table, Text

revision = "0001"
down_revision = None

metadata = MetaData()
TABLE, DAY, RUN = String(130), String(10), String(300)

Table(
    "table_days",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("day", DAY, primary_key=True),
    Column("state", String(10), nullable=False),
    Column("version", Integer),
    Column("run_id", RUN, nullable=False),
    Column("contract_hash", String(16), nullable=False),
    Column("logic_hash", String(16), nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("rows_in", Integer, nullable=False),
    Column("rows_out", Integer, nullable=False),
    Column("rows_quarantined", Integer, nullable=False),
    Column("rows_dropped", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Index("table_days_by_run", "run_id"),
)
Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", RUN, nullable=False),
    Column("table_name", TABLE, nullable=False),
    Column("status", String(20), nullable=False),
    Column("message", Text, nullable=False),
    Column("days", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("finished_at", DateTime(timezone=True), nullable=False),
    Index("attempts_by_run", "run_id", "table_name"),
)
Table(
    "arrivals",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("input", TABLE, primary_key=True),
    Column("arrival_day", DAY, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("code", String(40), nullable=False),
    Column("days", JSON, nullable=False),
)
Table(
    "verdicts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", RUN, nullable=False),
    Column("table_name", TABLE, nullable=False),
    Column("day", DAY, nullable=False),
    Column("rule", String(300), nullable=False),
    Column("on_fail", String(12), nullable=False),
    Column("success", Boolean, nullable=False),
    Column("rows_judged", Integer, nullable=False),
    Column("rows_broken", Integer, nullable=False),
    Column("observed", Text, nullable=False),
    Column("judged_at", DateTime(timezone=True), nullable=False),
    Index("verdicts_by_run", "run_id", "table_name"),
    Index("verdicts_by_rule", "table_name", "rule", "day"),
)
Table(
    "files",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("day", DAY, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("path", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("run_id", RUN, nullable=False),
    Column("taken_at", DateTime(timezone=True), nullable=False),
)
Table(
    "leases",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("owner", RUN, nullable=False),
    Column("token", String(32), nullable=False),
    Column("expires_at", Float, nullable=False),
)
Table(
    "models",
    metadata,
    Column("model", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("run_id", RUN, nullable=False),
    Column("champion", Boolean, nullable=False),
    Column("first_day", DAY, nullable=False),
    Column("last_day", DAY, nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("figures", JSON, nullable=False),
    Column("trained_at", DateTime(timezone=True), nullable=False),
)


def upgrade() -> None:
    """Make every table."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Drop every table."""
    metadata.drop_all(op.get_bind())
