"""What is compared: the engine's own table task, a plain write, and the plain write followed by a stock Great Expectations validation."""

from __future__ import annotations

import os
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.core.expectation_suite import ExpectationSuite
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from expectations.jobs import JobRequest
from expectations.settings import load_settings
from spark_jobs.run import run
from tests.benchmarks.gates_lake import DAYS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from expectations.jobs import JobResult

NOT_NULL_DAY = {"expect": "expect_column_values_to_not_be_null", "column": "day"}


def build(remote: str, table: str, *statuses: str) -> JobResult:
    """The table task, also where nothing changed."""
    result = run(JobRequest(verb="build", name=table, days=f"{DAYS[0]}..{DAYS[-1]}", run_id="benchmark", force=True), remote)
    if result.status not in (statuses or ("done",)):
        raise RuntimeError(result.message)
    return result


def write_plainly(remote: str, logic: str) -> None:
    """The same rows by one replaceWhere write, as a job without this package would do it."""
    spark = SparkSession.builder.remote(remote).create()
    settings = load_settings()
    trips = spark.read.format("delta").load(settings.table_path("silver.trips")).filter(F.col("day").isin(list(DAYS)))
    rides = _transform(logic)(trips)
    path, days = plain_path(logic), ", ".join(f"'{day}'" for day in DAYS)
    writer = rides.write.format("delta").partitionBy("day").mode("overwrite")
    if os.path.exists(path):
        writer = writer.option("replaceWhere", f"day IN ({days})")
    writer.save(path)
    spark.stop()


def validate_plainly(remote: str, logic: str, rules: list[dict[str, Any]]) -> None:
    """The plain write, then a validation of what was written."""
    write_plainly(remote, logic)
    spark = SparkSession.builder.remote(remote).create()
    result = validated(spark.read.format("delta").load(plain_path(logic)).filter(F.col("day").isin(list(DAYS))), rules)
    spark.stop()
    if not result.success:
        raise RuntimeError(f"the clean rows broke a rule: {result}")


def validated(rows: DataFrame, rules: list[dict[str, Any]]) -> Any:
    """A stock validation, as its documentation shows it: an ephemeral context, a data frame asset, a suite, SUMMARY results."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_spark("spark").add_dataframe_asset("rides")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": rows})
    return batch.validate(ExpectationSuite("rides", expectations=[_expectation(rule) for rule in rules]), result_format="SUMMARY")


def plain_path(logic: str) -> str:
    """Where the plain writes go."""
    return f"{load_settings().root}/plain_{logic}"


def _expectation(rule: dict[str, Any]) -> Any:
    own = {key: value for key, value in rule.items() if key not in {"expect", "on_fail", "name"}}
    kind = "".join(word.capitalize() for word in rule["expect"].split("_"))
    return getattr(gxe, kind)(**own, meta={"rule": rule.get("name", "not_null(day)")})


def _transform(logic: str) -> Any:
    file = load_settings().project / "spark_jobs" / "silver" / f"{logic}_free.py"
    spec = spec_from_file_location(f"plain_{logic}", file)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{file} cannot be loaded")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.transform
