"""A second lake, of another kind: Parquet in two layouts, a map, its own contracts, its own folder.

It runs through the same engine in tests/spark_jobs/lake/test_naming.py.
"""

from __future__ import annotations

from pathlib import Path

from expectations.loader import load_lake

SHOP = Path(__file__).parent / "shop"


def test_the_shops_contracts_are_well() -> None:
    lake = load_lake(SHOP)
    assert sorted(lake.tables) == ["bronze.logs", "bronze.transactions", "gold.inference", "gold.training", "silver.features", "silver.labels"]
