"""Which expectations Great Expectations has, without importing it: a generated list, kept true by a test."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from expectations.errors import did_you_mean

if TYPE_CHECKING:
    from expectations.contract import Rule, TableContract

CATALOGUE = Path(__file__).with_name("great_expectations.json")
MAP_OPTIONS = ("mostly", "row_condition", "condition_parser")


class Expectation(TypedDict):
    """One expectation: whether it judges single rows, and the arguments it takes (name to required)."""

    judges_rows: bool
    arguments: dict[str, bool]


@cache
def catalogue() -> dict[str, Expectation]:
    """Every expectation by name. Made by `python -m spark_jobs.lake.gate.catalogue` from the installed Great Expectations."""
    known: dict[str, Expectation] = json.loads(CATALOGUE.read_text())
    return known


def fault_of_rule(rule: Rule, contract: TableContract) -> str | None:
    """What is wrong with a rule, in one sentence, or None."""
    expectation = catalogue().get(rule.expect)
    if expectation is None:
        return f"there is no expectation {rule.expect!r}.{did_you_mean(rule.expect, catalogue())}"
    for argument in rule.arguments:
        if argument not in expectation["arguments"]:
            known = ", ".join(expectation["arguments"])
            return f"{rule.expect} takes no {argument!r}; it takes {known}.{did_you_mean(argument, expectation['arguments'])}"
    for argument, required in expectation["arguments"].items():
        if required and argument not in rule.arguments:
            return f"{rule.expect} needs {argument!r}; add it."
    for column in rule.columns:
        if column not in contract.columns:
            return f"{rule.expect} names the column {column!r}, which the table has not.{did_you_mean(column, contract.columns)}"
    if rule.on_fail in {"quarantine", "drop"} and not expectation["judges_rows"]:
        return f"{rule.expect} judges a day as a whole, so it cannot {rule.on_fail} rows; write on_fail: stop or warn."
    return None
