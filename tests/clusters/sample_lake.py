"""The sample's contracts over a root, a landing folder and a ledger of a test's own, built as a task of Airflow builds them."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from expectations.loader import load_lake
from expectations.storage import Place
from launcher.landing import land
from launcher.layout import REPOSITORY
from medallion.process_environment import exported

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from medallion.lake_job import LakeJobOperator

FIRST, LAST = date(2013, 1, 1), date(2013, 1, 2)
DAYS = f"{FIRST}..{LAST}"
PIPELINE, RUN_ID = "nyc_flights", "sample/first"
TABLES = load_lake(REPOSITORY).in_order(load_lake(REPOSITORY).pipelines[PIPELINE].tables)
SALES = """
contract: 1
description: Sales as they arrive, one CSV file a day.
source: {folder: sales, format: csv}
columns:
  item: {type: string}
  cents: {type: int}
"""
"""The contract of a bronze table of a lake of a test's own."""
TOLD_BY_THE_RUN = ["_ingested_at", "_run_id", "_first_seen", "_quarantined_at"]


def on_connect(remote: str) -> str:
    """The Airflow connection of a Spark Connect server."""
    host, port = remote.removeprefix("sc://").split(":")
    return json.dumps({"conn_type": "spark_connect", "host": host, "port": int(port)})


class SampleLake:
    """The flights of two days of January. `variables`: LAKE_* and AIRFLOW_CONN_* beside the places."""

    def __init__(self, folder: Path, root: str, landing: str, **variables: str) -> None:
        self.root, self.landing = root, landing
        places = {"LAKE_PROJECT": str(REPOSITORY), "LAKE_ROOT": root, "LAKE_LANDING": landing, "LAKE_LEDGER_URL": f"sqlite:///{folder}/ledger.db"}
        self.environment = {**places, **variables}
        self.task: LakeJobOperator | None = None

    @property
    def ledger_url(self) -> str:
        """Where the ledger is."""
        return self.environment["LAKE_LEDGER_URL"]

    def land(self) -> list[str]:
        """Put the files of the days, and the snapshots, into the landing folder; one flight of the last day is broken. What was not there yet is returned."""
        name = f"flights/{LAST}.csv"
        with exported(self.environment):
            file = Place.of(f"{self.landing}/{name}")
            before = file.read_bytes() if file.exists() else b""
            landed = land(self.landing, FIRST, LAST)
            lines = file.read_bytes().decode().splitlines()
            distance = lines[0].split(",").index("distance")
            broken = lines[1].split(",")
            broken[distance] = "far"
            file.write_text("\n".join([*lines, ",".join(broken)]) + "\n")
            return [one for one in landed if not (one.endswith(name) and file.read_bytes() == before)]

    def do(self, verb: str, name: str, run_id: str = RUN_ID, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a task of Airflow hands back, and the facts that it puts onto its asset's event. Raises what the task would. `task` is the last one."""
        from airflow.sdk import Asset
        from airflow.sdk.bases.operator import ExecutorSafeguard

        from medallion.lake_job import LakeJobOperator

        dag_id, _, run = run_id.partition("/")
        asset = Asset(f"lake://{name}")
        self.task = LakeJobOperator(task_id=name, verb=verb, name=name, outlets=[asset], **fields)  # type: ignore[arg-type]
        events: dict[Any, Any] = defaultdict(SimpleNamespace)
        context = {"dag_run": SimpleNamespace(dag_id=dag_id, run_id=run), "outlet_events": events}
        with exported(self.environment):
            shown = self.task.execute(context, LakeJobOperator__sentinel=ExecutorSafeguard.sentinel_value)  # type: ignore[call-arg, arg-type]
        return shown, getattr(events[asset], "extra", {})

    def build_all(self) -> None:
        """Every table of the daily pipeline, inputs first."""
        for table in TABLES:
            self.do("build", table, days=DAYS)

    def rows(self, path: str, options: dict[str, str] | None = None) -> pd.DataFrame:
        """A table of the lake, as somebody reads it who has only delta-rs: sorted, every cell but what the run itself tells."""
        from deltalake import DeltaTable

        found = DeltaTable(f"{self.root.replace('s3a://', 's3://')}/{path}", storage_options=options).to_pandas()
        cells = found.drop(columns=[name for name in TOLD_BY_THE_RUN if name in found])
        return cells.iloc[cells.astype(str).apply("|".join, axis=1).sort_values(kind="stable").index].reset_index(drop=True)
