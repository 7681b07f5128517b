"""The result record that a job leaves under the lake's root, as Airflow reads it."""

from __future__ import annotations

from expectations.errors import TransientError
from expectations.jobs import JobRequest, JobResult
from expectations.settings import load_settings
from medallion.storage_connection import stored


class ResultRecord:
    """One JSON file, written by spark_jobs/run.py where it ran in another process."""

    def __init__(self, request: JobRequest) -> None:
        self._location = f"{load_settings().runs_path}/{request.record_name}"

    def forget(self) -> None:
        """Delete what an earlier try left, so that it is not taken for this one's. Raises TransientError where the storage refuses."""
        from expectations.storage import reaching

        with reaching(self._location):
            stored(self._location).delete_file()

    def read(self, ended: str) -> JobResult:
        """The job's result. `ended`: how its process ended, in words. Raises TransientError where there is no record."""
        from expectations.storage import reaching  # here, not above: DAG files are parsed without pyarrow

        try:
            with reaching(self._location):
                return JobResult.model_validate_json(stored(self._location).read_bytes())
        except FileNotFoundError:
            raise TransientError(f"the job left no result record at {self._location} ({ended}); its output above says why.") from None
