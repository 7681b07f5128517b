"""Checks of a contract's promises over time: that there are days, that the columns can be looked at so, that names are told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expectations.errors import ContractError, did_you_mean
from expectations.over_time import CATEGORIES, NUMBERS, ArrivalTime, Distribution, Freshness, NewCategories, WithHistory

if TYPE_CHECKING:
    from expectations.lake import Lake, Table
    from expectations.over_time import OverTimeCheck

RULE_OF_LANDING = "schema"
"""How the engine calls what it says of a landed file's columns."""


def check_over_time(lake: Lake, table: Table, engine_rules: set[str]) -> None:
    """Raises ContractError, with file and line, for the first check over time that could never be judged, or has the name of another rule."""
    contract = table.contract
    labels = {*engine_rules, *(rule.label for rule in contract.rules)}
    for position, check in enumerate(contract.over_time):
        place = table.line("over_time", position)
        if not contract.source and not contract.day:
            raise ContractError(f"{place}: {table.name} has no `day`, and a check over time compares days; add a day, or take over_time away.")
        fault = _fault(lake, table, check)
        if fault:
            raise ContractError(f"{place}: {check.label}: {fault}")
        if check.label in labels or check.label.startswith("not_null("):
            raise ContractError(f"{place}: a second rule {check.label!r}; give one of them another name.")
        labels.add(check.label)


def _fault(lake: Lake, table: Table, check: OverTimeCheck) -> str:
    if isinstance(check, ArrivalTime) and not table.contract.source:
        return f"files arrive at bronze tables, and {table.name} has inputs; write freshness here, or arrival in bronze."
    if isinstance(check, Freshness):
        return _fault_of_freshness(lake, table)
    if isinstance(check, WithHistory) and check.at_least_days > _most_days(check):
        return f"a window of {check.window} days has at most {_most_days(check)} to compare with, so at_least_days {check.at_least_days} is never reached."
    return _fault_of_column(table, check) if isinstance(check, (Distribution, NewCategories)) else ""


def _most_days(check: WithHistory) -> int:
    return check.window // 7 if getattr(check, "against", "") == "same_weekday" else check.window


def _fault_of_freshness(lake: Lake, table: Table) -> str:
    if table.contract.source:
        return f"{table.name} has no inputs to be as fresh as; write arrival."
    if not any(lake.has_days(read.table) for read in table.contract.inputs):
        return "none of the inputs has days to be as fresh as; take it away."
    return ""


def _fault_of_column(table: Table, check: Distribution | NewCategories) -> str:
    columns = table.contract.columns
    if check.column not in columns:
        return f"there is no column {check.column!r}.{did_you_mean(check.column, columns)}"
    if table.contract.source:
        return "bronze keeps texts as they arrived; look at the typed column in silver."
    kind = columns[check.column].type
    is_number = kind in NUMBERS or kind.startswith("decimal")
    if isinstance(check, NewCategories) and kind not in CATEGORIES:
        return f"{check.column} is {kind}, and categories are texts; make it a string, or write distribution."
    if isinstance(check, Distribution) and check.method == "ks":
        return _fault_of_ks(check, kind, is_number)
    if not is_number and kind not in CATEGORIES:
        return f"{check.column} is {kind}; its values are looked at where it is a number, a string or a boolean."
    return ""


def _fault_of_ks(check: Distribution, kind: str, is_number: bool) -> str:
    if not is_number:
        return f"{check.column} is {kind}, and KS compares numbers; write method: psi."
    return f"KS is a share from 0 to 1, so it is never above at_most {check.at_most}; write 0.15, or leave it out." if check.limit > 1 else ""
