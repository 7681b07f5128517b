"""The balance: rows into the gate + rows refused by type = published + quarantined + dropped. A run that does not balance fails.

What the gate and the readers counted is held against what Delta says that it wrote, for the table and for its quarantine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from expectations.errors import DataError, LeaseError

if TYPE_CHECKING:
    from expectations.lake import Table
    from expectations.ledger import Ledger
    from spark_jobs.lake.batch import Batch
    from spark_jobs.lake.commit import Committed

REPORT = "report this: it is a fault of the engine."


def check_published(table: Table, good: int, done: Committed) -> None:
    """What Delta says it wrote is what the gate let through. Raises DataError; the ledger then does not know the commit."""
    if good and done.rows is not None and done.rows != good:  # where no row is good, Delta may have had nothing to commit
        raise DataError(
            f"{table.name} does not balance: the gate let {good} rows through, but version {done.version} wrote {done.rows}. "
            f"The ledger does not count it; restore the version before, and {REPORT}"
        )


def check_quarantined(ledger: Ledger, table: Table, batch: Batch, counted: int, written: int) -> None:
    """Every refused row is in the quarantine, before a row is published.

    Raises LeaseError where an input changed while it was read, else DataError. The ledger then names neither the rows nor a version.
    """
    if written == counted:
        return
    for bronze, days in batch.refused.items():
        now = {day: entry.rows_quarantined for day, entry in ledger.days(bronze, days).items() if entry.state == "published"}
        if any(count != days[day] for day, count in now.items()):
            raise LeaseError(f"{table.name}: another run has read {bronze} in again meanwhile; nothing was published, run it again.")
    raise DataError(
        f"{table.name} does not balance: the gate and the readers counted {counted} refused rows, but {written} went to quarantine. "
        f"Nothing was published; build its bronze days again with --force, and if that does not help, {REPORT}"
    )
