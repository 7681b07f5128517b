from __future__ import annotations

from pathlib import Path

import pytest

from expectations.contract import TableContract
from expectations.lake import Table
from medallion.documentation import table_doc


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"write": "merge", "deletes": "kept"}, "written by `merge`. Rows that are deleted at their source stay."),
        ({"write": "merge"}, "written by `merge`."),
        ({"write": "scd2", "feed": "changes"}, "written by `scd2`."),
    ],
)
def test_a_tables_docs_say_that_deleted_rows_stay_where_its_contract_says_so(words: dict[str, str], told: str) -> None:
    facts = {"contract": 1, "description": "People. One row each.", "inputs": ["bronze.people"], "grain": ["id"], "order_by": "seq"}
    contract = TableContract.model_validate({**facts, **words, "columns": {"id": {"type": "int"}, "seq": {"type": "int"}}})
    assert f"One row per id; {told}\n" in table_doc(Table("silver.people", contract, Path("people.yaml"), None))


def test_a_tables_docs_show_the_columns_and_values_of_its_rules() -> None:
    rules = [
        {"expect": "expect_column_values_to_be_between", "column": "age", "min_value": 0, "on_fail": "quarantine", "name": "born"},
        {"expect": "expect_column_pair_values_to_be_equal", "column_A": "id", "column_B": "seq", "on_fail": "warn"},
    ]
    columns = {"id": {"type": "int"}, "seq": {"type": "int"}, "age": {"type": "int"}}
    facts = {
        "contract": 1,
        "description": "People. One row each.",
        "inputs": ["bronze.people"],
        "grain": ["id"],
        "write": "replace_all",
        "columns": columns,
        "rules": rules,
    }
    doc = table_doc(Table("silver.people", TableContract.model_validate(facts), Path("people.yaml"), None))
    assert "- `born` column age, min_value 0, else quarantine\n" in doc
    assert "- `column_pair_values_to_be_equal(id, seq)` column_A id, column_B seq, else warn" in doc
