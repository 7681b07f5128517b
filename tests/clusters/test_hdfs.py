"""A lake whose tables, landing files and all other files are on a real HDFS, built by the embedded Spark server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from pandas.testing import assert_frame_equal
from pyarrow.fs import FileSelector

from expectations.errors import TransientError
from expectations.jobs import JobRequest
from expectations.ledger import Ledger
from expectations.storage import Place
from launcher.layout import REPOSITORY
from medallion.process_environment import exported
from spark_jobs.lake.maintenance import ABANDONED_SECONDS
from tests.clusters.sample_lake import DAYS, PIPELINE, RUN_ID, TABLES, SampleLake, on_connect
from tests.free_ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    from pyspark.sql import SparkSession

    from tests.clusters.hadoop import Hadoop

STOPPED = "a DataNode of the lake's HDFS stopped, is full, or is not reached from here; see to it and run it again. Nothing was half published."
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(2400)]


@pytest.fixture(autouse=True)
def on_hdfs(sample_on_hdfs: SampleLake) -> Iterator[None]:
    """Every test here works on that lake."""
    with exported(sample_on_hdfs.environment):
        yield


def test_every_table_is_the_local_one_cell_for_cell(embedded: SampleLake, sample_on_hdfs: SampleLake) -> None:
    for table in TABLES:
        path = table.replace(".", "/")
        assert_frame_equal(sample_on_hdfs.rows(path), embedded.rows(path))
    assert sorted(sample_on_hdfs.rows("gold/daily_flights").flights) == [842, 943]


def test_a_second_landing_and_a_second_run_find_nothing_to_do(sample_on_hdfs: SampleLake) -> None:
    assert sample_on_hdfs.land() == []
    assert {sample_on_hdfs.do("build", table, days=DAYS)[0]["status"] for table in TABLES} == {"unchanged"}


def test_result_records_and_reports_are_read_where_airflow_reads_them(sample_on_hdfs: SampleLake) -> None:
    from medallion.report_pages import report_file
    from medallion.result_record import ResultRecord

    record = ResultRecord(JobRequest(verb="build", name="silver.flights", days=DAYS, run_id=RUN_ID))
    assert record.read("it ended").request.name == "silver.flights"
    assert sample_on_hdfs.do("report", PIPELINE)[0]["status"] == "done"
    page = report_file(*RUN_ID.split("/"), "silver.flights.html")
    assert b"silver.flights" in bytes(page.body)
    record.forget()
    with pytest.raises(TransientError, match="left no result record at hdfs://"):
        record.read("it ended")


def test_refused_rows_wait_on_hdfs_as_on_this_machine(embedded: SampleLake, sample_on_hdfs: SampleLake) -> None:
    waiting = sample_on_hdfs.rows("_quarantine/silver/flights")
    assert [list(rules) for rules in waiting["_rules"]] == [["type(distance)"]]
    assert_frame_equal(waiting, embedded.rows("_quarantine/silver/flights"))


def test_sparks_python_workers_read_and_write_model_files_there(sample_on_hdfs: SampleLake, spark: SparkSession) -> None:
    from spark_jobs.lake.learning.worker import read_bytes, write_whole

    given, taken = (f"{sample_on_hdfs.root}/_models/{name}" for name in ("given", "taken"))
    Place.of(given).write_text("a model")
    Place.of(taken).write_text("of an earlier try")

    def copy(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            write_whole(taken, read_bytes(given).decode())
            yield batch

    assert spark.range(1).mapInPandas(copy, "id long").count() == 1
    assert Place.of(taken).read_bytes() == b"a model"


def test_maintenance_compacts_and_forgets_what_a_killed_run_left(sample_on_hdfs: SampleLake) -> None:
    left = Place.of(f"{sample_on_hdfs.root}/_staging/gold.daily_flights/of-a-killed-run/part-0.parquet")
    left.write_text("half")
    yesterday = int((time.time() - 2 * ABANDONED_SECONDS) * 1000)
    for path in (left.path, left.path.rpartition("/")[0]):
        left.system.handler.fs.client.set_times(path, yesterday, yesterday)
    assert sample_on_hdfs.do("maintain", "gold.daily_flights")[0]["status"] == "done"
    assert not left.exists()


def test_a_datanode_that_stops_mid_write_is_told_in_one_sentence_and_a_retry_is_clean(embedded: SampleLake, sample_on_hdfs: SampleLake, hadoop: Hadoop) -> None:
    staging = Place.of(f"{sample_on_hdfs.root}/_staging/silver.flights")
    before = Ledger(sample_on_hdfs.ledger_url).days("silver.flights")

    def stop_when_it_writes() -> None:
        while not any("part-" in info.path for info in staging.system.get_file_info(FileSelector(staging.path, allow_not_found=True, recursive=True))):
            time.sleep(0.02)
        hadoop.end("datanode")

    stopping = threading.Thread(target=stop_when_it_writes)
    stopping.start()
    with pytest.raises(TransientError) as failed:
        sample_on_hdfs.do("build", "silver.flights", days=DAYS, force="true")
    stopping.join(60)
    assert str(failed.value) == f"build silver.flights: {STOPPED}"
    assert Ledger(sample_on_hdfs.ledger_url).days("silver.flights") == before

    hadoop.start("datanode")
    hadoop.wait_for_datanode()
    assert sample_on_hdfs.do("build", "silver.flights", days=DAYS, force="true")[0]["status"] == "done"
    assert_frame_equal(sample_on_hdfs.rows("silver/flights"), embedded.rows("silver/flights"))
    assert staging.file_names() == []


def test_a_root_that_may_not_be_written_is_told_in_one_sentence_and_not_tried_again(sample_on_hdfs: SampleLake, spark_remote: str, tmp_path: Path) -> None:
    lake = SampleLake(tmp_path, f"{sample_on_hdfs.root}-of-another", sample_on_hdfs.landing)
    request = JobRequest(verb="build", name="bronze.airlines", days=DAYS, run_id=RUN_ID)
    command = [sys.executable, str(REPOSITORY / "spark_jobs" / "run.py"), *request.to_arguments(), "--remote", spark_remote]
    environment = {**os.environ, **lake.environment, "HADOOP_USER_NAME": "stranger"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    assert "cannot be used: stranger has no right to WRITE in / of the lake's file system: give it, or run as another user." in ended.stderr


def test_a_namenode_that_is_not_there_is_told_within_a_minute(spark_remote: str, tmp_path: Path) -> None:
    nobody = f"hdfs://127.0.0.1:{free_port()}"
    lake = SampleLake(tmp_path, f"{nobody}/lake", f"{nobody}/landing", AIRFLOW_CONN_SPARK_LAKE=on_connect(spark_remote))
    started = time.monotonic()
    with pytest.raises(TransientError, match=f"^{nobody}/landing cannot be used: the NameNode of the lake's HDFS is not reached"):
        lake.do("build", "bronze.airlines", days=DAYS)
    assert time.monotonic() - started < 60
