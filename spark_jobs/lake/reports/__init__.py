"""The quality report of a run: Great Expectations' results and plain pages of them, made from the ledger after the run."""

from spark_jobs.lake.reports.writing import report

__all__ = ["report"]
