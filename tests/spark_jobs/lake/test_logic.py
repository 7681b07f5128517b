"""What a table's logic returns is held to its contract: told from names and types alone, so without Spark."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.errors import ContractError
from expectations.loader import load_lake
from spark_jobs.lake.logic import require_promised
from tests.expectations.conftest import write_lake

PROMISED = {"sold_on": "date", "cents": "bigint"}


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (
            {**PROMISED, "cents": "double"},
            "gold.totals: column 'cents' is double, but totals.yaml promises bigint; cast it in totals.sql, or change the contract.",
        ),
        ({"sold_on": "date", "cent": "bigint"}, "gold.totals: totals.sql returns no column 'cents', which totals.yaml promises. Did you mean \"cent\"?"),
        ({**PROMISED, "sold_in": "date"}, 'gold.totals: totals.sql returns sold_in, which totals.yaml does not promise. Did you mean "sold_on"?'),
    ],
)
def test_columns_that_are_not_those_of_the_contract_are_refused(tmp_path: Path, found: dict[str, str], says: str) -> None:
    write_lake(tmp_path, {})
    table = load_lake(tmp_path).table("gold.totals")
    with pytest.raises(ContractError) as caught:
        require_promised(table, found)
    assert str(caught.value).replace(str(table.file), "totals.yaml").replace(str(table.logic), "totals.sql") == says


@pytest.mark.parametrize("found", [PROMISED, {**PROMISED, "_row": "string", "_extra": "string"}, dict(reversed(PROMISED.items()))])
def test_the_columns_of_the_contract_are_taken_in_any_order_and_with_what_bronze_adds(tmp_path: Path, found: dict[str, str]) -> None:
    write_lake(tmp_path, {})
    assert require_promised(load_lake(tmp_path).table("gold.totals"), found) is None
