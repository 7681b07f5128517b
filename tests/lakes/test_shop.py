"""A second lake, of another kind, runs through the same engine: Parquet in two layouts, a map, its own contracts, its own folder."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from expectations.jobs import JobRequest
from expectations.loader import load_lake
from tests.lakes.shop.sample import land

SHOP = Path(__file__).parent / "shop"


def test_the_shops_contracts_are_well() -> None:
    lake = load_lake(SHOP)
    assert sorted(lake.tables) == ["bronze.logs", "bronze.transactions", "gold.inference", "gold.training", "silver.features", "silver.labels"]


@pytest.mark.spark
def test_the_shop_is_published_from_its_landing_files(spark_remote, spark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spark_jobs.run import run

    land(tmp_path / "landing")
    places = {"PROJECT": SHOP, "ROOT": tmp_path / "data_lake", "LANDING": tmp_path / "landing", "LEDGER_URL": f"sqlite:///{tmp_path}/ledger.db"}
    for name, place in places.items():
        monkeypatch.setenv(f"LAKE_{name}", str(place))
    lake = load_lake(SHOP)
    for table in lake.in_order(lake.tables):
        run(JobRequest(verb="build", name=table, days="2024-05-01..2024-05-03", run_id="shop"), spark_remote).raise_if_failed()

    def published(table: str, *columns: str) -> list[tuple]:
        return sorted(tuple(row) for row in spark.read.format("delta").load(f"{tmp_path}/data_lake/{table}").select(*columns).collect())

    assert published("silver/features", "user_id", "log_date", "actions", "views", "products", "came_from_mail") == [
        ("ada", date(2024, 5, 1), 3, 2, 2, True),
        ("bob", date(2024, 5, 1), 1, 1, 1, False),
        ("bob", date(2024, 5, 2), 3, 2, 1, False),
        ("cem", date(2024, 5, 3), 1, 0, 0, False),
    ]
    assert published("silver/labels", "transaction_id", "user_id") == [(1, "eve"), (2, "ada"), (3, "ada"), (4, "bob")]
    assert published("gold/training", "sale_date", "user_id", "bought") == [
        (date(2024, 5, 2), "ada", True),
        (date(2024, 5, 2), "bob", False),
        (date(2024, 5, 3), "bob", True),
    ]
    assert ("bob", date(2024, 5, 3), 3) in published("gold/inference", "user_id", "sale_date", "actions")
