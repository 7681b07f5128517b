"""The task that writes the quality report of a run."""

from __future__ import annotations

from medallion.lake_job import LakeJobOperator
from medallion.retrying import LIGHT_TIMEOUT

REPORT_DOC = """Writes the quality report of this run, from the ledger: Great Expectations' results, and pages of them.

It waits for the tables, whatever became of them, and nothing waits for it: neither the layers' gates, whose verdict the run's is, nor
the models. Needs no Spark. Where it fails, clear it: the report is written anew."""


def report_task(name: str, trigger_rule: str = "all_done") -> LakeJobOperator:
    """The task `quality_reports`. `name`: the pipeline that the run builds, or the table; a template."""
    return LakeJobOperator(task_id="quality_reports", verb="report", name=name, trigger_rule=trigger_rule, execution_timeout=LIGHT_TIMEOUT, doc_md=REPORT_DOC)
