"""Makes a table's newest version the one that the ledger names, before a job builds on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expectations.ledger import Head
from spark_jobs.lake import commit
from spark_jobs.lake.heads import Standing, standing

if TYPE_CHECKING:
    from expectations.lake import Table
    from spark_jobs.lake.job import Job


def repair(job: Job, table: Table) -> None:
    """Put back what died runs have left in the table. Raises LogError where its rows cannot be trusted."""
    if not standing(job.settings, job.ledger, table.name).is_settled:
        with job.ledger.lease(table.name, job.request.run_id):  # whoever had it has recorded by then, or died
            settle(job, table)


def settle(job: Job, table: Table) -> Standing:
    """Make the log's newest version the one that the ledger names; for whoever holds the table's lease. Raises LogError as `standing`.

    A first commit is announced, so that one that is not recorded can be told from a table that the ledger does not know.
    """
    found = standing(job.settings, job.ledger, table.name)
    if found.head is None:
        head = Head(table.name, None, "")
        job.ledger.heads.record(head)
        return Standing(head, None, None)
    if found.is_settled or found.counts is None:
        return found
    head = Head(table.name, found.counts, "")
    if found.abandoned:
        head = Head(table.name, commit.put_back(_target(job, table), found.counts), job.request.run_id)
    job.ledger.heads.record(head)
    return Standing(head, head.version, head.version)


def _target(job: Job, table: Table) -> commit.Target:
    day = "_day" if table.contract.source else table.contract.day
    metadata = {"run_id": job.request.run_id, "table": table.name}
    return commit.Target(job.spark, job.settings.table_path(table.name), table.contract, day, metadata)
