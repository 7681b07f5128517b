"""What is judged is what is published, and no row of a file is lost on the way: not one without a day, nor one whose day is drawn anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expectations.errors import ContractError
from expectations.loader import load_lake
from spark_jobs.lake.publishing import refuse_other_answers
from tests.spark_jobs.lake.conftest import write_shop
from tests.spark_jobs.lake.parts import without_spark
from tests.spark_jobs.lake.reviewing import HEADER, SALES, SOLD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.spark_jobs.lake.conftest import LittleLake

DAY = "2024-05-01"


def test_a_file_none_of_whose_rows_has_a_day_waits_in_quarantine(shop: LittleLake) -> None:
    shop.land(f"sales/{DAY}.csv", HEADER, "NA,tea,300")
    shop.build(SALES, DAY)
    result = shop.build(SOLD, DAY)
    assert (result.status, result.facts["rows_quarantined"]) == ("done", 1)
    assert shop.quarantine(SOLD, "_values") == [('{"item":"tea","cents":300}',)]


def test_a_table_that_keeps_no_row_ids_is_published_by_the_rows_that_told_its_days(shop: LittleLake) -> None:
    shop.write(
        "spark_jobs/silver/sales.py",
        """
        def transform(bronze_sales):
            sums = bronze_sales.groupBy("sold_on", "item").sum("cents")
            return sums.selectExpr("sold_on", "item", "int(`sum(cents)`) AS cents")
    """,
    )
    shop.land(f"sales/{DAY}.csv", HEADER, f"{DAY},tea,300", f"{DAY},tea,200", "2024-04-30,cup,1")
    shop.build(SALES, DAY)
    assert shop.build(SOLD, DAY).facts["days"] == ["2024-04-30", DAY]
    assert shop.rows(SOLD, "item", "cents") == [("cup", 1), ("tea", 500)]


def test_a_transform_whose_day_is_todays_is_refused_and_a_column_of_today_is_not(shop: LittleLake) -> None:
    shop.land(f"sales/{DAY}.csv", HEADER, f"{DAY},tea,300")
    shop.build(SALES, DAY)
    logic = """
        from pyspark.sql import functions as F

        def transform(bronze_sales):
            return bronze_sales.select({columns}, "_row")
    """
    shop.write("spark_jobs/silver/sales.py", logic.format(columns='F.current_date().alias("sold_on"), "item", "cents"'))
    result = shop.run("build", SOLD, DAY)
    assert result.status == "failed_terminal"
    assert "silver.sales: sold_on is its day, and in" in result.message
    shop.write("spark_jobs/silver/sales.py", logic.format(columns='"sold_on", "item", F.year(F.current_date()).cast("int").alias("cents")'))
    assert shop.run("build", SOLD, DAY).facts["rows_in"] == 1


def test_rows_of_new_files_that_were_given_another_day_the_second_time_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shop(without_spark(tmp_path, monkeypatch))
    table = load_lake().table(SOLD)
    refuse_other_answers(table, [DAY], [DAY, "2024-05-02"])
    with pytest.raises(ContractError, match=r"gave rows of the same files other days when it was asked again: 2024-05-03; nothing was published\."):
        refuse_other_answers(table, [DAY, "2024-05-03"], [DAY])
