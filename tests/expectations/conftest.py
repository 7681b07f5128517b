"""A little lake of literal texts, and what the loader says when one thing in it is wrong."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Protocol

import pytest

from expectations.errors import ContractError
from expectations.loader import load_lake

BRONZE_SALES, BRONZE_SHOPS = "expectations/bronze/sales.yaml", "expectations/bronze/shops.yaml"
SILVER_SALES, SILVER_SHOPS = "expectations/silver/sales.yaml", "expectations/silver/shops.yaml"
GOLD_TOTALS, GOLD_GUESSES = "expectations/gold/totals.yaml", "expectations/gold/guesses.yaml"
MODEL, PIPELINES = "expectations/models/dear.yaml", "expectations/pipelines.yaml"
SALES_LOGIC, SHOPS_LOGIC, TOTALS_LOGIC = "spark_jobs/silver/sales.py", "spark_jobs/silver/shops.sql", "spark_jobs/gold/totals.sql"
MODEL_LOGIC = "spark_jobs/models/dear.py"

Change = tuple[str, str] | str | bytes | None
"""An old text and its new one, a whole new file, or None for no file."""

GOOD = {
    BRONZE_SALES: """
        contract: 1
        description: Sales as they arrive, one CSV file a day.
        source: {folder: sales, format: csv}
        columns:
          sold_on: {type: date}
          item: {type: string}
          cents: {type: int}
        """,
    BRONZE_SHOPS: """
        contract: 1
        description: Shops as they arrive, every file the whole list.
        source: {folder: shops, format: csv, arrives: snapshot}
        columns:
          shop: {type: string}
        """,
    SILVER_SALES: """
        contract: 1
        description: Sales, typed. One row per day and item.
        inputs:
          - bronze.sales
          - silver.shops
        grain: [sold_on, item]
        day: sold_on
        write: replace_days
        columns:
          sold_on: {type: date, nullable: false}
          item: {type: string, nullable: false}
          cents: {type: int}
          dear: {type: boolean}
          tags: {type: "array<string>"}
        rules:
          - {expect: expect_column_values_to_be_between, column: cents, min_value: 0, on_fail: quarantine}
          - {expect: expect_table_row_count_to_be_between, min_value: 1}
        """,
    SILVER_SHOPS: """
        contract: 1
        description: Shops as they are now. One row per shop.
        inputs: [bronze.shops]
        grain: [shop]
        write: replace_all
        columns:
          shop: {type: string, nullable: false}
        """,
    GOLD_TOTALS: """
        contract: 1
        description: Takings. One row per day.
        inputs: [{silver.sales: {days: [-6, 0]}}]
        grain: [sold_on]
        day: sold_on
        columns:
          sold_on: {type: date, nullable: false}
          cents: {type: bigint}
        """,
    GOLD_GUESSES: """
        contract: 1
        description: What is thought to be dear. One row per day, item and model version.
        inputs: [silver.sales]
        grain: [sold_on, item, model_version]
        day: sold_on
        write: append
        columns:
          sold_on: {type: date, nullable: false}
          item: {type: string, nullable: false}
          probability: {type: double}
          predicted: {type: boolean}
          model_name: {type: string}
          model_version: {type: int}
          features_version: {type: bigint}
          scored_at: {type: timestamp}
        """,
    MODEL: """
        contract: 1
        description: Whether an item is dear.
        training: silver.sales
        features: silver.sales
        predictions: gold.guesses
        target: dear
        inputs:
          - item
          - cents
        split: {validation_days: 2, test_days: 2}
        search: {depth: [1, 2]}
        gates: [{metric: roc_auc, at_least: 0.6}]
        """,
    PIPELINES: """
        shop:
          description: A shop.
          tables:
            - bronze.sales
            - bronze.shops
            - silver.shops
            - silver.sales
            - gold.totals
          schedule: "0 6 * * *"
          time_zone: America/New_York
          first_day: 2024-05-01
          last_day: 2024-05-31
        """,
    SALES_LOGIC: """
        def transform(bronze_sales, silver_shops):
            return bronze_sales
        """,
    SHOPS_LOGIC: "SELECT shop FROM bronze_shops",
    TOTALS_LOGIC: "SELECT sold_on, sum(cents) AS cents FROM silver_sales GROUP BY sold_on",
    MODEL_LOGIC: """
        def build_estimator():
            return None
        """,
}


class Refusal(Protocol):
    """`refusal({SILVER_SALES: ("day: sold_on", "day: sold")})`: the loader's sentence, with places relative to the lake's folder."""

    def __call__(self, changes: dict[str, Change]) -> str: ...


def write_lake(folder: Path, changes: dict[str, Change]) -> None:
    """Write the good lake with these changes."""
    for path in {**GOOD, **changes}:
        text = _changed(path, changes)
        if text is not None:
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text)


def _changed(path: str, changes: dict[str, Change]) -> bytes | None:
    change = changes.get(path, GOOD.get(path))
    if isinstance(change, tuple):
        good, (old, new) = textwrap.dedent(GOOD[path]).lstrip(), change
        assert good.count(old) == 1, f"{path} says {old!r} {good.count(old)} times"
        return good.replace(old, new).encode()
    return textwrap.dedent(change).lstrip().encode() if isinstance(change, str) else change


@pytest.fixture
def refusal(tmp_path: Path) -> Refusal:
    """Plants a fault and says what the loader says."""

    def plant(changes: dict[str, Change]) -> str:
        write_lake(tmp_path, changes)
        with pytest.raises(ContractError) as caught:
            load_lake(tmp_path)
        return str(caught.value).replace(f"{tmp_path}/", "")

    return plant
