"""The result record that a job leaves under the lake's root, as Airflow reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expectations.errors import TransientError
from expectations.jobs import JobRequest, JobResult
from expectations.settings import load_settings

if TYPE_CHECKING:
    from expectations.storage import Place


class ResultRecord:
    """One JSON file, written by spark_jobs/run.py where it ran in another process."""

    def __init__(self, request: JobRequest) -> None:
        self._location = f"{load_settings().runs_path}/{request.record_name}"

    def forget(self) -> None:
        """Delete what an earlier try left, so that it is not taken for this one's."""
        self._place.delete_file()

    def read(self, ended: str) -> JobResult:
        """The job's result. `ended`: how its process ended, in words. Raises TransientError where there is no record."""
        try:
            return JobResult.model_validate_json(self._place.read_bytes())
        except FileNotFoundError:
            raise TransientError(f"the job left no result record at {self._location} ({ended}); its output above says why.") from None

    @property
    def _place(self) -> Place:
        # Here: pyarrow must not be loaded where DAGs are parsed.
        from expectations.storage import Place

        return Place.of(self._location)
