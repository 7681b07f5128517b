"""Writes expectations/great_expectations.json and docs/expectations.md: what the installed Great Expectations has, and how the gate judges it.

`SPARK_REMOTE=sc://127.0.0.1:15002 python -m spark_jobs.lake.gate.catalogue`, on a running server: each expectation is really planned on four rows,
and judged there by Great Expectations itself.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from great_expectations.expectations.registry import get_expectation_impl, list_registered_expectation_implementations

from expectations.errors import ContractError
from expectations.expectation_catalogue import CATALOGUE, Expectation, Judged
from expectations.rule import Rule
from spark_jobs.lake.gate.arguments import arguments_of
from spark_jobs.lake.gate.great_expectations_rules import ROW_JUDGES, judge_of
from spark_jobs.lake.gate.lanes import lay_out
from spark_jobs.lake.gate.stock import judge_stock
from spark_jobs.lake.session import open_session

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from expectations.expectation_catalogue import Argument
    from spark_jobs.lake.gate.great_expectations_rules import Judge

DOCUMENT = CATALOGUE.parent.parent / "docs" / "expectations.md"
ROWS = [(1, 2.0, "a", "[1]"), (2, 3.0, "b", "[2]"), (3, 5.0, "c", "[3]"), (None, None, None, None)]
SCHEMA = "count int, size double, word string, list string"
BY_SCHEMA = {"expect_column_values_to_be_of_type", "expect_column_values_to_be_in_type_list"}
"""They look at rows elsewhere; on Spark the column's type answers them."""
OWN_QUERIES = {"unexpected_rows_expectation", "expect_query_results_to_match_comparison"}
"""They run any SQL that they are given, also on other tables, and that is no fact of a contract."""
SAMPLE: dict[str, Any] = {
    "column": "count",
    "column_A": "count",
    "column_B": "size",
    "column_list": ["count", "size"],
    "column_set": ["count", "size"],
    "min_value": 0,
    "max_value": 9,
    "value": 3,
    "value_set": [1, 2, 3],
    "value_pairs_set": [[1, 2.0]],
    "sum_total": 3,
    "threshold": 3,
    "double_sided": True,
    "type_": "IntegerType",
    "type_list": ["IntegerType"],
    "regex": "^[a-z]$",
    "regex_list": ["^[a-z]$"],
    "like_pattern": "a%",
    "like_pattern_list": ["a%"],
    "strftime_format": "%Y",
    "json_schema": {"type": "array"},
    "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[0, 9]]},
    "partition_object": {"bins": [0, 5, 10], "weights": [0.5, 0.5]},
    "other_table_name": "other",
    "unexpected_rows_query": "SELECT 1",
}
"""Arguments to plan an expectation with; of those that are not required only bounds and what is taken for granted."""
OF_TEXTS = ("regex", "like_pattern", "strftime", "dateutil", "value_lengths")
OF_JSON = ("json",)


def installed(spark: SparkSession) -> dict[str, Expectation]:
    """Every expectation that Great Expectations registers, by name."""
    rows = spark.createDataFrame(ROWS, SCHEMA)
    return {name: _described(rows, name) for name in sorted(list_registered_expectation_implementations())}


def text_of(facts: dict[str, Expectation]) -> str:
    """The text of great_expectations.json."""
    return json.dumps(facts, indent=1, sort_keys=True) + "\n"


def _described(rows: DataFrame, name: str) -> Expectation:
    implementation: Any = get_expectation_impl(name)
    arguments = arguments_of(implementation)
    judged, because = _judged(rows, name, arguments)
    can_be_used = judged != "not at all"
    judges_rows = can_be_used and issubclass(implementation, ROW_JUDGES) and name not in BY_SCHEMA
    if judges_rows and not _heeds_conditions(rows, name, arguments):
        arguments = {key: facts for key, facts in arguments.items() if key not in {"row_condition", "condition_parser"}}
    return {
        "judged": judged,
        "because": because,
        "judges_rows": judges_rows,
        "parts_rows": can_be_used and _parts_rows(rows, name, arguments),
        "arguments": arguments,
    }


def _judged(rows: DataFrame, name: str, arguments: dict[str, Argument]) -> tuple[Judged, str]:
    if name in OWN_QUERIES:
        return "not at all", "it runs SQL of its own, which is no fact of a contract"
    judge = _judge(name, arguments, "warn")
    try:
        (lane,) = lay_out(rows, None, [judge]).watching
        judge_stock(rows, [judge])
    except ContractError as error:
        return "not at all", _reason(error)
    return ("by stock Great Expectations", "") if lane.plan is None else ("in the pass", "")


def _heeds_conditions(rows: DataFrame, name: str, arguments: dict[str, Argument]) -> bool:
    """Whether Great Expectations leaves out the rows for which a row_condition is not true."""
    try:
        (found,) = judge_stock(rows, [_judge(name, arguments, "warn", row_condition="false")])
    except ContractError:  # more broken rows than there are
        return False
    return found.broken == 0


def _reason(error: ContractError) -> str:
    if "no way to compute it on Spark" in str(error):
        return "Great Expectations has no way to compute it on Spark"
    return str(error).partition("cannot be judged: ")[2].partition(";")[0]


def _parts_rows(rows: DataFrame, name: str, arguments: dict[str, Argument]) -> bool:
    try:
        lay_out(rows, None, [_judge(name, arguments, "quarantine")])
    except ContractError:
        return False
    return True


def _judge(name: str, arguments: dict[str, Argument], on_fail: str, **more: str) -> Judge:
    given = {key: value for key, value in SAMPLE.items() if key in arguments}
    if any(word in name for word in OF_TEXTS):
        given["column"] = "word"
    if any(word in name for word in OF_JSON):
        given["column"] = "list"
    return judge_of("catalogue", Rule.model_validate({"expect": name, "on_fail": on_fail, **given, **more}))


HEAD = """# Expectations

<!-- Made by `python -m spark_jobs.lake.gate.catalogue`; a test keeps it true. Edit that, not this. -->

Every expectation of Great Expectations {version}, and what a rule can do with it. `expect:` takes the name as it stands here.

- **in the pass**: judged together with all other rules of the table by one aggregation over the staged rows, grouped by day. The verdict is
  Great Expectations' own; a test holds verdicts and counts against stock Great Expectations, on generated rows.
- **by stock Great Expectations**: judged by Great Expectations as it comes, day by day, in jobs of its own: right, and slower.
- **not at all**: `make check-lake` refuses it, and says why.

`quarantine` and `drop` need an expectation that tells single rows; `at_most` one that counts them. `stop`, `ask` and `warn` take all.
Arguments in bold are needed. A `row_condition` is an argument only where Great Expectations heeds it.

| expectation | judged | rows may leave | counts rows | arguments |
|---|---|---|---|---|
"""


def document_of(facts: dict[str, Expectation], version: str) -> str:
    """The text of docs/expectations.md."""
    return HEAD.format(version=version) + "".join(_line(name, found) for name, found in facts.items())


def _line(name: str, found: Expectation) -> str:
    judged = f"not at all: {found['because']}" if found["because"] else found["judged"]
    arguments = sorted(found["arguments"].items(), key=lambda pair: (not pair[1]["required"], pair[0]))
    shown = ", ".join(f"**{key}**" if facts["required"] else key for key, facts in arguments)
    return f"| `{name}` | {judged} | {'yes' if found['parts_rows'] else ''} | {'yes' if found['judges_rows'] else ''} | {shown} |\n"


def main() -> None:
    """Write both files."""
    from importlib.metadata import version

    with open_session(os.environ.get("SPARK_REMOTE"), "catalogue") as spark:
        facts = installed(spark)
    CATALOGUE.write_text(text_of(facts))
    DOCUMENT.write_text(document_of(facts, version("great-expectations")))


if __name__ == "__main__":
    main()
