"""Whether the one pass still judges as stock Great Expectations does.

The pass leans on internals of Great Expectations. The comparison needs a dozen Spark jobs (five seconds and more on two cores), too
much for every process, and with a locked version its result cannot change. So it is keyed by version: for VERSION it is a test
(tests/spark_jobs/lake/gate/test_agreement.py, with many more expectations), for any other version it runs once a process.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from expectations.rule import Rule
from spark_jobs.lake.gate.great_expectations_rules import judge_of
from spark_jobs.lake.gate.lanes import WHOLE, lay_out
from spark_jobs.lake.gate.one_pass import aggregate
from spark_jobs.lake.gate.plan import judge_plan
from spark_jobs.lake.gate.stock import judge_stock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame, SparkSession

    from spark_jobs.lake.gate.plan import Finding

VERSION = "1.24.1"
log = logging.getLogger(__name__)

NAN = float("nan")
ROWS = [
    ("a", 1, 1.0, 2), ("b", 2, 2.5, 2), ("c", 3, None, 1), ("", 4, NAN, None), (None, 5, -1.0, 9),
    ("a", 6, 0.0, 6), ("aa", 7, 7.0, 7), (" ", -8, 8.5, 8), ("d", None, None, None), (None, None, 3.0, 3),
]  # fmt: skip
SCHEMA = "code string, a int, x double, b int"
REPRESENTATIVE: list[dict[str, Any]] = [
    {"expect": "expect_column_values_to_not_be_null", "column": "code", "mostly": 0.8},
    {"expect": "expect_column_values_to_be_between", "column": "x", "min_value": 0, "max_value": 8},
    {"expect": "expect_column_values_to_match_regex", "column": "code", "regex": "^[a-c]$", "row_condition": "a > 0"},
    {"expect": "expect_column_values_to_be_unique", "column": "code"},
    {"expect": "expect_compound_columns_to_be_unique", "column_list": ["code", "a"]},
    {"expect": "expect_column_pair_values_a_to_be_greater_than_b", "column_A": "a", "column_B": "b", "or_equal": True},
    {"expect": "expect_column_mean_to_be_between", "column": "a", "min_value": 2, "max_value": 3},
    {"expect": "expect_column_stdev_to_be_between", "column": "a", "min_value": 1},
    {"expect": "expect_column_proportion_of_unique_values_to_be_between", "column": "code", "min_value": 0.5},
    {"expect": "expect_table_row_count_to_equal", "value": 10},
]


def findings_of_both(staged: DataFrame, rules: Sequence[Rule]) -> list[tuple[Rule, Finding, Finding]]:
    """Each rule with what the pass and what stock Great Expectations finds over the whole frame; rules that do not fit are left out."""
    judges = [judge_of("self-check", rule) for rule in rules]
    lanes = lay_out(staged, None, judges)
    values = aggregate(lanes, staged, [WHOLE])[WHOLE].staying
    fitting = [lane for lane in lanes.watching if lane.plan is not None]
    fast = [judge_plan(lanes.engine, lane.plan, values) for lane in fitting if lane.plan is not None]
    stock = judge_stock(staged, [lane.judge for lane in fitting])
    return [(lane.judge.rule, quick, slow) for lane, quick, slow in zip(fitting, fast, stock, strict=True)]


def agree(fast: Finding, stock: Finding) -> bool:
    """The same success, value and broken rows. (How many rows an aggregate looked at, stock does not say.)"""
    return (fast.success, _value(fast.observed), fast.broken) == (stock.success, _value(stock.observed), stock.broken)


def pass_is_trusted(spark: SparkSession) -> bool:
    """Whether the pass may judge. Where not, a warning says why, and stock Great Expectations judges everything."""
    installed = version("great-expectations")
    return installed == VERSION or _self_check(spark, installed)


@cache
def _self_check(spark: SparkSession, installed: str) -> bool:
    rules = [Rule.model_validate({**facts, "on_fail": "warn", "name": str(n)}) for n, facts in enumerate(REPRESENTATIVE)]
    try:
        found = findings_of_both(spark.createDataFrame(ROWS, SCHEMA), rules)
        wrong = [rule.expect for rule, fast, stock in found if not agree(fast, stock)]
        wrong = wrong or [rule.expect for rule in rules if rule.name not in {seen.name for seen, _, _ in found}]
    except Exception as error:
        wrong = [f"{type(error).__name__}: {error}"[:300]]
    if wrong:
        log.warning("great_expectations %s does not fit the one pass (%s); judging the slow way.", installed, "; ".join(wrong))
    return not wrong


def _value(observed: Any) -> Any:
    return round(observed, 9) if isinstance(observed, float) and observed == observed else str(observed)  # noqa: PLR0124 - NaN
