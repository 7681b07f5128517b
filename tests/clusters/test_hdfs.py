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
from tests.clusters.sample_days import DAYS, LAST, PIPELINE, RUN_ID, SampleDays, local_days

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from tests.clusters.hadoop import Hadoop

STOPPED = "a DataNode of the lake's HDFS stopped, or is not reached from here; bring it back and run it again. Nothing was half published."
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def local(spark_remote: str, tmp_path_factory: pytest.TempPathFactory) -> SampleDays:
    """The days in a lake of this machine."""
    made = local_days(tmp_path_factory.mktemp("local"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        made.enter(monkeypatch)
        made.land()
        made.build(spark_remote)
    return made


@pytest.fixture(scope="module")
def lake(spark_remote: str, hadoop: Hadoop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleDays]:
    """The days in a lake on HDFS; this process works on it."""
    ledger = f"sqlite:///{tmp_path_factory.mktemp('ledger')}/ledger.db"
    made = SampleDays(f"{hadoop.address}/lake", f"{hadoop.address}/landing", ledger)
    with pytest.MonkeyPatch.context() as monkeypatch:
        made.enter(monkeypatch)
        assert f"{hadoop.address}/landing/flights/2013-01-03.csv" in made.land()
        made.build(spark_remote)
        yield made


def test_every_table_is_the_local_one_cell_for_cell(local: SampleDays, lake: SampleDays, spark: SparkSession) -> None:
    for table in lake.tables:
        assert_frame_equal(lake.rows(spark, table), local.rows(spark, table))
    assert lake.rows(spark, "gold.daily_flights").flights.tolist() == [842, 943, 914]


def test_a_second_landing_and_a_second_run_find_nothing_to_do(lake: SampleDays, spark_remote: str) -> None:
    assert lake.land() == []
    assert {lake.run(spark_remote, "build", table, DAYS).status for table in lake.tables} == {"unchanged"}


def test_result_records_and_reports_are_read_where_airflow_reads_them(lake: SampleDays, spark_remote: str) -> None:
    from medallion.report_pages import report_file
    from medallion.result_record import ResultRecord

    record = ResultRecord(JobRequest(verb="build", name="silver.flights", days=DAYS, run_id=RUN_ID))
    assert record.read("it ended").request.name == "silver.flights"
    assert lake.run(spark_remote, "report", PIPELINE).status == "done"
    page = report_file("nyc_flights_daily", "by_test", "silver.flights.html")
    assert b"silver.flights" in bytes(page.body)
    record.forget()
    with pytest.raises(TransientError, match="left no result record at hdfs://"):
        record.read("it ended")


def test_refused_rows_wait_on_hdfs_as_on_this_machine(
    local: SampleDays, lake: SampleDays, spark_remote: str, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    for made in (local, lake):
        made.enter(monkeypatch)
        landed = Place.of(f"{made.landing}/flights/{LAST}.csv")
        lines = landed.read_bytes().decode().splitlines()
        landed.write_text("\n".join([*lines, lines[1].replace(",B6,", ",B6,x"), ""]))
        made.build(spark_remote, "bronze.flights", "silver.flights")
    waiting = [spark.read.format("delta").load(f"{made.root}/_quarantine/silver/flights").select("_rules", "_row", "_values") for made in (local, lake)]
    assert waiting[0].count() == 1
    assert waiting[0].collect() == waiting[1].collect()


def test_maintenance_compacts_and_forgets_what_a_killed_run_left(lake: SampleDays, spark_remote: str) -> None:
    left = Place.of(f"{lake.root}/_staging/gold.daily_flights/of-a-killed-run/part-0.parquet")
    left.write_text("half")
    yesterday = int((time.time() - 2 * ABANDONED_SECONDS) * 1000)
    left.system.handler.fs.client.set_times(left.path.rpartition("/")[0], yesterday, yesterday)
    assert lake.run(spark_remote, "maintain", "gold.daily_flights").status == "done"
    assert not left.exists()


def test_a_datanode_that_stops_mid_write_is_told_in_one_sentence_and_a_retry_is_clean(
    local: SampleDays, lake: SampleDays, spark_remote: str, spark: SparkSession, hadoop: Hadoop
) -> None:
    staging = Place.of(f"{lake.root}/_staging/silver.flights")
    before = Ledger(lake.ledger_url).days("silver.flights")

    def stop_when_it_writes() -> None:
        while not any("part-" in info.path for info in staging.system.get_file_info(FileSelector(staging.path, allow_not_found=True, recursive=True))):
            time.sleep(0.02)
        hadoop.end("datanode")

    stopping = threading.Thread(target=stop_when_it_writes)
    stopping.start()
    failed = lake.run(spark_remote, "build", "silver.flights", DAYS, force=True)
    stopping.join(60)
    assert (failed.status, failed.message) == ("failed_transient", f"build silver.flights: {STOPPED}")
    assert Ledger(lake.ledger_url).days("silver.flights") == before

    hadoop.start("datanode")
    hadoop.wait_for_datanode()
    assert lake.run(spark_remote, "build", "silver.flights", DAYS, force=True).status == "done"
    assert_frame_equal(lake.rows(spark, "silver.flights"), local.rows(spark, "silver.flights"))
    assert staging.file_names() == []


def test_a_root_that_may_not_be_written_is_told_in_one_sentence_and_not_tried_again(
    lake: SampleDays, spark_remote: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    SampleDays(f"{lake.root}-of-another", lake.landing, lake.ledger_url + ".other").enter(monkeypatch)
    request = JobRequest(verb="build", name="bronze.airlines", days=DAYS, run_id=RUN_ID)
    command = [sys.executable, str(REPOSITORY / "spark_jobs" / "run.py"), *request.to_arguments(), "--remote", spark_remote]
    ended = subprocess.run(command, env={**os.environ, "HADOOP_USER_NAME": "stranger"}, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    assert "build bronze.airlines: stranger has no right to WRITE in / of the lake's file system: give it, or run as another user." in ended.stderr


def test_a_namenode_that_is_not_there_is_told_within_a_minute(lake: SampleDays, spark_remote: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = "hdfs://127.0.0.1:9"
    SampleDays(f"{nobody}/lake", f"{nobody}/landing", lake.ledger_url + ".none").enter(monkeypatch)
    missed = lake.run(spark_remote, "build", "bronze.airlines", DAYS)
    assert missed.status == "failed_transient"
    assert missed.message.startswith("build bronze.airlines: the NameNode of the lake's HDFS is not reached")
    assert missed.seconds < 60
