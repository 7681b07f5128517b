"""Every commit to a Delta table is made by whoever holds the table's lease: to S3 two drivers could otherwise both be the first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from deltalake import DeltaTable
from pyspark.sql.connect.readwriter import DataFrameWriter
from pyspark.sql.connect.session import SparkSession
from sqlalchemy import create_engine, select

from expectations.ledger.schema import leases
from expectations.settings import load_settings
from tests.spark_jobs.lake.reviewing import SALES, SOLD, ask, change_contract, done, only_id, publish

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

COMMITTING = re.compile(r"(OPTIMIZE|VACUUM|RESTORE TABLE|MERGE WITH SCHEMA EVOLUTION INTO) delta\.`.*?/(\w+)/(\w+)`")
LATEST = """
    contract: 1
    description: The latest sale of each item. One row an item.
    inputs: [silver.sales]
    grain: [item]
    write: merge
    order_by: sold_on
    columns:
      sold_on: {type: date, nullable: false}
      item: {type: string, nullable: false}
"""


@pytest.fixture
def commits(shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bool]]:
    """Each commit that Spark is asked for: how, to which table (a quarantine is its table's), and whether that table's lease is held."""
    found: list[tuple[str, str, bool]] = []
    engine = create_engine(load_settings().ledger_url)
    sql, save, add = SparkSession.sql, DataFrameWriter.save, DeltaTable.create_write_transaction

    def note(how: str, table: str) -> None:
        with engine.connect() as connection:
            found.append((how, table, table in connection.execute(select(leases.c.table_name)).scalars().all()))

    def watched_sql(session: SparkSession, text: str, *given: Any, **named: Any) -> Any:
        if statement := COMMITTING.match(text):
            note(statement[1].split()[0], f"{statement[2]}.{statement[3]}")
        return sql(session, text, *given, **named)

    def watched_save(writer: DataFrameWriter, path: str, *given: Any, **named: Any) -> Any:
        if writer._write.source == "delta":
            note("save", ".".join(path.split("/")[-2:]))
        return save(writer, path, *given, **named)

    def watched_add(table: DeltaTable, *given: Any, **named: Any) -> None:
        note("add", ".".join(table.table_uri.rstrip("/").split("/")[-2:]))
        add(table, *given, **named)

    monkeypatch.setattr(DeltaTable, "create_write_transaction", watched_add)
    monkeypatch.setattr(SparkSession, "sql", watched_sql)
    monkeypatch.setattr(DataFrameWriter, "save", watched_save)
    return found


def test_whatever_is_done_to_a_table_is_committed_under_its_lease(shop: LittleLake, commits: list[tuple[str, str, bool]]) -> None:
    shop.write("expectations/gold/latest.yaml", LATEST)
    shop.write("spark_jobs/gold/latest.sql", "SELECT sold_on, item FROM silver_sales\n")
    publish(shop, "2024-05-01,tea,300", "2024-05-01,ring,5000")
    shop.build("gold.latest", "2024-05-01")
    publish(shop, "2024-05-02,tea,200", day="2024-05-02", run_id="run-2")
    shop.build("gold.latest", "2024-05-02", "run-2")
    done(ask(shop, "discard", rows=only_id(shop), reason="a test sale"))
    change_contract(shop, "max_value: 1000", "max_value: 9000")
    shop.build(SOLD, "2024-05-01", "run-3")
    shop.run("restore", SALES, run_id="care", version=0)
    for table in (SALES, SOLD, "gold.latest"):
        done(shop.run("maintain", table, run_id="care"))
    made = {(how, table) for how, table, _ in commits}
    assert {
        ("save", SALES),
        ("add", SALES),
        ("save", SOLD),
        ("add", SOLD),
        ("save", "gold.latest"),
        ("MERGE", "gold.latest"),
        ("RESTORE", SALES),
        ("OPTIMIZE", SOLD),
    } <= made
    assert [commit for commit in commits if not commit[2]] == []
