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
