"""The ledger's tables. A change here needs a migration in migrations/versions."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, DateTime, Float, Index, Integer, MetaData, String, Table, Text, true

metadata = MetaData()

TABLE = String(130)
DAY = String(10)
"""An ISO date, or `all` for tables whose rows belong to no day."""
RUN = String(510)
"""A DAG's id and its run's, of at most 250 characters each."""

table_days = Table(
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
    Column("rows_in", BigInteger, nullable=False),
    Column("rows_out", BigInteger, nullable=False),
    Column("rows_quarantined", BigInteger, nullable=False),
    Column("rows_dropped", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("clean", Boolean, nullable=False, server_default=true()),
    Index("table_days_by_run", "run_id"),
)
attempts = Table(
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
arrivals = Table(
    "arrivals",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("input", TABLE, primary_key=True),
    Column("arrival_day", DAY, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("code", String(40), nullable=False),
    Column("days", JSON, nullable=False),
    Column("refused", Integer, nullable=False, server_default="0"),
)
verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", RUN, nullable=False),
    Column("table_name", TABLE, nullable=False),
    Column("day", DAY, nullable=False),
    Column("rule", String(300), nullable=False),
    Column("on_fail", String(12), nullable=False),
    Column("success", Boolean, nullable=False),
    Column("rows_judged", BigInteger, nullable=False),
    Column("rows_broken", BigInteger, nullable=False),
    Column("observed", Text, nullable=False),
    Column("judged_at", DateTime(timezone=True), nullable=False),
    Index("verdicts_by_run", "run_id", "table_name"),
    Index("verdicts_by_rule", "table_name", "rule", "day"),
)
files = Table(
    "files",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("day", DAY, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("path", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("run_id", RUN, nullable=False),
    Column("taken_at", DateTime(timezone=True), nullable=False),
    Column("landed_at", DateTime(timezone=True)),
)
questions = Table(
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
quarantined = Table(
    "quarantined",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("keys", JSON, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)
discards = Table(
    "discards",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("row_id", String(200), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("who", String(200), nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False),
)
corrections = Table(
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
profiles = Table(
    "profiles",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("day", DAY, primary_key=True),
    Column("column_name", String(130), primary_key=True),
    Column("run_id", RUN, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)
heads = Table(
    "heads",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("version", BigInteger),
    Column("run_id", RUN),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)
registrations = Table(
    "registrations",
    metadata,
    Column("metastore", String(300), primary_key=True),
    Column("table_name", TABLE, primary_key=True),
    Column("day", DAY, primary_key=True),
    Column("code", String(64), nullable=False),
    Column("run_id", RUN, nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
)
leases = Table(
    "leases",
    metadata,
    Column("table_name", TABLE, primary_key=True),
    Column("owner", RUN, nullable=False),
    Column("token", String(32), nullable=False),
    Column("expires_at", Float, nullable=False),
)
models = Table(
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
