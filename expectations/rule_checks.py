"""Checks of a table's rules: each for itself, and all against each other."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from expectations.contradictions import contradiction
from expectations.errors import ContractError, did_you_mean
from expectations.expectation_catalogue import catalogue, usable
from expectations.row_conditions import fault_of_condition
from expectations.rule_figures import fault_of_figures
from expectations.rule_values import fault_of_kinds, fault_of_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from expectations.contradictions import Clash
    from expectations.expectation_catalogue import Argument, Expectation
    from expectations.lake import Table
    from expectations.rule import Rule

LONGEST_LABEL = 300
"""Characters of a rule's name in the ledger."""
OWN_KEYS = ("expect", "on_fail", "name", "at_most")
BOOKKEEPING = {"id", "meta", "notes", "severity", "description", "result_format", "catch_exceptions", "rendered_content", "windows", "batch_id"}
"""What Great Expectations takes beside an expectation's arguments."""


def check_rules(table: Table, engine_rules: set[str]) -> None:
    """Raises ContractError, with file and line, for the first rule that cannot be kept as it stands.

    `engine_rules`: how the engine calls its own rules, beside not_null(<column>).
    """
    types = _types(table)
    for position, rule in enumerate(table.contract.rules):
        fault = fault_of_rule(rule, types) or _fault_of_label(rule, table.contract.rules[:position], engine_rules)
        if fault:
            raise ContractError(f"{table.line('rules', position)}: {_hinted(fault, table, rule)}")
    for (first, earlier), (second, later) in combinations(enumerate(table.contract.rules), 2):
        clash = contradiction(earlier, later, types)
        if clash:
            line = table.line("rules", first).rpartition(":")[2]
            raise ContractError(f"{table.line('rules', second)}: {_sentence(clash, later, earlier, line)}")
    _check_nulls(table)


def fault_of_rule(rule: Rule, types: dict[str, str]) -> str | None:
    """What is wrong with a rule on columns of these types, in one sentence, or None."""
    expectation = usable().get(rule.expect)
    if expectation is None:
        return _fault_of_name(rule.expect)
    return (
        _fault_of_arguments(rule, expectation["arguments"], types)
        or fault_of_values(rule, expectation["arguments"])
        or fault_of_kinds(rule, types)
        or fault_of_figures(rule, types)
        or _fault_of_condition(rule, types)
        or _fault_of_use(rule, expectation)
    )


def _fault_of_arguments(rule: Rule, arguments: dict[str, Argument], types: dict[str, str]) -> str | None:
    for argument in rule.arguments:
        if argument in BOOKKEEPING and argument not in arguments:
            return f"{rule.expect}: the engine keeps {argument!r} of Great Expectations for itself; say it with name or on_fail, or in a comment."
        if argument not in arguments:
            return f"{rule.expect} takes no {argument!r}; it takes {', '.join(arguments)}.{did_you_mean(argument, [*arguments, *OWN_KEYS])}"
    for argument, facts in arguments.items():
        if facts["required"] and argument not in rule.arguments:
            return f"{rule.expect} needs {argument!r}; add it."
    for column in rule.columns:
        if column not in types:
            return f"{rule.expect} names the column {column!r}, which the table has not.{did_you_mean(column, types)}"
    return None


def _fault_of_use(rule: Rule, expectation: Expectation) -> str | None:
    if rule.parts_rows and not expectation["parts_rows"]:
        reason = "cannot tell single rows" if expectation["judges_rows"] else "judges a day as a whole"
        return f"{rule.expect} {reason}, so it cannot {rule.on_fail} rows; write on_fail: stop, ask or warn."
    if rule.at_most is not None and not expectation["judges_rows"]:
        return f"{rule.expect} judges a day as a whole, so at_most has no rows to count; take at_most away."
    return None


def _types(table: Table) -> dict[str, str]:
    """Column to the type in which the gate sees it: bronze keeps texts, except of Parquet, ORC and nested values."""
    contract = table.contract
    as_text = contract.source is not None and not contract.source.has_types
    return {name: "string" if as_text and "<" not in column.type else column.type for name, column in contract.columns.items()}


def _hinted(fault: str, table: Table, rule: Rule) -> str:
    """With a hint where the rule would do on the types that the contract gives the columns."""
    seen, typed = _types(table), {name: column.type for name, column in table.contract.columns.items()}
    if seen == typed or fault_of_rule(rule, seen) != fault or fault_of_rule(rule, typed) == fault:
        return fault
    return f"{fault.removesuffix('.')} (bronze keeps texts; judge the typed column in silver)."


def _fault_of_name(name: str) -> str:
    known = catalogue().get(name)
    if known is None:
        return f"there is no expectation {name!r}.{did_you_mean(name, usable()) or ' docs/expectations.md lists those that there are.'}"
    hint = " expect_column_values_to_match_regex can say the same." if "like_pattern" in name else ""
    return f"{name} is not for rules: {known['because']}; take another (docs/expectations.md).{hint}"


def _fault_of_label(rule: Rule, earlier: Sequence[Rule], engine_rules: set[str]) -> str | None:
    label = rule.label
    if label in [other.label for other in earlier]:
        return f"a second rule {label!r}; give one of them a name."
    if label in engine_rules or label.startswith("not_null("):
        return f"{label!r} is the name of a rule that the engine adds; choose another."
    if len(label) > LONGEST_LABEL:
        return f"the rule is called by {len(label)} characters, at most {LONGEST_LABEL} fit; give it a name."
    return None


def _fault_of_condition(rule: Rule, types: dict[str, str]) -> str | None:
    fault = fault_of_condition(rule.arguments.get("row_condition") or "", types)
    return f"{rule.expect}: row_condition names {fault}" if fault else None


def _check_nulls(table: Table) -> None:
    """A column that must not be null cannot have to be null."""
    for position, rule in enumerate(table.contract.rules):
        column, is_partial = str(rule.arguments.get("column")), rule.is_limited or rule.arguments.get("row_condition")
        if rule.expect == "expect_column_values_to_be_null" and not table.contract.columns[column].nullable and not is_partial:
            raise ContractError(f"{table.line('rules', position)}: {rule.label} asks for nulls, but {column} has nullable: false; take one of them away.")


def _sentence(clash: Clash, later: Rule, earlier: Rule, line: str) -> str:
    if clash == "the same":
        return f"{later.label} ({later.on_fail}) asks the same as {earlier.label} ({earlier.on_fail}, line {line}); keep one of them."
    return f"{clash} can keep both {later.label} ({_terms(later)}) and {earlier.label} ({_terms(earlier)}, line {line}); change one of them."


def _terms(rule: Rule) -> str:
    said = ", ".join(f"{key} {value}" for key, value in rule.arguments.items() if key not in {"column", "row_condition"})
    return f"{said or rule.expect.removeprefix('expect_'):.120}"
