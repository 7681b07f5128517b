"""How clean an input has to be: one consumer takes what another refuses, or is served the last good day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from tests.spark_jobs.lake.conftest import TOTALS

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEADER = "sold_on,item,cents"
FIRST, SECOND = "2024-05-01", "2024-05-02"
SUMMED = "SELECT sold_on, sum(cents) AS cents FROM silver_sales GROUP BY sold_on\n"
WARNING = "  - {expect: expect_table_row_count_to_be_between, min_value: 2, on_fail: warn, name: enough}\n"


def totals(shop: LittleLake, name: str, needs: str) -> None:
    """One more gold table over silver.sales."""
    shop.write(f"expectations/gold/{name}.yaml", TOTALS.replace("[silver.sales]", f"[{{silver.sales: {{{needs}}}}}]"))
    shop.write(f"spark_jobs/gold/{name}.sql", SUMMED)


@pytest.fixture
def warned(shop: LittleLake) -> LittleLake:
    """The first day is clean, the second has broken a `warn` rule."""
    contract = (shop.project / "expectations/silver/sales.yaml").read_text()
    shop.write("expectations/silver/sales.yaml", contract + WARNING)
    totals(shop, "careful", "needs: clean")
    totals(shop, "patient", "needs: clean, otherwise: last_good_day")
    shop.land(f"sales/{FIRST}.csv", HEADER, f"{FIRST},tea,300", f"{FIRST},cake,400")
    shop.land(f"sales/{SECOND}.csv", HEADER, f"{SECOND},tea,1")
    for table in ("bronze.sales", "silver.sales"):
        shop.build(table, f"{FIRST}..{SECOND}")
    return shop


def test_a_dashboard_takes_the_day_that_training_refuses(warned: LittleLake) -> None:
    warned.build("gold.totals", f"{FIRST}..{SECOND}")
    result = warned.run("build", "gold.careful", f"{FIRST}..{SECOND}")
    assert warned.rows("gold.totals") == [(date(2024, 5, 1), 700), (date(2024, 5, 2), 1)]
    assert warned.rows("gold.careful") == [(date(2024, 5, 1), 700)]
    assert result.status == "held"
    assert result.facts["held"] == {SECOND: ["it needs silver.sales clean, which broke enough."]}


def test_a_refused_day_is_not_tried_again_before_it_is_asked_for_or_its_input_changes(warned: LittleLake) -> None:
    warned.run("build", "gold.careful", f"{FIRST}..{SECOND}")
    assert warned.build("gold.careful", FIRST, "run-2").status == "unchanged"
    assert warned.run("build", "gold.careful", SECOND, "run-3").status == "held"
    warned.land(f"sales/{SECOND}.csv", HEADER, f"{SECOND},tea,1", f"{SECOND},pie,2")
    for table in ("bronze.sales", "silver.sales", "gold.careful"):
        warned.build(table, SECOND, "run-4")
    assert warned.rows("gold.careful") == [(date(2024, 5, 1), 700), (date(2024, 5, 2), 3)]


def test_the_last_good_day_stands_in_for_a_day_that_is_not_clean(warned: LittleLake) -> None:
    warned.build("gold.patient", f"{FIRST}..{SECOND}")
    assert warned.rows("gold.patient") == [(date(2024, 5, 1), 700), (date(2024, 5, 2), 700)]
    assert warned.ledger.days("gold.patient")[SECOND].inputs == {"silver.sales": {FIRST: 0}}
    assert warned.build("gold.patient", f"{FIRST}..{SECOND}", "run-2").status == "unchanged"


def test_a_day_that_becomes_clean_takes_its_own_place(warned: LittleLake) -> None:
    warned.build("gold.patient", f"{FIRST}..{SECOND}")
    warned.land(f"sales/{SECOND}.csv", HEADER, f"{SECOND},tea,1", f"{SECOND},pie,2")
    for table in ("bronze.sales", "silver.sales", "gold.patient"):
        warned.build(table, SECOND, "run-2")
    assert warned.rows("gold.patient") == [(date(2024, 5, 1), 700), (date(2024, 5, 2), 3)]


def test_an_input_that_is_read_whole_is_read_by_its_clean_days(warned: LittleLake) -> None:
    warned.write(
        "expectations/gold/ever.yaml",
        """
        contract: 1
        description: Takings of all clean days. One row.
        inputs: [{silver.sales: {needs: clean}}]
        write: replace_all
        columns: {cents: {type: bigint}}
        """,
    )
    warned.write("spark_jobs/gold/ever.sql", "SELECT sum(cents) AS cents FROM silver_sales\n")
    warned.build("gold.ever", f"{FIRST}..{SECOND}")
    assert warned.rows("gold.ever") == [(700,)]
