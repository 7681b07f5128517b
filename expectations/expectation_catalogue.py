"""Which expectations Great Expectations has, without importing it: a generated list, kept true by a test."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeGuard

from expectations.errors import did_you_mean

if TYPE_CHECKING:
    from expectations.contract import TableContract
    from expectations.rule import Rule

CATALOGUE = Path(__file__).with_name("great_expectations.json")


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
    fault = _fault_of_values(rule)
    if fault is None and rule.on_fail in {"quarantine", "drop"} and not expectation["judges_rows"]:
        return f"{rule.expect} judges a day as a whole, so it cannot {rule.on_fail} rows; write on_fail: stop or warn."
    return fault


def _fault_of_values(rule: Rule) -> str | None:
    """What Great Expectations would refuse, or what no row could satisfy."""
    given = rule.arguments
    for key in ("column_list", "column_set", "value_set"):
        if given.get(key) is not None and not isinstance(given[key], list):
            return f"{rule.expect}: {key} must be a list, found {given[key]!r:.80}; write it in brackets."
    mostly = given.get("mostly", 1)
    if isinstance(mostly, bool) or not isinstance(mostly, (int, float)) or not 0 <= mostly <= 1:
        return f"{rule.expect}: mostly is a share from 0 to 1, found {mostly!r:.80}; write 0.95 for 95 percent."
    least, most = given.get("min_value"), given.get("max_value")
    if rule.expect.endswith("_to_be_between") and least is None and most is None:
        return f"{rule.expect} needs min_value or max_value, or both; add one."
    if _is_number(least) and _is_number(most) and least > most:
        return f"{rule.expect}: min_value {least} is more than max_value {most}, so nothing could pass; swap them."
    return None


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
