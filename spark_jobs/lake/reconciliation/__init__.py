"""Reconciliation: every table and day held against what landed, counted anew and by other means than the jobs that made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expectations.errors import LakeError
from expectations.jobs import JobResult
from spark_jobs.lake.reconciliation.counting import figures_of
from spark_jobs.lake.reconciliation.figures import LATEST, Figures, in_lines, in_words

if TYPE_CHECKING:
    from spark_jobs.lake.job import Job


def reconcile(job: Job) -> JobResult:
    """Count what landed, what is published and what waits in quarantine, and say of each table and day whether it adds up. Changes nothing.

    Of a table, a pipeline, or `all`; of the days of the request, or of all. The result fails where one day does not add up.
    """
    names = job.lake.tables_called(job.request.name)
    days = set(job.request.day_range.keys) if job.request.day_range else None
    rows = [figures for name in names for figures in _of_table(job, name) if days is None or figures.day in {*days, *LATEST}]
    wrong = [figures for figures in rows if not figures.ok]
    facts = {"rows": [figures.facts for figures in rows], "shown": list(in_lines(rows)), "wrong": len(wrong)}
    return JobResult(request=job.request, status="failed_terminal" if wrong else "done", message=in_words(rows, names), facts=facts)


def _of_table(job: Job, name: str) -> list[Figures]:
    """One table's figures; where its rows cannot be read, one row that says why."""
    try:
        return figures_of(job, job.lake.table(name))
    except LakeError as error:
        return [Figures(name, LATEST[0], wrong=str(error))]
