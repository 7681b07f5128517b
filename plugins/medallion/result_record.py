"""The result record that a job leaves under the lake's root, as Airflow reads it."""

from __future__ import annotations

from airflow.sdk import ObjectStoragePath

from expectations.errors import TransientError
from expectations.jobs import JobRequest, JobResult
from expectations.settings import load_settings


class ResultRecord:
    """One JSON file, written by spark_jobs/run.py where it ran in another process."""

    def __init__(self, request: JobRequest) -> None:
        self._path = ObjectStoragePath(f"{load_settings().runs_path}/{request.record_name}")

    def forget(self) -> None:
        """Delete what an earlier try left, so that it is not taken for this one's."""
        self._path.unlink(missing_ok=True)

    def read(self, ended: str) -> JobResult:
        """The job's result. `ended`: how its process ended, in words. Raises TransientError where there is no record."""
        try:
            return JobResult.model_validate_json(self._path.read_text())
        except FileNotFoundError:
            raise TransientError(f"the job left no result record at {self._path} ({ended}); its output above says why.") from None
