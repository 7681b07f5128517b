"""A table's days: published, held, made again, whatever the order. Which days a run makes, and what becomes of each, is shown without Spark:
test_planning, test_building, test_scanning, test_outcome and test_maintenance.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from spark_jobs.lake import publishing
from spark_jobs.lake.session import expect_rows
from tests.spark_jobs.lake.reviewing import change_contract

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEADER = "sold_on,item,cents"
FIRST, SECOND, THIRD = date(2024, 5, 1), date(2024, 5, 2), date(2024, 5, 3)
TABLES = ("bronze.sales", "silver.sales", "gold.totals")
ENOUGH = "  - {expect: expect_table_row_count_to_be_between, min_value: 2, on_fail: warn, name: enough}\n"


def build(shop: LittleLake, days: str, run_id: str, *tables: str) -> None:
    for table in tables or TABLES:
        shop.build(table, days, run_id)


def test_a_day_flows_from_its_file_to_gold_once_and_again_where_its_file_was_corrected(tea_shop: LittleLake) -> None:
    assert tea_shop.rows("silver.sales", "sold_on", "item", "cents") == [(FIRST, "tea", 300)]
    assert tea_shop.rows("gold.totals") == [(FIRST, 300)]
    assert [tea_shop.build(table, "2024-05-01").status for table in TABLES] == ["unchanged"] * 3
    assert [tea_shop.version(table) for table in TABLES] == [0, 0, 0]
    tea_shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,350", "2024-05-01,cake,450")
    build(tea_shop, "2024-05-01", "run-2")
    assert tea_shop.rows("silver.sales", "sold_on", "item", "cents") == [(FIRST, "cake", 450), (FIRST, "tea", 350)]
    assert tea_shop.rows("gold.totals") == [(FIRST, 800)]
    kept = sorted(file.read_text() for file in (tea_shop.project / "data_lake/_files/bronze.sales/2024-05-01").glob("*.csv"))
    assert kept == [f"{HEADER}\n2024-05-01,tea,300\n", f"{HEADER}\n2024-05-01,tea,350\n2024-05-01,cake,450\n"]
    tea_shop.write(
        "spark_jobs/silver/sales.py", 'def transform(bronze_sales):\n    return bronze_sales.selectExpr("sold_on", "item", "double(cents) AS cents")\n'
    )
    broken = tea_shop.run("build", "silver.sales", "2024-05-01", "run-3")
    assert broken.status == "failed_terminal"
    assert "column 'cents' is double" in broken.message
    assert tea_shop.version("silver.sales") == 1


def test_rows_join_their_own_days_whatever_file_brings_them_and_in_whatever_order(shop: LittleLake) -> None:
    change_contract(shop, "max_value: 3, on_fail: stop", "min_value: 1, max_value: 3, on_fail: stop")
    shop.land("sales/2024-05-03.csv", HEADER, "2024-05-03,tea,100", "2024-05-02,cake,450")
    build(shop, "2024-05-03", "run-3")
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300", "2024-05-02,milk,7")
    build(shop, "2024-05-01", "run-1")
    assert shop.rows("gold.totals") == [(FIRST, 300), (SECOND, 457), (THIRD, 100)]
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-02,tea,300")
    build(shop, "2024-05-01", "run-4")
    assert shop.rows("silver.sales", "sold_on", "item") == [(SECOND, "cake"), (SECOND, "tea"), (THIRD, "tea")], "no file has rows of the first any more"
    assert shop.rows("gold.totals") == [(SECOND, 750), (THIRD, 100)]


def test_a_day_that_is_held_keeps_its_rows_and_is_judged_again_while_the_others_are_published(tea_shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    expected: list[int] = []

    def noted(spark: SparkSession, rows: int) -> None:
        expected.append(rows)
        expect_rows(spark, rows)

    monkeypatch.setattr("spark_jobs.lake.build.expect_rows", noted)
    tea_shop.land("sales/2024-05-01.csv", HEADER, *(f"2024-05-01,item{number},1" for number in range(4)))
    tea_shop.land("sales/2024-05-02.csv", HEADER, "2024-05-02,cake,450")
    build(tea_shop, "2024-05-01..2024-05-02", "run-2", "bronze.sales")
    result = tea_shop.run("build", "silver.sales", "2024-05-01..2024-05-02", "run-2")
    assert (result.status, result.facts["days"], list(result.facts["held"])) == ("held", ["2024-05-02"], ["2024-05-01"])
    assert expected == [1, 5], "by the 134 bytes of the files, then by the ledger"
    assert tea_shop.rows("silver.sales", "sold_on", "item", "cents") == [(FIRST, "tea", 300), (SECOND, "cake", 450)]
    held = tea_shop.ledger.days("silver.sales")["2024-05-01"]
    assert (held.state, held.version, tea_shop.version("silver.sales")) == ("held", 0, 1)
    assert tea_shop.run("build", "silver.sales", "2024-05-01..2024-05-02", "run-3").status == "held"
    assert tea_shop.version("silver.sales") == 1
    change_contract(tea_shop, "columns:", "rules: [{expect: expect_table_row_count_to_be_between, min_value: 1, on_fail: stop}]\ncolumns:", "bronze/sales")
    tea_shop.land("sales/2024-05-02.csv", HEADER)
    assert tea_shop.run("build", "bronze.sales", "2024-05-02", "run-4").status == "held", "a day of bronze has to have rows now"
    kept = [("cake", "450"), *((f"item{number}", "1") for number in range(4))]
    assert tea_shop.rows("bronze.sales", "item", "cents") == kept


def test_what_was_made_from_older_rows_does_not_cover_what_another_run_has_published_meanwhile(tea_shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = publishing.judge
    tea_shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,350")
    build(tea_shop, "2024-05-01", "run-2", "bronze.sales")

    def meanwhile(*given: object) -> object:
        monkeypatch.setattr(publishing, "judge", judge)
        build(tea_shop, "2024-05-01", "faster", "silver.sales")
        return judge(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(publishing, "judge", meanwhile)
    result = tea_shop.run("build", "silver.sales", "2024-05-01", "run-2")
    assert result.status == "failed_transient"
    assert result.message == "silver.sales: another run published some of these days meanwhile; nothing was written, run it again."
    assert (tea_shop.version("silver.sales"), tea_shop.ledger.days("silver.sales")["2024-05-01"].run_id) == (1, "faster")


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
    build(shop, "2024-05-01..2024-05-03", "run-1", "bronze.sales", "silver.sales")
    build(shop, "2024-05-03", "run-2", "gold.before")
    assert shop.rows("gold.before") == [(THIRD, 3)]
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,100")
    build(shop, "2024-05-01", "run-3", "bronze.sales", "silver.sales", "gold.before")
    assert shop.rows("gold.before") == [(FIRST, None), (THIRD, 102)]


def test_a_month_that_is_made_from_one_of_its_days_is_refused_and_keeps_what_was_published(tea_shop: LittleLake) -> None:
    month = "SELECT date(date_trunc('month', sold_on)) AS sold_on, sum(cents) AS cents FROM silver_sales GROUP BY 1"
    tea_shop.write("spark_jobs/gold/totals.sql", month)
    build(tea_shop, "2024-05-01", "run-2", "gold.totals")
    tea_shop.land("sales/2024-05-04.csv", HEADER, "2024-05-04,tea,50")
    build(tea_shop, "2024-05-04", "run-3", "bronze.sales", "silver.sales")
    refused = tea_shop.run("build", "gold.totals", "2024-05-04", "run-3")
    assert (refused.status, tea_shop.rows("gold.totals")) == ("failed_terminal", [(FIRST, 300)])
    assert "totals.sql returned rows whose sold_on is 2024-05-01, and this run makes 2024-05-04; nothing was published" in refused.message
    assert "2024-05-04" not in tea_shop.ledger.days("gold.totals")


def test_a_table_goes_back_to_an_earlier_version_and_its_readers_follow(shop: LittleLake) -> None:
    change_contract(shop, "name: not_too_many}\n", f"name: not_too_many}}\n{ENOUGH}over_time: [{{check: new_categories, column: item}}]\n")
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    shop.land("sales/2024-05-02.csv", HEADER, "2024-05-02,tea,300", "2024-05-02,pie,200")
    build(shop, "2024-05-01..2024-05-02", "run-1", "bronze.sales", "silver.sales")
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300", "2024-05-01,pie,200", "2024-05-01,ring,5000")
    shop.land("sales/2024-05-03.csv", HEADER, "2024-05-03,tea,1", "2024-05-03,pie,1")
    build(shop, "2024-05-01..2024-05-03", "run-2")
    assert {day: entry.clean for day, entry in shop.ledger.days("silver.sales").items()} == dict.fromkeys(("2024-05-01", "2024-05-02", "2024-05-03"), True)
    never = shop.run("restore", "silver.sales", run_id="undo", version=7)
    assert (never.status, never.message) == ("failed_terminal", "silver.sales has no version 7; it is at 1. Choose one from 0 to 1.")
    result = shop.run("restore", "silver.sales", run_id="undo", version=0)
    assert result.message == "silver.sales: version 0 is back, as version 2; not clean until rebuilt, as nobody judged what is back: 2024-05-01"
    assert shop.rows("silver.sales", "sold_on", "item") == [(FIRST, "tea"), (SECOND, "pie"), (SECOND, "tea")]
    assert {day: entry.clean for day, entry in shop.ledger.days("silver.sales").items()} == {"2024-05-01": False, "2024-05-02": True}
    assert shop.ledger.versions("silver.sales", needs="clean") == {"2024-05-02": 0}
    days = ["2024-05-01", "2024-05-02", "2024-05-03"]
    assert shop.ledger.profiles("silver.sales", "item", days) == {"2024-05-02": {"=tea": 1, "=pie": 1}}
    looked = shop.run("quarantine", "silver.sales", run_id="look").facts
    assert [row["rules"] for row in looked["rows"]] == [["fair_price"]], "what waits in quarantine is of the files"
    build(shop, "2024-05-01", "run-3", "gold.totals")
    assert shop.rows("gold.totals") == [(FIRST, 300), (SECOND, 500), (THIRD, 2)]
    build(shop, "2024-05-03", "run-4", "silver.sales")
    assert shop.rows("silver.sales", "sold_on", "item") == [(FIRST, "tea"), (SECOND, "pie"), (SECOND, "tea"), (THIRD, "pie"), (THIRD, "tea")]
