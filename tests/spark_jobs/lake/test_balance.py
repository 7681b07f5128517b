"""Rows that were counted are rows that were written, or the run fails and says who has to do what. Without Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expectations.errors import DataError, LeaseError
from expectations.ledger import DayEntry, Ledger
from expectations.loader import _load, load_lake
from spark_jobs.lake.batch import Batch
from spark_jobs.lake.commit import Committed
from spark_jobs.lake.quarantine.balance import check_published, check_quarantined
from tests.expectations.conftest import write_lake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from expectations.lake import Table

FIRST = "2024-05-01"


@pytest.fixture
def sold(tmp_path: Path) -> Iterator[Table]:
    write_lake(tmp_path, {})
    yield load_lake(tmp_path).table("silver.sales")
    _load.cache_clear()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """One row of the bronze day does not parse."""
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    ledger.record([DayEntry("bronze.sales", FIRST, "published", 0, "run-1", "c", "l", {}, rows_quarantined=1)], [])
    return ledger


def batch(refused: int) -> Batch:
    return Batch({FIRST: {"bronze.sales": {FIRST: 0}}}, refused={"bronze.sales": {FIRST: refused}})


def test_what_balances_is_not_spoken_of(ledger: Ledger, sold: Table) -> None:
    check_quarantined(ledger, sold, batch(1), 2, 2)
    check_published(sold, 3, Committed(7, 3))
    check_published(sold, 3, Committed(7, None))
    check_published(sold, 0, Committed(7, 9))


@pytest.mark.parametrize("written", [0, 1, 3])
def test_refused_rows_that_are_not_all_in_the_quarantine_fail_the_run(ledger: Ledger, sold: Table, written: int) -> None:
    with pytest.raises(DataError) as caught:
        check_quarantined(ledger, sold, batch(1), 2, written)
    assert str(caught.value) == (
        f"silver.sales does not balance: the gate and the readers counted 2 refused rows, but {written} went to quarantine. Nothing was published; "
        "build its bronze days again with --force, and if that does not help, report this: it is a fault of the engine."
    )


def test_where_the_bronze_day_was_read_in_anew_meanwhile_the_run_is_to_be_tried_again(ledger: Ledger, sold: Table) -> None:
    with pytest.raises(LeaseError) as caught:
        check_quarantined(ledger, sold, batch(2), 2, 1)
    assert str(caught.value) == "silver.sales: another run has read bronze.sales in again meanwhile; nothing was published, run it again."


def test_published_rows_that_are_not_those_that_passed_fail_the_run(sold: Table) -> None:
    with pytest.raises(DataError) as caught:
        check_published(sold, 3, Committed(7, 2))
    assert str(caught.value) == (
        "silver.sales does not balance: the gate let 3 rows through, but version 7 wrote 2. The ledger does not count it; "
        "restore the version before, and report this: it is a fault of the engine."
    )
