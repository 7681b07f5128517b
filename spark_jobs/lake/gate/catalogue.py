"""Writes expectations/great_expectations.json: which expectations the installed Great Expectations has."""

from __future__ import annotations

import inspect
import json

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import (
    BatchExpectation,
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    MulticolumnMapExpectation,
    UnexpectedRowsExpectation,
)
from great_expectations.expectations.registry import list_registered_expectation_implementations

from expectations.expectation_catalogue import CATALOGUE, Expectation

ROW_JUDGES = (ColumnMapExpectation, ColumnPairMapExpectation, MulticolumnMapExpectation)
FRAMEWORK = {  # arguments that belong to Great Expectations' own bookkeeping, not to a rule
    "id", "meta", "notes", "result_format", "description", "catch_exceptions", "rendered_content", "windows", "batch_id", "severity",
}


def installed() -> dict[str, Expectation]:
    """Every expectation that Great Expectations implements on Spark, by name."""
    names = set(list_registered_expectation_implementations())
    found: dict[str, Expectation] = {}
    for _, kind in inspect.getmembers(gxe, inspect.isclass):
        if not issubclass(kind, BatchExpectation) or issubclass(kind, UnexpectedRowsExpectation) or inspect.isabstract(kind):
            continue
        name = getattr(kind, "expectation_type", None)
        if name in names:
            arguments = {field: bool(facts.required) for field, facts in kind.__fields__.items() if field not in FRAMEWORK}
            found[name] = {"judges_rows": issubclass(kind, ROW_JUDGES), "arguments": arguments}
    return dict(sorted(found.items()))


def text() -> str:
    """The file's text."""
    return json.dumps(installed(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    CATALOGUE.write_text(text())
