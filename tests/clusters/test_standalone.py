"""The sample's days on a Spark standalone cluster, which loses a worker and a driver in the middle of a table."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from airflow.sdk import RetryAction
from deltalake import DeltaTable
from pandas.testing import assert_frame_equal

from expectations.errors import TransientError
from expectations.ledger import Ledger
from medallion.retrying import RETRY_POLICY
from tests.clusters.command_lines import CommandLines
from tests.clusters.sample_lake import DAYS, SALES, TABLES, SampleLake, on_connect
from tests.clusters.standalone import Standalone, java_home
from tests.free_ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]
PATIENCE_SECONDS = 600
SLOW = """
contract: 1
description: Sales, typed. One row a sale.
inputs: [bronze.sales]
grain: [item]
write: replace_all
columns:
  item: {type: string, nullable: false}
  cents: {type: int}
rules:
  - {expect: expect_column_values_to_be_between, column: cents, min_value: 0, on_fail: quarantine, name: fair_price}
"""
SLOW_LOGIC = """
FOLDER = "<folder>"


def transform(bronze_sales):
    folder = FOLDER

    def slowly(batches):
        import os
        import pathlib
        import time

        for batch in batches:
            if len(batch):
                pathlib.Path(folder, str(os.getpid())).touch()
                time.sleep(3)
            yield batch

    return bronze_sales.select("item", "cents", "_row").repartition(6, "item").mapInPandas(slowly, "item string, cents int, _row string")
"""
ITEMS = [f"item {number}" for number in range(60)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """A master and two workers, without an application."""
    _, missing = java_home()
    if missing:
        pytest.skip(missing)
    made = Standalone(tmp_path_factory.mktemp("standalone"))
    try:
        made.start_cluster()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def connected(cluster: Standalone) -> Iterator[Standalone]:
    """The cluster with a Connect server, which takes both workers for itself."""
    cluster.start_connect()
    yield cluster
    cluster.end("connect")


def submitted(cluster: Standalone) -> str:
    """The Airflow connection for spark-submit; its password is the cluster's secret."""
    conf = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false", "spark.log.level": "WARN"}
    conf |= {"spark.executor.memory": "1g", "spark.sql.shuffle.partitions": "4", "spark.pyspark.python": sys.executable}
    extra = {"deploy-mode": "client", "spark-binary": "spark-submit", "conf": conf}
    return json.dumps({"conn_type": "spark", "host": "spark://127.0.0.1", "port": cluster.port, "password": cluster.secret, "extra": extra})


def slow_lake(folder: Path, connection: str) -> SampleLake:
    """A lake of one table that takes a while; each Python worker that is at it leaves a file with its pid in `pids`."""
    project, pids = folder / "project", folder / "pids"
    pids.mkdir()
    files = {
        "expectations/bronze/sales.yaml": SALES,
        "expectations/silver/sales.yaml": SLOW,
        "spark_jobs/silver/sales.py": SLOW_LOGIC.replace("<folder>", str(pids)),
        "landing/sales/2024-05-01.csv": "item,cents\n" + "".join(f"{item},{len(item)}\n" for item in ITEMS),
    }
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    places = {"LAKE_PROJECT": str(project), "AIRFLOW_CONN_SPARK_LAKE": connection, "JAVA_HOME": java_home()[0]}
    return SampleLake(folder, f"{folder}/tables", f"{project}/landing", **places)


class Build(threading.Thread):
    """A build of the slow table that is under way; `error` is what ended it."""

    def __init__(self, lake: SampleLake, pids: Path, workers: int) -> None:
        super().__init__()
        self.lake, self.error, self.facts = lake, None, {}
        self.start()
        until = time.monotonic() + PATIENCE_SECONDS
        while len(list(pids.iterdir())) < workers:
            assert self.is_alive() and time.monotonic() < until, self.error
            time.sleep(0.1)

    def run(self) -> None:
        try:
            _, self.facts = self.lake.do("build", "silver.sales", "sales/first", days="2024-05-01..2024-05-01")
        except Exception as error:
            self.error = error


def assert_whole(lake: SampleLake) -> None:
    """Every sale is there once, by one commit, and the ledger says so."""
    table = DeltaTable(f"{lake.root}/silver/sales")
    assert sorted(table.to_pandas()["item"]) == sorted(ITEMS)
    assert table.version() == 0
    [entry] = Ledger(lake.ledger_url).days("silver.sales").values()
    assert (entry.state, entry.version, entry.rows_in, entry.rows_out) == ("published", 0, len(ITEMS), len(ITEMS))


@pytest.fixture(scope="module")
def on_cluster(connected: Standalone, tmp_path_factory: pytest.TempPathFactory) -> SampleLake:
    """The days, built through the Connect server."""
    folder = tmp_path_factory.mktemp("on_cluster")
    lake = SampleLake(folder, f"{folder}/tables", f"{folder}/landing", AIRFLOW_CONN_SPARK_LAKE=on_connect(connected.remote))
    lake.land()
    lake.build_all()
    return lake


@pytest.mark.parametrize("table", [*TABLES, "_quarantine.silver.flights"])
def test_every_table_of_the_cluster_is_cell_for_cell_the_embedded_one(on_cluster: SampleLake, embedded: SampleLake, table: str) -> None:
    path = table.replace(".", "/")
    assert_frame_equal(on_cluster.rows(path), embedded.rows(path))


def test_a_worker_that_is_killed_in_the_middle_of_a_table_costs_time_and_no_row(connected: Standalone, tmp_path: Path) -> None:
    lake = slow_lake(tmp_path, on_connect(connected.remote))
    lake.do("build", "bronze.sales", days="2024-05-01..2024-05-01")
    build = Build(lake, tmp_path / "pids", workers=2)
    lost = connected.worker_of(int(next((tmp_path / "pids").iterdir()).name))
    connected.kill_worker(lost)
    build.join(PATIENCE_SECONDS)
    assert build.error is None
    assert build.facts["rows_out"] == len(ITEMS)
    assert_whole(lake)
    connected.start_worker(lost)


def test_spark_submit_on_the_cluster_makes_the_same_table_and_no_command_line_or_log_shows_the_secret(
    cluster: Standalone, on_cluster: SampleLake, embedded: SampleLake, capfd: pytest.CaptureFixture[str]
) -> None:
    cluster.end("connect")
    on_cluster.environment |= {"AIRFLOW_CONN_SUBMITTED": submitted(cluster), "JAVA_HOME": java_home()[0]}
    with CommandLines() as seen:
        _, facts = on_cluster.do("build", "gold.carrier_days", "sample/submitted", days=DAYS, force="true", connection="submitted")
    assert facts["version"] == 1
    assert_frame_equal(on_cluster.rows("gold/carrier_days"), embedded.rows("gold/carrier_days"))
    written = capfd.readouterr()
    assert f"spark-submit --master {cluster.master}" in written.out
    assert any("CoarseGrainedExecutorBackend" in line for line in seen.lines)
    for text in ("\n".join(seen.lines), written.out, written.err):
        assert cluster.secret not in text


def test_a_driver_that_is_killed_in_the_middle_of_a_table_is_tried_again_and_nothing_is_doubled(cluster: Standalone, tmp_path: Path) -> None:
    cluster.end("connect")
    lake = slow_lake(tmp_path, submitted(cluster))
    lake.do("build", "bronze.sales", days="2024-05-01..2024-05-01")
    build = Build(lake, tmp_path / "pids", workers=2)
    for process in psutil.Process(os.getpid()).children(recursive=True):
        with suppress(psutil.Error):  # one that has ended has no command line any more
            if any("spark_jobs/run.py" in word for word in process.cmdline()):
                process.kill()
    build.join(PATIENCE_SECONDS)
    assert isinstance(build.error, TransientError)
    assert "the job left no result record" in str(build.error)
    assert RETRY_POLICY.evaluate(build.error, try_number=1, max_tries=2).action is RetryAction.RETRY
    _, facts = lake.do("build", "silver.sales", "sales/first", days="2024-05-01..2024-05-01")
    assert facts["rows_out"] == len(ITEMS)
    assert_whole(lake)


@pytest.mark.timeout(300)
def test_a_master_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    port = free_port()
    connection: dict[str, Any] = {"conn_type": "spark", "host": "spark://127.0.0.1", "port": port}
    lake = SampleLake(tmp_path, f"{tmp_path}/tables", f"{tmp_path}/landing", AIRFLOW_CONN_SPARK_LAKE=json.dumps(connection))
    with pytest.raises(TransientError) as caught:
        lake.do("build", "bronze.airlines", days=DAYS)
    assert str(caught.value) == f"no Spark master answers at 127.0.0.1:{port} (Connection refused); start it, or mend the Airflow connection 'spark_lake'."
