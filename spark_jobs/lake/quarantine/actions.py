"""What the verb `quarantine` does, by the action of its request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spark_jobs.lake.quarantine.editing import edit
from spark_jobs.lake.quarantine.replaying import replay
from spark_jobs.lake.quarantine.review import discard, look, reopen, wish

if TYPE_CHECKING:
    from expectations.jobs import JobResult
    from spark_jobs.lake.job import Job

ACTIONS = {"look": look, "edit": edit, "discard": discard, "reopen": reopen, "replay": replay}


def act(job: Job) -> JobResult:
    """Do what the request asks of a table's quarantine. Raises RequestError where that cannot be."""
    return ACTIONS[wish(job).action](job, job.lake.table(job.request.name))
