"""A model learns from days that are published, and that no table of the pipeline holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from expectations.learnable_days import held_days, learnable_days
from expectations.ledger import DayEntry, Ledger
from expectations.loader import load_lake
from tests.expectations.conftest import PIPELINES, write_lake

if TYPE_CHECKING:
    from pathlib import Path

    from expectations.lake import Lake


def entry(table: str, day: str, state: Literal["published", "held"] = "published", version: int | None = 4) -> DayEntry:
    return DayEntry(table, day, state, version, "run-1", "c", "l", {})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    write_lake(tmp_path, {})
    return load_lake(tmp_path)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(f"sqlite:///{tmp_path}/ledger.db")


def test_a_held_day_is_held_whatever_was_published_of_it_before() -> None:
    entries = {"2024-05-01": entry("t", "2024-05-01"), "2024-05-02": entry("t", "2024-05-02", "held"), "2024-05-03": entry("t", "2024-05-03", "held", None)}
    assert held_days([entries]) == {"2024-05-02", "2024-05-03"}


@pytest.mark.parametrize("table", ["silver.sales", "bronze.sales", "gold.totals"])
def test_a_day_that_a_table_of_the_pipeline_holds_is_not_learned_from(lake: Lake, ledger: Ledger, table: str) -> None:
    ledger.record([entry("silver.sales", "2024-05-01"), entry("silver.sales", "2024-05-02")], [])
    assert learnable_days(lake, ledger, lake.model("dear")) == {"2024-05-01": 4, "2024-05-02": 4}
    ledger.record([entry(table, "2024-05-02", "held")], [])
    assert learnable_days(lake, ledger, lake.model("dear")) == {"2024-05-01": 4}


def test_what_another_pipeline_holds_is_no_concern_of_the_model(tmp_path: Path, ledger: Ledger) -> None:
    two = "shop:\n  tables: [bronze.sales, bronze.shops, silver.shops, silver.sales]\n  first_day: 2024-05-01\n"
    write_lake(tmp_path / "two", {PIPELINES: two + "reporting:\n  tables: [gold.totals]\n  first_day: 2024-05-01\n"})
    lake = load_lake(tmp_path / "two")
    ledger.record([entry("silver.sales", "2024-05-01"), entry("gold.totals", "2024-05-01", "held")], [])
    assert learnable_days(lake, ledger, lake.model("dear")) == {"2024-05-01": 4}
