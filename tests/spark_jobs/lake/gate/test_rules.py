"""Which rules the gate judges by."""

from __future__ import annotations

from expectations.contract import TableContract
from spark_jobs.lake.gate import gate_rules


def contract(**facts):
    base = {"contract": 1, "description": "A table of tests.", "inputs": ["bronze.t"], "write": "replace_all"}
    columns = {"day": {"type": "date", "nullable": False}, "code": {"type": "string"}}
    return TableContract.model_validate({**base, "columns": columns, **facts})


def told(rules):
    return [(rule.label, rule.expect.removeprefix("expect_"), rule.on_fail, rule.columns) for rule in rules]


def test_a_column_that_may_not_be_null_and_the_grain_are_rules():
    assert told(gate_rules(contract(grain=["day", "code"]), keeps_rows=True)) == [
        ("not_null(day)", "column_values_to_not_be_null", "quarantine", ["day"]),
        ("grain", "compound_columns_to_be_unique", "stop", ["day", "code"]),
    ]


def test_a_null_stops_the_day_where_rows_cannot_be_traced():
    assert told(gate_rules(contract(grain=["code"]), keeps_rows=False)) == [
        ("not_null(day)", "column_values_to_not_be_null", "stop", ["day"]),
        ("grain", "column_values_to_be_unique", "stop", ["code"]),
    ]


def test_what_the_contract_states_itself_is_not_implied():
    stated = [
        {"expect": "expect_column_values_to_not_be_null", "column": "day", "on_fail": "warn"},
        {"expect": "expect_compound_columns_to_be_unique", "column_list": ["code", "day"], "on_fail": "quarantine"},
        {"expect": "expect_column_values_to_be_unique", "column": "code", "on_fail": "stop"},
    ]

    rules = gate_rules(contract(grain=["day", "code"], rules=stated), keeps_rows=True)

    assert [rule.on_fail for rule in rules] == ["warn", "quarantine", "stop"]


def test_a_batch_of_versions_may_hold_a_key_twice():
    versioned = contract(grain=["code"], write="merge", order_by="day", columns={"day": {"type": "date"}, "code": {"type": "string"}})

    assert gate_rules(versioned, keeps_rows=True) == []
