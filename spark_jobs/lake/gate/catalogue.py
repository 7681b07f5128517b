"""Writes expectations/great_expectations.json: which expectations the installed Great Expectations has."""

from __future__ import annotations

import inspect
import json

import great_expectations.expectations as gxe
from great_expectations.exceptions.exceptions import MetricProviderError
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.expectation import (
    BatchExpectation,
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    MulticolumnMapExpectation,
    UnexpectedRowsExpectation,
)
from great_expectations.expectations.registry import get_metric_provider, list_registered_expectation_implementations

from expectations.expectation_catalogue import CATALOGUE, Expectation

ROW_JUDGES = (ColumnMapExpectation, ColumnPairMapExpectation, MulticolumnMapExpectation)
BY_SCHEMA = {"ExpectColumnValuesToBeOfType", "ExpectColumnValuesToBeInTypeList"}
"""They look at rows elsewhere; on Spark the column's type answers them."""
FRAMEWORK = {  # arguments that belong to Great Expectations' own bookkeeping, not to a rule
    "id",
    "meta",
    "notes",
    "result_format",
    "description",
    "catch_exceptions",
    "rendered_content",
    "windows",
    "batch_id",
    "severity",
}


def runs_on_spark(kind: type[BatchExpectation]) -> bool:
    """Whether Great Expectations can compute what the expectation looks at on Spark."""
    metrics = [f"{kind.map_metric}.unexpected_count"] if issubclass(kind, ROW_JUDGES) else list(kind.metric_dependencies)
    engine = object.__new__(SparkDFExecutionEngine)  # only its class is looked at
    try:
        for metric in metrics:
            get_metric_provider(metric, engine)
    except MetricProviderError:
        return kind.__name__ in BY_SCHEMA
    return True


def installed() -> dict[str, Expectation]:
    """Every expectation that Great Expectations implements on Spark, by name."""
    names = set(list_registered_expectation_implementations())
    found: dict[str, Expectation] = {}
    for _, kind in inspect.getmembers(gxe, inspect.isclass):
        if not issubclass(kind, BatchExpectation) or issubclass(kind, UnexpectedRowsExpectation) or inspect.isabstract(kind):
            continue
        name = getattr(kind, "expectation_type", None)
        if name in names and runs_on_spark(kind):
            arguments = {field: bool(facts.required) for field, facts in kind.__fields__.items() if field not in FRAMEWORK}
            found[name] = {"judges_rows": issubclass(kind, ROW_JUDGES) and kind.__name__ not in BY_SCHEMA, "arguments": arguments}
    return dict(sorted(found.items()))


def text() -> str:
    """The file's text."""
    return json.dumps(installed(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    CATALOGUE.write_text(text())
