"""A table's days: published, held, made again, whatever the order."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEADER = "sold_on,item,cents"
FIRST, SECOND, THIRD = date(2024, 5, 1), date(2024, 5, 2), date(2024, 5, 3)


def test_a_day_flows_from_its_file_to_gold(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300", "2024-05-01,cake,450")
    for table in ("bronze.sales", "silver.sales", "gold.totals"):
        shop.build(table, "2024-05-01")
    assert shop.rows("silver.sales", "sold_on", "item", "cents") == [(FIRST, "cake", 450), (FIRST, "tea", 300)]
    assert shop.rows("gold.totals") == [(FIRST, 750)]


def test_the_same_run_again_changes_nothing(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    for _ in range(2):
        results = [shop.build(table, "2024-05-01") for table in ("bronze.sales", "silver.sales", "gold.totals")]
    assert [result.status for result in results] == ["unchanged"] * 3
    assert [shop.version(table) for table in ("bronze.sales", "silver.sales", "gold.totals")] == [0, 0, 0]


def test_a_day_that_breaks_a_stop_rule_is_held_and_the_others_are_published(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    shop.land("sales/2024-05-02.csv", HEADER, *(f"2024-05-02,item{number},1" for number in range(4)))
    shop.build("bronze.sales", "2024-05-01..2024-05-02")
    result = shop.run("build", "silver.sales", "2024-05-01..2024-05-02")
    assert result.status == "held"
    assert result.facts["days"] == ["2024-05-01"]
    assert list(result.facts["held"]) == ["2024-05-02"]
    assert shop.rows("silver.sales", "sold_on", "item") == [(FIRST, "tea")]
    assert shop.ledger.days("silver.sales")["2024-05-02"].state == "held"


def test_a_held_day_keeps_its_published_rows_and_the_table_its_version(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    shop.build("bronze.sales", "2024-05-01")
    shop.build("silver.sales", "2024-05-01")
    shop.land("sales/2024-05-01.csv", HEADER, *(f"2024-05-01,item{number},1" for number in range(4)))
    shop.build("bronze.sales", "2024-05-01", "run-2")
    assert shop.run("build", "silver.sales", "2024-05-01", "run-2").status == "held"
    assert shop.rows("silver.sales", "item", "cents") == [("tea", 300)]
    assert shop.version("silver.sales") == 0


def test_a_held_day_that_is_run_again_is_held_again(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    shop.land("sales/2024-05-02.csv", HEADER, *(f"2024-05-02,item{number},1" for number in range(4)))
    shop.build("bronze.sales", "2024-05-01..2024-05-02")
    statuses = [shop.run("build", "silver.sales", "2024-05-01..2024-05-02", f"run-{number}").status for number in (1, 2)]
    assert statuses == ["held", "held"]
    assert shop.version("silver.sales") == 0


def test_a_corrected_file_replaces_the_day_and_the_old_file_is_kept(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    shop.build("bronze.sales", "2024-05-01")
    shop.build("silver.sales", "2024-05-01")
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,350")
    shop.build("bronze.sales", "2024-05-01", "run-2")
    shop.build("silver.sales", "2024-05-01", "run-2")
    assert shop.rows("silver.sales", "item", "cents") == [("tea", 350)]
    kept = sorted(file.read_text() for file in (shop.project / "data_lake/_files/bronze.sales/2024-05-01").glob("*.csv"))
    assert kept == [f"{HEADER}\n2024-05-01,tea,300\n", f"{HEADER}\n2024-05-01,tea,350\n"]


def test_a_row_that_arrives_later_joins_its_own_day_and_gold_follows(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    shop.land("sales/2024-05-03.csv", HEADER, "2024-05-03,tea,100", "2024-05-01,cake,450")
    for day, run_id in (("2024-05-01", "run-1"), ("2024-05-03", "run-3")):
        for table in ("bronze.sales", "silver.sales", "gold.totals"):
            shop.build(table, day, run_id)
    assert shop.rows("gold.totals") == [(FIRST, 750), (THIRD, 100)]


def test_a_correction_that_moves_a_row_to_another_day_mends_both_days(shop: LittleLake) -> None:
    shop.land("sales/2024-05-02.csv", HEADER, "2024-05-01,tea,300", "2024-05-02,cake,450")
    shop.build("bronze.sales", "2024-05-02")
    shop.build("silver.sales", "2024-05-02")
    shop.land("sales/2024-05-02.csv", HEADER, "2024-05-02,tea,300", "2024-05-02,cake,450")
    shop.build("bronze.sales", "2024-05-02", "run-2")
    shop.build("silver.sales", "2024-05-02", "run-2")
    assert shop.rows("silver.sales", "sold_on", "item") == [(SECOND, "cake"), (SECOND, "tea")]


@pytest.mark.parametrize("order", [("2024-05-01", "2024-05-02", "2024-05-03"), ("2024-05-03", "2024-05-01", "2024-05-02")])
def test_the_tables_are_the_same_whatever_the_order_of_the_runs(shop: LittleLake, order: tuple[str, ...]) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,1")
    shop.land("sales/2024-05-02.csv", HEADER, "2024-05-01,cake,2", "2024-05-02,tea,4")
    shop.land("sales/2024-05-03.csv", HEADER, "2024-05-02,cake,8", "2024-05-03,tea,16", "2024-05-01,milk,32")
    for day in order:
        for table in ("bronze.sales", "silver.sales", "gold.totals"):
            shop.build(table, day, f"run-{day}")
    assert shop.rows("gold.totals") == [(FIRST, 35), (SECOND, 12), (THIRD, 16)]


def test_a_look_back_reads_earlier_days_and_publishes_only_its_own(shop: LittleLake) -> None:
    shop.write(
        "expectations/gold/before.yaml",
        """
        contract: 1
        description: What was taken on the two days before. One row a day with sales.
        inputs: [{silver.sales: {days: [-2, 0]}}]
        grain: [sold_on]
        day: sold_on
        columns:
          sold_on: {type: date, nullable: false}
          cents_before: {type: bigint}
        """,
    )
    shop.write(
        "spark_jobs/gold/before.sql",
        """
        SELECT d.sold_on, sum(b.cents) AS cents_before
        FROM (SELECT DISTINCT sold_on FROM silver_sales) AS d
        LEFT JOIN silver_sales AS b ON b.sold_on BETWEEN date_sub(d.sold_on, 2) AND date_sub(d.sold_on, 1)
        GROUP BY d.sold_on
        """,
    )
    for day, cents in (("2024-05-01", 1), ("2024-05-02", 2), ("2024-05-03", 4)):
        shop.land(f"sales/{day}.csv", HEADER, f"{day},tea,{cents}")
    for table in ("bronze.sales", "silver.sales"):
        shop.build(table, "2024-05-01..2024-05-03")
    shop.build("gold.before", "2024-05-03", "run-2")
    assert shop.rows("gold.before") == [(THIRD, 3)]
    shop.build("gold.before", "2024-05-01..2024-05-02", "run-3")
    assert shop.rows("gold.before") == [(FIRST, None), (SECOND, 1), (THIRD, 3)]
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,100")
    for table in ("bronze.sales", "silver.sales", "gold.before"):
        shop.build(table, "2024-05-01", "run-4")
    assert shop.rows("gold.before") == [(FIRST, None), (SECOND, 100), (THIRD, 102)]


def test_a_changed_contract_makes_the_requested_days_again(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300", "2024-05-01,ring,900")
    shop.build("bronze.sales", "2024-05-01")
    shop.build("silver.sales", "2024-05-01")
    contract = (shop.project / "expectations/silver/sales.yaml").read_text()
    shop.write("expectations/silver/sales.yaml", contract.replace("max_value: 1000", "max_value: 500"))
    shop.build("silver.sales", "2024-05-01", "run-2")
    assert shop.rows("silver.sales", "item") == [("tea",)]
    assert shop.quarantine("silver.sales", "_rules") == [(["fair_price"],)]


def test_a_table_whose_logic_breaks_its_promise_is_not_published(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    shop.build("bronze.sales", "2024-05-01")
    shop.write("spark_jobs/silver/sales.py", 'def transform(bronze_sales):\n    return bronze_sales.selectExpr("sold_on", "item", "double(cents) AS cents")\n')
    result = shop.run("build", "silver.sales", "2024-05-01")
    assert result.status == "failed_terminal"
    assert "column 'cents' is double" in result.message
    assert not (shop.project / "data_lake/silver").exists()


def test_a_table_can_go_back_to_an_earlier_version_and_its_readers_follow(shop: LittleLake) -> None:
    for cents, run_id in ((300, "run-1"), (999, "run-2")):
        shop.land("sales/2024-05-01.csv", HEADER, f"2024-05-01,tea,{cents}")
        for table in ("bronze.sales", "silver.sales", "gold.totals"):
            shop.build(table, "2024-05-01", run_id)
    result = shop.run("restore", "silver.sales", run_id="undo", version=0)
    assert result.status == "done", result.message
    assert shop.rows("silver.sales", "cents") == [(300,)]
    shop.build("gold.totals", "2024-05-01", "run-3")
    assert shop.rows("gold.totals") == [(FIRST, 300)]


def test_a_day_that_is_restored_is_not_clean_and_its_profile_is_forgotten(shop: LittleLake) -> None:
    contract = (shop.project / "expectations/silver/sales.yaml").read_text()
    enough = "  - {expect: expect_table_row_count_to_be_between, min_value: 2, on_fail: warn, name: enough}\n"
    spread = "over_time: [{check: new_categories, column: item}]\n"
    shop.write("expectations/silver/sales.yaml", f"{contract}{enough}{spread}")
    shop.land("sales/2024-05-02.csv", HEADER, "2024-05-02,tea,300", "2024-05-02,pie,200")
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    for table in ("bronze.sales", "silver.sales"):
        shop.build(table, "2024-05-01..2024-05-02")
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300", "2024-05-01,pie,200")
    for table in ("bronze.sales", "silver.sales"):
        shop.build(table, "2024-05-01", "run-2")
    assert {day: entry.clean for day, entry in shop.ledger.days("silver.sales").items()} == {"2024-05-01": True, "2024-05-02": True}
    result = shop.run("restore", "silver.sales", run_id="undo", version=0)
    assert result.message == "silver.sales: version 0 is back, as version 2; not clean until rebuilt, as nobody judged what is back: 2024-05-01"
    assert {day: entry.clean for day, entry in shop.ledger.days("silver.sales").items()} == {"2024-05-01": False, "2024-05-02": True}
    assert shop.ledger.versions("silver.sales", needs="clean") == {"2024-05-02": 0}
    assert shop.ledger.profiles("silver.sales", "item", ["2024-05-01", "2024-05-02"]) == {"2024-05-02": {"=tea": 1, "=pie": 1}}


def test_what_waits_in_quarantine_still_waits_after_a_restore(shop: LittleLake) -> None:
    for cents, run_id in ((900, "run-1"), (5000, "run-2")):
        shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300", f"2024-05-01,ring,{cents}")
        for table in ("bronze.sales", "silver.sales"):
            shop.build(table, "2024-05-01", run_id)
    assert shop.run("restore", "silver.sales", run_id="undo", version=0).status == "done"
    assert shop.rows("silver.sales", "cents") == [(300,), (900,)]
    looked = shop.run("quarantine", "silver.sales", run_id="look").facts
    assert [row["rules"] for row in looked["rows"]] == [["fair_price"]]
    shop.build("silver.sales", "2024-05-01", "run-3", force=True)
    assert shop.rows("silver.sales", "cents") == [(300,)]


def test_a_version_that_never_was_is_refused_in_one_sentence(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    shop.build("bronze.sales", "2024-05-01")
    result = shop.run("restore", "bronze.sales", version=7)
    assert (result.status, result.message) == ("failed_terminal", "bronze.sales has no version 7; it is at 0. Choose one from 0 to 0.")


def test_upkeep_leaves_the_rows_as_they_are(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    shop.build("bronze.sales", "2024-05-01")
    assert shop.run("maintain", "bronze.sales", run_id="upkeep").status == "done"
    assert shop.rows("bronze.sales", "item", "cents") == [("tea", "300")]


def test_a_file_without_rows_does_not_empty_a_day_that_must_have_some(shop: LittleLake) -> None:
    contract = (shop.project / "expectations/silver/sales.yaml").read_text()
    shop.write("expectations/silver/sales.yaml", contract.replace("max_value: 3, on_fail: stop", "min_value: 1, max_value: 3, on_fail: stop"))
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    shop.build("bronze.sales", "2024-05-01")
    shop.build("silver.sales", "2024-05-01")
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-02,tea,300")
    shop.build("bronze.sales", "2024-05-01", "run-2")
    shop.build("silver.sales", "2024-05-01", "run-2")
    assert shop.rows("silver.sales", "sold_on") == [(SECOND,)]  # no file has rows of the first any more
    bronze = (shop.project / "expectations/bronze/sales.yaml").read_text()
    shop.write("expectations/bronze/sales.yaml", bronze + "rules: [{expect: expect_table_row_count_to_be_between, min_value: 1, on_fail: stop}]\n")
    shop.land("sales/2024-05-01.csv", HEADER)
    assert shop.run("build", "bronze.sales", "2024-05-01", "run-3").status == "held"
    assert shop.rows("bronze.sales", "sold_on") == [("2024-05-02",)]


def test_a_day_younger_than_the_restored_version_is_made_again_when_it_is_run(shop: LittleLake) -> None:
    for day in ("2024-05-01", "2024-05-02"):
        shop.land(f"sales/{day}.csv", HEADER, f"{day},tea,300")
        for table in ("bronze.sales", "silver.sales", "gold.totals"):
            shop.build(table, day, f"run-{day}")
    assert shop.run("restore", "silver.sales", run_id="undo", version=0).status == "done"
    assert shop.rows("silver.sales", "sold_on") == [(FIRST,)]
    shop.build("gold.totals", "2024-05-02", "run-3")
    assert shop.rows("gold.totals") == [(FIRST, 300), (SECOND, 300)]
    shop.build("silver.sales", "2024-05-02", "run-4")
    assert shop.rows("silver.sales", "sold_on") == [(FIRST,), (SECOND,)]
