"""Which rules a table's candidate is judged by: those of the contract, and those that its columns and grain imply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expectations.rule import Rule

if TYPE_CHECKING:
    from expectations.contract import TableContract
    from expectations.rule import OnFail

NOT_NULL = "expect_column_values_to_not_be_null"
UNIQUE = "expect_column_values_to_be_unique"
COMPOUND_UNIQUE = "expect_compound_columns_to_be_unique"
VERSIONED = ("merge", "scd2")
GRAIN = "grain"
"""The name of the rule that the grain implies: no two rows of a day have the same."""
PARSES = Rule.model_validate({"expect": "expect_column_values_to_be_null", "column": "_errors", "name": "type", "on_fail": "warn"})
"""Every bronze table's own rule: each text is of its column's type. Bronze keeps the rows that break it; readers refuse them."""


def gate_rules(contract: TableContract, keeps_rows: bool) -> list[Rule]:
    """The contract's rules, then the implied ones that it does not state itself.

    `nullable: false` implies `not_null(<column>)`; the grain implies `grain`, except where a batch may bring several versions
    of a row (`merge`, `scd2`). `keeps_rows`: the candidate carries `_row`, so a row with a forbidden null can be traced in
    quarantine; elsewhere such a null stops the day.
    """
    stated = {(rule.expect, tuple(sorted(rule.columns))) for rule in contract.rules}
    on_null: OnFail = "quarantine" if keeps_rows else "stop"
    # a row without a day has no day that could be held for it
    actions: dict[str, OnFail] = {name: "quarantine" if name == contract.day else on_null for name, column in contract.columns.items() if not column.nullable}
    implied = [_rule(NOT_NULL, action, f"not_null({name})", column=name) for name, action in actions.items()]
    if contract.write in VERSIONED:
        pass  # a batch may bring several versions of a row; the commit keeps what order_by says
    elif len(contract.grain) == 1:
        implied.append(_rule(UNIQUE, "stop", GRAIN, column=contract.grain[0]))
    elif contract.grain:
        # `never`: two rows whose whole key is null are two rows of one grain, and no reason to look away.
        implied.append(_rule(COMPOUND_UNIQUE, "stop", GRAIN, column_list=list(contract.grain), ignore_row_if="never"))
    kept = [rule for rule in implied if (rule.expect, tuple(sorted(rule.columns))) not in stated]
    return [*contract.rules, *kept]


def _rule(expect: str, on_fail: OnFail, name: str, **arguments: Any) -> Rule:
    return Rule.model_validate({"expect": expect, "on_fail": on_fail, "name": name, **arguments})
