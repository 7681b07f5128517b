"""The sample's pipeline over a few real days: the same files, the same jobs, wherever the lake is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from expectations.jobs import JobRequest, JobResult
from expectations.loader import load_lake
from expectations.storage import Place
from launcher.landing import land
from launcher.layout import REPOSITORY

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import SparkSession

FIRST, LAST = date(2013, 1, 1), date(2013, 1, 3)
DAYS = f"{FIRST}..{LAST}"
PIPELINE = "nyc_flights"
RUN_ID = "nyc_flights_daily/by_test"


@dataclass(frozen=True)
class SampleDays:
    """A lake of the sample's contracts: where it is, and how it is asked."""

    root: str
    landing: str
    ledger_url: str

    def enter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let this process, and what it starts, work on this lake."""
        for name in ("LAKE_ENV", "LAKE_PYTHON"):
            monkeypatch.delenv(name, raising=False)
        places = {"PROJECT": str(REPOSITORY), "ROOT": self.root, "LANDING": self.landing, "LEDGER_URL": self.ledger_url}
        for name, value in places.items():
            monkeypatch.setenv(f"LAKE_{name}", value)

    def land(self) -> list[str]:
        """Land the days' files that are not there yet; one flight of the last day is broken."""
        name = f"flights/{LAST}.csv"
        flights = Place.of(f"{self.landing}/{name}")
        before = flights.read_bytes() if flights.exists() else b""
        landed = land(self.landing, FIRST, LAST)
        lines = flights.read_bytes().decode().splitlines()
        flights.write_text("\n".join([*lines, lines[1].replace(",B6,", ",B6,x"), ""]))
        return [file for file in landed if not (file.endswith(name) and flights.read_bytes() == before)]

    @property
    def tables(self) -> list[str]:
        """The pipeline's tables, inputs first."""
        lake = load_lake(REPOSITORY)
        return lake.in_order(lake.pipelines[PIPELINE].tables)

    def run(self, remote: str, verb: str, name: str, days: str | None = None, **more: Any) -> JobResult:
        """Do a job of the run; how it ended is the answer."""
        from spark_jobs.run import run

        return run(JobRequest.model_validate({"verb": verb, "name": name, "days": days, "run_id": RUN_ID, **more}), remote)

    def build(self, remote: str, *tables: str) -> None:
        """Build these tables, or all, for the days; none may fail."""
        for table in tables or self.tables:
            result = self.run(remote, "build", table, DAYS)
            assert result.status in {"done", "unchanged"}, result.message

    def rows(self, spark: SparkSession, table: str) -> pd.DataFrame:
        """A table's columns of its contract, sorted by its grain."""
        contract = load_lake(REPOSITORY).table(table).contract
        frame: pd.DataFrame = spark.read.format("delta").load(f"{self.root}/{table.replace('.', '/')}").select(*contract.columns).toPandas()
        return frame.sort_values(list(contract.grain or contract.columns), ignore_index=True)


@pytest.fixture(scope="session")
def sample_here(spark_remote: str, tmp_path_factory: pytest.TempPathFactory) -> SampleDays:
    """The days in folders of this machine, built by the embedded Spark server."""
    folder = tmp_path_factory.mktemp("here")
    made = SampleDays(f"{folder}/data_lake", f"{folder}/landing", f"sqlite:///{folder}/ledger.db")
    with pytest.MonkeyPatch.context() as monkeypatch:
        made.enter(monkeypatch)
        made.land()
        made.build(spark_remote)
    return made
