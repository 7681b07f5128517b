"""Which columns of a plan are another one each time, by the plan's text as Spark writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from expectations.errors import ContractError
from expectations.loader import load_lake
from spark_jobs.lake.determinism import analysed, found_in, require_determined
from tests.spark_jobs.lake.conftest import write_shop
from tests.spark_jobs.lake.parts import without_spark

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

PLAIN = """
Project [sold_on#10, item#11, cents#12]
+- Project [sold_on#10, upper(item#3) AS item#11, coalesce(cents#4, 0) AS cents#12]
   +- Relation [sold_on#10,item#3,cents#4] parquet
"""
DRAWN_IN_A_COLUMN = """
Project [sold_on#10, item#11, made_at#12]
+- Project [sold_on#10, item#11, current_timestamp() AS made_at#12]
   +- Relation [sold_on#10,item#11] parquet
"""
DRAWN_ON_THE_WAY = """
Project [sold_on#10, item#13]
+- Project [sold_on#10, concat(item#3, cast(salt#12 as string)) AS item#13]
   +- Project [sold_on#10, item#3, cast((rand(42) * cast(8 as double)) as int) AS salt#12]
      +- Relation [sold_on#10,item#3] parquet
"""
SALTED_JOIN = """
Project [sold_on#10, item#3, name#20]
+- Join Inner, ((item#3 = item#21) AND (salt#12 = salt#22))
   :- Project [sold_on#10, item#3, cast((rand(42) * 8.0) as int) AS salt#12]
   :  +- Relation [sold_on#10,item#3] parquet
   +- Relation [item#21,name#20,salt#22] parquet
"""
GROUPED = """
Project [sold_on#10, number#14L]
+- Aggregate [sold_on#10], [sold_on#10, count(1) AS number#14L]
   +- Project [date_add(current_date(Some(UTC)), 0) AS sold_on#10]
      +- Relation [item#3] parquet
"""
UNION = """
Project [sold_on#10, item#11]
+- Union false, false
   :- Relation [sold_on#10,item#11] parquet
   +- Project [sold_on#30, uuid(Some(7)) AS item#31]
      +- Relation [sold_on#30] parquet
"""


@pytest.mark.parametrize(
    ("plan", "found"),
    [
        (PLAIN, {}),
        (DRAWN_IN_A_COLUMN, {"made_at": "current_timestamp"}),
        (DRAWN_ON_THE_WAY, {"item": "rand"}),
        (SALTED_JOIN, {}),
        (GROUPED, {"sold_on": "current_date"}),
        (UNION, {"item": "uuid"}),
    ],
)
def test_a_column_is_told_that_comes_from_a_function_whose_value_is_another_one_each_time(plan: str, found: dict[str, str]) -> None:
    assert found_in(plan, ["sold_on", "item", "cents", "made_at", "name", "number"]) == found


def test_a_day_or_a_key_that_is_drawn_anew_is_refused_and_any_other_column_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = without_spark(tmp_path, monkeypatch)
    write_shop(lake)
    table = load_lake().table("silver.sales")
    require_determined(table, DRAWN_IN_A_COLUMN)
    with pytest.raises(ContractError, match=r"^silver\.sales: item is its key, and in .*sales\.py it comes from rand\(\)"):
        require_determined(table, DRAWN_ON_THE_WAY)
    with pytest.raises(ContractError, match=r"^silver\.sales: sold_on is its day, and in .* it comes from current_date\(\)"):
        require_determined(table, GROUPED)


def test_sparks_own_plans_are_read(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("2024-05-01", "tea", 3)], "day string, item string, cents int").select(F.to_date("day").alias("day"), "item", "cents")
    wide = rows.select("*", *(F.lit(number).alias(f"c{number}") for number in range(40)))
    salted = wide.withColumn("salt", F.floor(F.rand() * 8)).join(spark.range(8).withColumnRenamed("id", "salt"), "salt")
    columns = ["day", "item", "cents"]
    named = {
        "plain": (wide, {}),
        "drawn": (wide.withColumn("day", F.current_date()), {"day": "current_date"}),
        "grouped": (wide.withColumn("item", F.expr("uuid()")).groupBy("day", "item").agg(F.sum("cents").alias("cents")), {"item": "uuid"}),
        "salted": (salted, {}),
        "union": (wide.unionByName(wide.withColumn("cents", F.monotonically_increasing_id().cast("int"))), {"cents": "monotonically_increasing_id"}),
        "window": (wide.withColumn("cents", F.spark_partition_id() + 1), {"cents": "spark_partition_id"}),
    }
    for name, (made, found) in named.items():
        assert found_in(plan_of(made.select(*columns)), columns) == found, name


def plan_of(rows: DataFrame) -> str:
    return analysed(rows)
