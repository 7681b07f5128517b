"""A lake that has contracts and a ledger, and no Spark: reports need nothing else."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from expectations.jobs import JobRequest, JobResult
from expectations.ledger import Attempt, DayEntry, Ledger, Question, Verdict
from expectations.loader import _load
from expectations.settings import load_settings
from tests.spark_jobs.lake.conftest import SALES, SOLD, SOLD_LOGIC, TOTALS

if TYPE_CHECKING:
    from pathlib import Path

RUN = "shop_daily/manual__2024-05-02"
PIPELINES = """
    shop: {tables: [bronze.sales, silver.sales, gold.totals], first_day: 2024-05-01}
"""


class Reported:
    """The lake, its ledger, and the files of its reports."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.ledger = Ledger(load_settings().ledger_url)

    def attempt(self, table: str, status: str, days: list[str], /, run_id: str = RUN, **facts: object) -> None:
        """A job as it ended."""
        self.ledger.note(Attempt(run_id, table, status, f"{table}: {status}", days, {"days": days, **facts}))

    def commit(self, table: str, newest: int) -> None:
        """Commits 0 to `newest` of a table, which change nothing."""
        log = self.project / "data_lake" / table.replace(".", "/") / "_delta_log"
        log.mkdir(parents=True, exist_ok=True)
        for version in range(newest + 1):
            (log / f"{version:020}.json").write_text('{"commitInfo": {"operation": "WRITE"}}')

    def judged(self, *verdicts: Verdict, run_id: str = RUN, state: str = "published", questions: tuple[Question, ...] = ()) -> None:
        """Verdicts, with an entry for each of their days."""
        entries = [
            DayEntry(table, day, state, 3, run_id, "c", "l", {}, rows_in=7, rows_out=6, rows_quarantined=1)  # type: ignore[arg-type]
            for table, day in sorted({(verdict.table, verdict.day) for verdict in verdicts})
        ]
        for table in {entry.table for entry in entries}:
            self.commit(table, 3)
        self.ledger.record(entries, verdicts, questions=[replace(question, run_id=run_id) for question in questions])

    def report(self, name: str = "shop", run_id: str = RUN) -> JobResult:
        """The verb, as Airflow asks for it, without a Spark server anywhere."""
        from spark_jobs.run import run

        return run(JobRequest(verb="report", name=name, run_id=run_id), None)

    def folder(self, run_id: str = RUN) -> Path:
        """Where the run's report lies."""
        return self.project / "data_lake" / "_reports" / JobRequest(verb="report", name="shop", run_id=run_id).run_key

    def page(self, name: str, run_id: str = RUN) -> str:
        """One file of the run's report."""
        return (self.folder(run_id) / name).read_text()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reported:
    """Bronze, silver and gold over files of sales, of which nothing was built."""
    for name in ("LAKE_ENV", "LAKE_STATE", "LAKE_ROOT", "LAKE_LANDING", "LAKE_LEDGER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAKE_PROJECT", str(tmp_path))
    files = {
        "expectations/bronze/sales.yaml": SALES,
        "expectations/silver/sales.yaml": SOLD,
        "expectations/gold/totals.yaml": TOTALS,
        "expectations/pipelines.yaml": PIPELINES,
        "spark_jobs/silver/sales.py": SOLD_LOGIC,
        "spark_jobs/gold/totals.sql": "SELECT sold_on, sum(cents) AS cents FROM silver_sales GROUP BY sold_on\n",
    }
    for path, text in files.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip())
    _load.cache_clear()
    return Reported(tmp_path)
