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
from spark_jobs.lake.maintenance import ABANDONED_SECONDS
from tests.clusters.sample_days import DAYS, PIPELINE, RUN_ID, SampleDays

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from pyspark.sql import SparkSession

    from tests.clusters.hadoop import Hadoop

STOPPED = "a DataNode of the lake's HDFS stopped, or is not reached from here; bring it back and run it again. Nothing was half published."
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(2400)]


@pytest.fixture(autouse=True)
def on_hdfs(sample_on_hdfs: SampleDays, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here works on that sample_on_hdfs."""
    sample_on_hdfs.enter(monkeypatch)


def test_every_table_is_the_local_one_cell_for_cell(sample_here: SampleDays, sample_on_hdfs: SampleDays, spark: SparkSession) -> None:
    for table in sample_on_hdfs.tables:
        assert_frame_equal(sample_on_hdfs.rows(spark, table), sample_here.rows(spark, table))
    assert sample_on_hdfs.rows(spark, "gold.daily_flights").flights.tolist() == [842, 943, 914]


def test_a_second_landing_and_a_second_run_find_nothing_to_do(sample_on_hdfs: SampleDays, spark_remote: str) -> None:
    assert sample_on_hdfs.land() == []
    assert {sample_on_hdfs.run(spark_remote, "build", table, DAYS).status for table in sample_on_hdfs.tables} == {"unchanged"}


def test_result_records_and_reports_are_read_where_airflow_reads_them(sample_on_hdfs: SampleDays, spark_remote: str) -> None:
    from medallion.report_pages import report_file
    from medallion.result_record import ResultRecord

    record = ResultRecord(JobRequest(verb="build", name="silver.flights", days=DAYS, run_id=RUN_ID))
    assert record.read("it ended").request.name == "silver.flights"
    assert sample_on_hdfs.run(spark_remote, "report", PIPELINE).status == "done"
    page = report_file("nyc_flights_daily", "by_test", "silver.flights.html")
    assert b"silver.flights" in bytes(page.body)
    record.forget()
    with pytest.raises(TransientError, match="left no result record at hdfs://"):
        record.read("it ended")


def test_refused_rows_wait_on_hdfs_as_on_this_machine(sample_here: SampleDays, sample_on_hdfs: SampleDays, spark: SparkSession) -> None:
    waiting = [
        spark.read.format("delta").load(f"{made.root}/_quarantine/silver/flights").select("_rules", "_row", "_values") for made in (sample_here, sample_on_hdfs)
    ]
    assert waiting[0].count() == 1
    assert waiting[0].collect() == waiting[1].collect()


def test_sparks_python_workers_read_and_write_model_files_there(sample_on_hdfs: SampleDays, spark: SparkSession) -> None:
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


def test_maintenance_compacts_and_forgets_what_a_killed_run_left(sample_on_hdfs: SampleDays, spark_remote: str) -> None:
    left = Place.of(f"{sample_on_hdfs.root}/_staging/gold.daily_flights/of-a-killed-run/part-0.parquet")
    left.write_text("half")
    yesterday = int((time.time() - 2 * ABANDONED_SECONDS) * 1000)
    for path in (left.path, left.path.rpartition("/")[0]):
        left.system.handler.fs.client.set_times(path, yesterday, yesterday)
    assert sample_on_hdfs.run(spark_remote, "maintain", "gold.daily_flights").status == "done"
    assert not left.exists()


def test_a_datanode_that_stops_mid_write_is_told_in_one_sentence_and_a_retry_is_clean(
    sample_here: SampleDays, sample_on_hdfs: SampleDays, spark_remote: str, spark: SparkSession, hadoop: Hadoop
) -> None:
    staging = Place.of(f"{sample_on_hdfs.root}/_staging/silver.flights")
    before = Ledger(sample_on_hdfs.ledger_url).days("silver.flights")

    def stop_when_it_writes() -> None:
        while not any("part-" in info.path for info in staging.system.get_file_info(FileSelector(staging.path, allow_not_found=True, recursive=True))):
            time.sleep(0.02)
        hadoop.end("datanode")

    stopping = threading.Thread(target=stop_when_it_writes)
    stopping.start()
    failed = sample_on_hdfs.run(spark_remote, "build", "silver.flights", DAYS, force=True)
    stopping.join(60)
    assert (failed.status, failed.message) == ("failed_transient", f"build silver.flights: {STOPPED}")
    assert Ledger(sample_on_hdfs.ledger_url).days("silver.flights") == before

    hadoop.start("datanode")
    hadoop.wait_for_datanode()
    assert sample_on_hdfs.run(spark_remote, "build", "silver.flights", DAYS, force=True).status == "done"
    assert_frame_equal(sample_on_hdfs.rows(spark, "silver.flights"), sample_here.rows(spark, "silver.flights"))
    assert staging.file_names() == []


def test_a_root_that_may_not_be_written_is_told_in_one_sentence_and_not_tried_again(
    sample_on_hdfs: SampleDays, spark_remote: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    SampleDays(f"{sample_on_hdfs.root}-of-another", sample_on_hdfs.landing, sample_on_hdfs.ledger_url + ".other").enter(monkeypatch)
    request = JobRequest(verb="build", name="bronze.airlines", days=DAYS, run_id=RUN_ID)
    command = [sys.executable, str(REPOSITORY / "spark_jobs" / "run.py"), *request.to_arguments(), "--remote", spark_remote]
    ended = subprocess.run(command, env={**os.environ, "HADOOP_USER_NAME": "stranger"}, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    assert "cannot be used: stranger has no right to WRITE in / of the lake's file system: give it, or run as another user." in ended.stderr


def test_a_namenode_that_is_not_there_is_told_within_a_minute(sample_on_hdfs: SampleDays, spark_remote: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = "hdfs://127.0.0.1:9"
    SampleDays(f"{nobody}/lake", f"{nobody}/landing", sample_on_hdfs.ledger_url + ".none").enter(monkeypatch)
    missed = sample_on_hdfs.run(spark_remote, "build", "bronze.airlines", DAYS)
    assert missed.status == "failed_transient"
    assert missed.message.startswith(f"{nobody}/landing cannot be used: the NameNode of the lake's HDFS is not reached")
    assert missed.seconds < 60
