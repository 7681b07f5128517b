"""The shop's landing files, from literal rows: three days of logs, each in a folder of its own, and of transactions; all Parquet."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

LOGS = [
    ("2024-05-01T08:00:00Z", "ada", "visit", {"referrer": "mail"}),
    ("2024-05-01T08:01:00Z", "ada", "view", {"product": "teapot"}),
    ("2024-05-01T08:02:00Z", "ada", "view", {"product": "cup"}),
    ("2024-05-01T23:59:59Z", "bob", "view", {"product": "cup"}),
    ("2024-05-02T10:00:00Z", "bob", "visit", {}),
    ("2024-05-02T10:05:00Z", "bob", "view", {"product": "cup"}),
    ("2024-05-02T10:06:00Z", "bob", "view", {"product": "cup"}),
    ("2024-05-03T09:00:00Z", "cem", "visit", None),
]
TRANSACTIONS = [
    (1, "eve", "2024-05-01T12:00:00", "9.90"),
    (2, "ada", "2024-05-02T07:30:00", "24.50"),
    (3, "ada", "2024-05-02T07:31:00", "5.00"),
    (4, "bob", "2024-05-03T18:00:00", "5.00"),
    (5, "bob", "2024-05-03T18:00:01", "0.00"),
]
"""Number 5 was paid with nothing: a rule sends it to quarantine."""
LOG_SCHEMA = pa.schema(
    [("timestamp", pa.timestamp("us", tz="UTC")), ("user_id", pa.string()), ("action", pa.string()), ("params", pa.map_(pa.string(), pa.string()))]
)
SCHEMA = pa.schema([("transaction_id", pa.int64()), ("user_id", pa.string()), ("sold_at", pa.timestamp("us", tz="UTC")), ("amount", pa.decimal128(10, 2))])


def land(landing: Path) -> None:
    """Write `logs/day=<day>/part-0.parquet` and `transactions/<day>.parquet` of 2024-05-01 to 2024-05-03 under `landing`."""
    for day in ("2024-05-01", "2024-05-02", "2024-05-03"):
        done = [
            (datetime.fromisoformat(at), user, action, None if params is None else list(params.items()))
            for at, user, action, params in LOGS
            if at.startswith(day)
        ]
        _write(landing / "logs" / f"day={day}" / "part-0.parquet", done, LOG_SCHEMA)
        sold = [
            (number, user, datetime.fromisoformat(at).replace(tzinfo=UTC), Decimal(amount)) for number, user, at, amount in TRANSACTIONS if at.startswith(day)
        ]
        _write(landing / "transactions" / f"{day}.parquet", sold, SCHEMA)


def _write(file: Path, rows: list[tuple[Any, ...]], schema: pa.Schema) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    columns = [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), schema, strict=True)]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), file)
