"""What the tests of the quarantine ask of a little lake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expectations.review import Review

if TYPE_CHECKING:
    from expectations.jobs import JobResult
    from tests.spark_jobs.lake.conftest import LittleLake

HEADER = "sold_on,item,cents"
SALES, SOLD = "bronze.sales", "silver.sales"


def ask(shop: LittleLake, action: str, table: str = SOLD, days: str | None = None, run_id: str = "decision", **texts: str) -> JobResult:
    """What a person asks of a table's quarantine."""
    return shop.run("quarantine", table, days, run_id, review=Review.of(action, who="mia", **texts))


def done(result: JobResult) -> JobResult:
    assert result.status == "done", result.message
    return result


def publish(shop: LittleLake, *lines: str, day: str = "2024-05-01", run_id: str = "run-1") -> None:
    """Land a day's file, and build bronze and silver from it."""
    shop.land(f"sales/{day}.csv", HEADER, *lines)
    shop.build(SALES, day, run_id)
    shop.build(SOLD, day, run_id)


def seen(shop: LittleLake) -> list[dict[str, Any]]:
    """The rows that `look` shows."""
    rows: list[dict[str, Any]] = done(ask(shop, "look")).facts["rows"]
    return rows


def only_id(shop: LittleLake) -> str:
    (row,) = seen(shop)
    return str(row["id"])


def change_contract(shop: LittleLake, before: str, after: str, table: str = "silver/sales") -> None:
    contract = (shop.project / f"expectations/{table}.yaml").read_text()
    assert before in contract
    shop.write(f"expectations/{table}.yaml", contract.replace(before, after))
