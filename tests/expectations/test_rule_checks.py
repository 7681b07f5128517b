"""One fault a lake, and the sentence that the loader says of it: rules."""

from __future__ import annotations

import pytest

from tests.expectations.conftest import SILVER_SALES, Change, Refusal

RULES = [
    pytest.param(
        {SILVER_SALES: ("to_be_between, column", "to_be_betwen, column")},
        (
            "expectations/silver/sales.yaml:16: there is no expectation 'expect_column_values_to_be_betwen'. Did you mean "
            '"expect_column_values_to_be_between"?'
        ),
        id="an unknown expectation",
    ),
    pytest.param(
        {SILVER_SALES: ("column: cents, min_value: 0, on_fail: quarantine", "column: cents, min_valu: 0")},
        (
            "expectations/silver/sales.yaml:16: expect_column_values_to_be_between takes no 'min_valu'; it takes column, "
            "condition_parser, max_value, min_value, mostly, row_condition, strict_max, strict_min. Did you mean "
            '"min_value"?'
        ),
        id="an unknown argument",
    ),
    pytest.param(
        {SILVER_SALES: ("column: cents, min_value: 0, on_fail: quarantine", "min_value: 0")},
        "expectations/silver/sales.yaml:16: expect_column_values_to_be_between needs 'column'; add it.",
        id="a missing argument",
    ),
    pytest.param(
        {SILVER_SALES: ("column: cents, min_value: 0, on_fail: quarantine", "column: cent, min_value: 0")},
        ("expectations/silver/sales.yaml:16: expect_column_values_to_be_between names the column 'cent', which the table has not. Did you mean \"cents\"?"),
        id="a rule on a column that is not there",
    ),
    pytest.param(
        {SILVER_SALES: ("column: cents, min_value: 0, on_fail: quarantine", "column: 7, min_value: 0")},
        ("expectations/silver/sales.yaml:16: expect_column_values_to_be_between names the column '7', which the table has not."),
        id="a rule on a number",
    ),
    pytest.param(
        {SILVER_SALES: ("row_count_to_be_between, min_value: 1", "row_count_to_be_between, min_value: 1, on_fail: quarantine")},
        (
            "expectations/silver/sales.yaml:17: expect_table_row_count_to_be_between judges a day as a whole, so it cannot "
            "quarantine rows; write on_fail: stop, ask or warn."
        ),
        id="rows quarantined by a rule over the whole day",
    ),
    pytest.param(
        {SILVER_SALES: ("on_fail: quarantine", "on_fail: quarantene")},
        (
            "expectations/silver/sales.yaml:16: rules.0.on_fail: Input should be 'quarantine', 'drop', 'stop', 'warn' or 'ask' "
            "(found 'quarantene'). Did you mean \"quarantine\"?"
        ),
        id="an unknown on_fail",
    ),
    pytest.param(
        {SILVER_SALES: ("expect_table_row_count_to_be_between, min_value: 1", "expect_column_values_to_be_between, column: cents, max_value: 9")},
        ("expectations/silver/sales.yaml:17: a second rule 'column_values_to_be_between(cents)'; give one of them a name."),
        id="two rules of one name",
    ),
    pytest.param(
        {SILVER_SALES: ("min_value: 1", "min_value: 1, name: late")},
        ("expectations/silver/sales.yaml:17: 'late' is the name of a rule that the engine adds; choose another."),
        id="a name of the engine's rules",
    ),
    pytest.param(
        {
            SILVER_SALES: (
                "min_value: 1",
                (
                    "min_value: 1, name: "
                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                ),
            )
        },
        ("expectations/silver/sales.yaml:17: the rule is called by 301 characters, at most 300 fit; give it a name."),
        id="a name too long for the ledger",
    ),
    pytest.param(
        {SILVER_SALES: ("column: cents, min_value: 0, on_fail: quarantine", "column: cents, min_value: 0, mostly: 95")},
        ("expectations/silver/sales.yaml:16: expect_column_values_to_be_between: mostly is a share from 0 to 1, found 95; write 0.95 for 95 percent."),
        id="mostly in percent",
    ),
    pytest.param(
        {SILVER_SALES: ("column: cents, min_value: 0, on_fail: quarantine", "column: cents, min_value: 9, max_value: 0")},
        ("expectations/silver/sales.yaml:16: expect_column_values_to_be_between: min_value 9 is more than max_value 0, so nothing could pass; swap them."),
        id="bounds that nothing can pass",
    ),
    pytest.param(
        {SILVER_SALES: ("column: cents, min_value: 0, on_fail: quarantine", "column: cents")},
        ("expectations/silver/sales.yaml:16: expect_column_values_to_be_between needs min_value or max_value, or both; add one."),
        id="no bounds at all",
    ),
    pytest.param(
        {SILVER_SALES: ("expect_table_row_count_to_be_between, min_value: 1", "expect_compound_columns_to_be_unique, column_list: item")},
        ("expectations/silver/sales.yaml:17: expect_compound_columns_to_be_unique: column_list must be a list of texts, found 'item'; write it in brackets."),
        id="a text where a rule wants a list",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), RULES)
def test_a_fault_of_rules_is_told_in_one_sentence(refusal: Refusal, changes: dict[str, Change], sentence: str) -> None:
    assert refusal(changes) == sentence
