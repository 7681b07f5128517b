"""Two rules that no value, or no day, can keep both of: the sentence that the loader says, and pairs that go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.loader import load_lake
from tests.expectations.conftest import SILVER_SALES, Change, Refusal, write_lake

BETWEEN = "{expect: expect_column_values_to_be_between, column: cents"
IN_SET, NOT_IN_SET = "{expect: expect_column_values_to_be_in_set, column: item", "{expect: expect_column_values_to_not_be_in_set, column: item"
ROWS, ROWS_EQUAL = "{expect: expect_table_row_count_to_be_between", "{expect: expect_table_row_count_to_equal"
LENGTHS, LENGTH = "{expect: expect_column_value_lengths_to_be_between, column: item", "{expect: expect_column_value_lengths_to_equal, column: item"
NULL, NOT_NULL = "{expect: expect_column_values_to_be_null, column: cents", "{expect: expect_column_values_to_not_be_null, column: cents"
DISTINCT = "{expect: expect_column_distinct_values_to_"
DATES = "{expect: expect_column_values_to_be_between, column: sold_on"
SOLD = "{expect: expect_column_values_to_be_in_set, column: sold_on"


def figure(name: str, bounds: str, column: str = "cents") -> str:
    return f"{{expect: expect_column_{name}_to_be_between, column: {column}, {bounds}}}"


AGAINST_EACH_OTHER = [
    (f"{BETWEEN}, max_value: 5}}", f"{BETWEEN}, min_value: 6}}"),
    (f"{BETWEEN}, max_value: 5}}", f"{BETWEEN}, min_value: 5, strict_min: true}}"),
    (f"{DATES}, max_value: 2024-05-01}}", f"{DATES}, min_value: '2024-05-02'}}"),
    (f"{DATES}, max_value: 2024-05-01}}", f"{SOLD}, value_set: [2024-05-02]}}"),
    (f"{DATES}, max_value: 2024-05-01T00:30:00+02:00}}", f"{DATES}, min_value: 2024-04-30T23:00:00Z}}"),
    (f"{IN_SET}, value_set: [tea, null]}}", f"{DISTINCT}contain_set, column: item, value_set: [pie, null]}}"),
    (f"{NULL}}}", f"{NOT_NULL}}}"),
    (f"{NULL}, mostly: 0.6}}", f"{NOT_NULL}, mostly: 0.6}}"),
    (f"{IN_SET}, value_set: [tea]}}", f"{NOT_IN_SET}, value_set: [tea, pie]}}"),
    (f"{IN_SET}, value_set: [tea]}}", f"{IN_SET}, value_set: [pie]}}"),
    (f"{IN_SET}, value_set: [tea]}}", f"{DISTINCT}contain_set, column: item, value_set: [pie]}}"),
    (f"{DISTINCT}equal_set, column: item, value_set: [tea]}}", f"{DISTINCT}equal_set, column: item, value_set: [tea, pie]}}"),
    (f"{DISTINCT}contain_set, column: item, value_set: [tea]}}", f"{NOT_IN_SET}, value_set: [tea]}}"),
    (f"{BETWEEN}, max_value: 5}}", "{expect: expect_column_values_to_be_in_set, column: cents, value_set: [6, 7]}"),
    (f"{ROWS}, min_value: 10}}", f"{ROWS_EQUAL}, value: 9}}"),
    (f"{ROWS_EQUAL}, value: 9}}", f"{ROWS_EQUAL}, value: 8}}"),
    (f"{LENGTHS}, min_value: 3}}", f"{LENGTH}, value: 2}}"),
    (figure("min", "min_value: 5"), figure("max", "max_value: 4")),
    (figure("mean", "min_value: 5"), figure("max", "max_value: 4")),
    (figure("median", "max_value: 4"), figure("min", "min_value: 5")),
    (figure("mean", "min_value: 5"), figure("mean", "max_value: 4")),
    (figure("mean", "min_value: 6"), f"{BETWEEN}, max_value: 5}}"),
    (figure("unique_value_count", "min_value: 6", "item"), figure("unique_value_count", "max_value: 5", "item")),
]
TOGETHER = [
    (f"{BETWEEN}, max_value: 5}}", f"{BETWEEN}, min_value: 5, on_fail: warn}}"),
    (f"{BETWEEN}, max_value: 5, row_condition: \"item = 'tea'\"}}", f"{BETWEEN}, min_value: 6}}"),
    (f"{BETWEEN}, max_value: 5, mostly: 0.5}}", f"{BETWEEN}, min_value: 6, mostly: 0.5}}"),
    (f"{BETWEEN}, max_value: 5, at_most: 3}}", f"{BETWEEN}, min_value: 6}}"),
    (f"{BETWEEN}, max_value: 5, mostly: 0.9}}", figure("max", "min_value: 6")),
    (f"{BETWEEN}, max_value: 9, at_most: 3, on_fail: warn}}", f"{BETWEEN}, max_value: 9, at_most: 30}}"),
    (figure("min", "max_value: 5"), figure("max", "min_value: 6")),
    (figure("mean", "min_value: 6"), figure("median", "max_value: 5")),
    (figure("stdev", "max_value: 5"), figure("mean", "min_value: 6")),
    (f"{IN_SET}, value_set: [tea, pie]}}", f"{NOT_IN_SET}, value_set: [pie]}}"),
    (f"{LENGTH}, value: 2}}", figure("unique_value_count", "min_value: 6", "item")),
    (f"{ROWS}, min_value: 10}}", f"{ROWS}, min_value: 9, on_fail: ask}}"),
    (f"{IN_SET}, value_set: [tea]}}", f"{DISTINCT}contain_set, column: item, value_set: [tea, null]}}"),
    (f"{IN_SET}, value_set: [tea, null]}}", f"{NOT_IN_SET}, value_set: [pie, null]}}"),
    (f"{IN_SET}, value_set: [2024-05-01]}}", f"{IN_SET}, value_set: ['2024-05-01', pie], on_fail: warn}}"),
    (f"{DATES}, min_value: 2024-05-01T00:30:00+02:00}}", f"{DATES}, max_value: 2024-04-30T23:00:00Z}}"),
    (f"{DATES}, min_value: 2024-05-01T00:30:00+02:00}}", f"{DATES}, max_value: 2024-04-30}}"),
    (f"{SOLD}, value_set: [2024-05-01T00:00:00Z]}}", f"{SOLD}, value_set: [2024-05-01]}}"),
    (f"{SOLD}, value_set: [2024-05-01T02:00:00+02:00]}}", f"{SOLD}, value_set: [2024-05-01T00:00:00Z, 2024-05-02T00:00:00Z]}}"),
    (f"{BETWEEN}, max_value: 5, row_condition: \"item = 'a  b'\"}}", f"{BETWEEN}, min_value: 6, row_condition: \"item = 'a b'\"}}"),
    (f"{BETWEEN}, max_value: 5.5, strict_max: true}}", f"{BETWEEN}, min_value: 5, strict_min: true}}"),
]


def rules(first: str, second: str) -> dict[str, Change]:
    """The two rules on lines 16 and 17, each with a name."""
    good = (
        "  - {expect: expect_column_values_to_be_between, column: cents, min_value: 0, on_fail: quarantine}\n"
        "  - {expect: expect_table_row_count_to_be_between, min_value: 1}"
    )
    named = [text.replace("}", f", name: {name}}}") for text, name in ((first, "one"), (second, "two"))]
    return {SILVER_SALES: (good, "\n".join(f"  - {text}" for text in named))}


@pytest.mark.parametrize(("first", "second"), AGAINST_EACH_OTHER)
def test_two_rules_that_nothing_can_keep_both_of_are_refused_in_either_order(refusal: Refusal, first: str, second: str) -> None:
    for changes in (rules(first, second), rules(second, first)):
        sentence = refusal(changes)

        assert sentence.startswith("expectations/silver/sales.yaml:17: no ")
        assert " can keep both two (" in sentence
        assert sentence.endswith(", line 16); change one of them.")


@pytest.mark.parametrize(("first", "second"), TOGETHER)
def test_two_rules_that_can_be_kept_together_are_taken(tmp_path: Path, first: str, second: str) -> None:
    write_lake(tmp_path, rules(first, second))

    assert len(load_lake(tmp_path).table("silver.sales").contract.rules) == 2


def test_the_sentence_names_both_rules_what_they_ask_and_where_they_stand(refusal: Refusal) -> None:
    sentence = refusal(rules(f"{BETWEEN}, min_value: 0, max_value: 5}}", f"{BETWEEN}, min_value: 6}}"))

    assert sentence == (
        "expectations/silver/sales.yaml:17: no value can keep both two (min_value 6) and one (min_value 0, max_value 5, line 16); change one of them."
    )


def test_one_rule_twice_with_different_ends_is_refused(refusal: Refusal) -> None:
    sentence = refusal(rules(f"{BETWEEN}, min_value: 0, on_fail: warn}}", f"{BETWEEN}, min_value: 0, on_fail: stop}}"))

    assert sentence == "expectations/silver/sales.yaml:17: two (stop) asks the same as one (warn, line 16); keep one of them."


def test_a_column_that_must_not_be_null_cannot_have_to_be_null(refusal: Refusal) -> None:
    sentence = refusal(rules(f"{BETWEEN}, min_value: 0}}", "{expect: expect_column_values_to_be_null, column: item}"))

    assert sentence == "expectations/silver/sales.yaml:17: two asks for nulls, but item has nullable: false; take one of them away."
