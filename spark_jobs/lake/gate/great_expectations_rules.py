"""Rules as Great Expectations' own objects. Importing this imports Great Expectations, which takes seconds."""

from __future__ import annotations

import logging
import os
import warnings
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at import: nothing about a lake leaves the machine

import great_expectations.expectations.core  # noqa: F401 - registers the expectations
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    Expectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.registry import get_expectation_impl

from expectations.errors import ContractError

if TYPE_CHECKING:
    from expectations.rule import Rule

ROW_JUDGES = (ColumnMapExpectation, ColumnPairMapExpectation, MulticolumnMapExpectation)
for noisy in ("great_expectations.expectations.registry", "great_expectations.validator.validator"):
    logging.getLogger(noisy).setLevel(logging.ERROR)


@dataclass(frozen=True)
class Judge:
    """One rule of one table with the expectation that judges it."""

    table: str
    rule: Rule
    expectation: Expectation

    @property
    def parts_rows(self) -> bool:
        """Whether rows that break it leave the candidate."""
        return self.rule.parts_rows

    @property
    def judges_rows(self) -> bool:
        """Whether it judges single rows, not a whole day."""
        return isinstance(self.expectation, ROW_JUDGES)

    def fault(self, reason: object, remedy: str) -> ContractError:
        """The rule cannot be judged, and why."""
        return ContractError(f"{self.table}: the rule {self.rule.label} ({self.rule.expect}) cannot be judged: {_first_line(reason)}; {remedy}")


def judge_of(table: str, rule: Rule) -> Judge:
    """The rule's expectation. Raises ContractError where Great Expectations refuses its arguments."""
    try:
        expectation = expectation_of(rule.expect, rule.arguments)
    except Exception as error:
        reason = "; ".join(line.strip() for line in str(error).splitlines()[1:] if line.strip()) or str(error)
        raise ContractError(f"{table}: the rule {rule.label}: {rule.expect} refuses its arguments: {reason}; mend them.") from None
    judge = Judge(table, rule, expectation)
    if judge.parts_rows and not judge.judges_rows:
        raise judge.fault(f"it judges a day as a whole and cannot {rule.on_fail} rows", "write on_fail: stop or warn.")
    return judge


def expectation_of(name: str, arguments: dict[str, Any]) -> Expectation:
    """An expectation by name. Dates go in as ISO texts: Great Expectations takes those against date columns and texts alike."""
    with warnings.catch_warnings():
        # A text is the only form a row_condition has in a contract; the expectation takes it until Great Expectations 2.
        warnings.simplefilter("ignore", DeprecationWarning)
        taken = dict(arguments)
        if taken.get("row_condition") and not taken.get("condition_parser"):
            taken["condition_parser"] = "spark"
        implementation: Any = get_expectation_impl(name)
        expectation: Expectation = implementation(**_without_dates(taken))
    return expectation


def _without_dates(value: Any) -> Any:
    if isinstance(value, date):  # a datetime is a date too
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _without_dates(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_without_dates(entry) for entry in value]
    return value


def _first_line(reason: object) -> str:
    lines = [line.strip() for line in str(reason).splitlines() if line.strip()]
    return lines[0].rstrip(".;")[:300] if lines else type(reason).__name__
