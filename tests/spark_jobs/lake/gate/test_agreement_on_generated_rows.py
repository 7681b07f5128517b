"""Verdicts, values and counts of the pass, and the rows that leave, are stock Great Expectations' own, over every expectation, on generated rows.

Two examples, of which the first has no rows, run with the other tests, eight as a part of `make test-all`, always the same; LAKE_TEST_EXAMPLES=200 runs
so many, and others each time.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from expectations.errors import ContractError
from spark_jobs.lake.gate import judge
from spark_jobs.lake.gate.lanes import WHOLE
from tests.spark_jobs.lake.gate.comparing import NO_EXAMPLES, differences, pass_findings, stock_results
from tests.spark_jobs.lake.gate.generated import DAYS, SCHEMA, frames, rules

pytestmark = pytest.mark.spark
EXAMPLES = int(os.environ.get("LAKE_TEST_EXAMPLES") or 2)
THE_SAME = 8
"""Up to here the examples are the same each time."""
generated = settings(
    max_examples=EXAMPLES,
    derandomize=EXAMPLES <= THE_SAME,
    database=None,
    deadline=None,
    phases=[Phase.generate],  # a smaller example would take minutes to find, and what is told names the rule and the rows
    suppress_health_check=list(HealthCheck),
)
LISTED = {"result_format": "COMPLETE", "unexpected_index_column_names": ["id"], "partial_unexpected_count": 0}
KEYS = [*(day.isoformat() for day in DAYS), "null"]


def rows_of(staged, key):
    return staged if key == WHOLE else staged.filter(F.coalesce(F.col("day").cast("string"), F.lit("null")) == key)


@generated
@given(frame=frames(), asked=rules(), more=rules(parts_rows=True), by_day=st.booleans())
def test_each_day_is_judged_by_the_pass_as_stock_great_expectations_judges_the_rows_of_that_day_alone(spark, frame, asked, more, by_day):
    staged = spark.createDataFrame(frame, SCHEMA)
    asked = [*asked, *(rule.model_copy(update={"name": f"more {rule.name}"}) for rule in more)]
    stock = {key: stock_results(rows_of(staged, key), asked, NO_EXAMPLES) for key in (KEYS if by_day else [WHOLE])}
    raising = {name for results in stock.values() for name, result in results.items() if isinstance(result, str)}
    for rule in asked:
        if rule.name in raising:
            with pytest.raises(ContractError, match="cannot be judged"):
                judge(staged, "t", [rule], "day" if by_day else None)
    judged = [rule for rule in asked if rule.name not in raising]

    fast = pass_findings(staged, judged, "day" if by_day else None, list(stock))

    wrong = [
        (key, rule.expect, rule.arguments, found)
        for key, results in stock.items()
        for rule in judged
        if (found := differences(rule, fast[key, rule.name], results[rule.name]))
    ]
    assert wrong == [], frame


@generated
@given(frame=frames(), asked=rules(parts_rows=True))
def test_the_rows_that_leave_are_those_that_stock_great_expectations_lists(spark, frame, asked):
    staged = spark.createDataFrame(frame, SCHEMA)
    parting = [rule.model_copy(update={"on_fail": "quarantine"}) for rule in asked]
    stock = {key: stock_results(rows_of(staged, key), asked, LISTED) for key in KEYS}
    listed = {rule.name: sorted(row["id"] for key in KEYS for row in stock[key][rule.name].result.get("unexpected_index_list") or ()) for rule in asked}

    judgement = judge(staged, "t", parting, "day", KEYS[:-1])

    left = {row["id"]: row["_rules"] for row in judgement.quarantined(staged).collect()}
    assert {rule.name: sorted(number for number, broken in left.items() if rule.name in broken) for rule in asked} == listed, frame
    stays = sorted(row["id"] for row in judgement.good(staged).select("id").collect())
    assert stays == sorted({row[0] for row in frame} - {number for ids in listed.values() for number in ids})
