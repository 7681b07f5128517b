"""A lake whose tables, landing folder and records are on S3, against a server of that protocol which checks every key and signature."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pandas.testing import assert_frame_equal

from expectations.errors import TransientError
from launcher.layout import REPOSITORY
from medallion.process_environment import exported
from medallion.storage_connection import s3_environment
from tests.clusters.command_lines import CommandLines
from tests.clusters.s3_server import READ_ONLY, AwsServer, User, running_server
from tests.clusters.sample_lake import DAYS, SALES, TABLES, SampleLake, on_connect
from tests.end_to_end.test_spark_submit import NEEDED, java_version
from tests.free_ports import free_port
from tests.lakes.shop.sample import land as land_shop
from tests.lakes.test_shop import SHOP
from tests.spark_server import RunningSpark, running_spark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deltalake import DeltaTable

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]
BUCKET = "lake"
ROUNDS = 6
ROOT, LANDING = f"s3a://{BUCKET}/tables", f"s3a://{BUCKET}/landing"
BUILDS = """
import sys
from spark_jobs.run import main

for day in sys.argv[2:]:
    words = ["build", "bronze.sales", "--days", f"{day}..{day}", "--run", day, "--remote", sys.argv[1]]
    code = main(words)
    assert code == 0, f"{day}: {code}"
"""


def writer(lake: SampleLake, remote: str, days: list[str]) -> subprocess.Popen[str]:
    """A process that builds one day of sales after the other."""
    with exported(lake.environment):
        environment = {**os.environ, **s3_environment("lake_storage"), "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen([sys.executable, "-c", BUILDS, remote, *days], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    """The server, with one bucket."""
    with running_server(tmp_path_factory.mktemp("s3") / "server.log") as made:
        made.client("s3").create_bucket(Bucket=BUCKET)
        yield made


def lake_of(server: AwsServer, user: User, folder: Path, remote: str, **changed: str) -> SampleLake:
    connections = {"AIRFLOW_CONN_SPARK_LAKE": on_connect(remote), "AIRFLOW_CONN_LAKE_STORAGE": user.connection(server.endpoint)}
    variables = {**connections, "LAKE_STORAGE_CONNECTION": "lake_storage", **changed}
    return SampleLake(folder, variables.pop("root", ROOT), variables.pop("landing", LANDING), **variables)


def table_of(server: AwsServer, table: str, root: str = "tables") -> DeltaTable:
    from deltalake import DeltaTable

    return DeltaTable(f"s3://{BUCKET}/{root}/{table.replace('.', '/')}", storage_options=server.options)


@pytest.fixture(scope="module")
def on_s3(server: AwsServer, spark_remote: str, tmp_path_factory: pytest.TempPathFactory) -> SampleLake:
    """The days, landed on S3 and built there; neither Spark nor Airflow has the key but from the connection."""
    lake = lake_of(server, server.owner, tmp_path_factory.mktemp("on_s3"), spark_remote)
    with exported(server.options):
        lake.land()
    lake.build_all()
    return lake


@pytest.mark.parametrize("table", TABLES)
def test_every_table_on_s3_is_cell_for_cell_the_one_in_a_local_folder(server: AwsServer, on_s3: SampleLake, embedded: SampleLake, table: str) -> None:
    path = table.replace(".", "/")
    found = on_s3.rows(path, server.options)
    assert len(found) > 0
    assert_frame_equal(found, embedded.rows(path))


def test_refused_rows_wait_on_s3_as_they_do_in_a_local_folder(server: AwsServer, on_s3: SampleLake, embedded: SampleLake) -> None:
    path = "_quarantine/silver/flights"
    found = on_s3.rows(path, server.options)
    assert [list(rules) for rules in found["_rules"]] == [["type(distance)"]]
    assert_frame_equal(found, embedded.rows(path))


@pytest.mark.usefixtures("on_s3")
def test_nothing_but_tables_records_and_kept_files_is_left(server: AwsServer) -> None:
    names = server.names(BUCKET, "tables/")
    assert {name.split("/")[1] for name in names} == {"_files", "_quarantine", "_runs", "_staging", "bronze", "silver", "gold"}
    assert not [name for name in names if ".draft" in name]
    assert not [name for name in server.names(BUCKET, "tables/_staging/") if not name.endswith("/")]


def test_a_report_is_written_to_s3_and_read_from_there(on_s3: SampleLake) -> None:
    from medallion.storage_connection import stored

    _, facts = on_s3.do("report", "nyc_flights")
    assert facts["report"].startswith(f"{ROOT}/_reports/")
    with exported(on_s3.environment):
        assert b"gold.carrier_days" in stored(facts["report"]).read_bytes()


def test_a_table_on_s3_is_compacted_and_put_back(server: AwsServer, on_s3: SampleLake) -> None:
    before = on_s3.rows("gold/route_days", server.options)
    on_s3.do("build", "gold.route_days", "sample/again", days="2013-01-01..2013-01-01", force="true")
    shown, _ = on_s3.do("maintain", "gold.route_days", "care/first")
    assert "history of" in shown["message"]
    shown, facts = on_s3.do("restore", "gold.route_days", "care/first", version="0")
    assert facts["restored_version"] == 0
    assert table_of(server, "gold.route_days").version() == facts["version"]
    assert_frame_equal(on_s3.rows("gold/route_days", server.options), before)


def test_what_a_killed_run_has_staged_is_forgotten_once_it_is_old(server: AwsServer, on_s3: SampleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    client = server.client("s3")
    client.put_object(Bucket=BUCKET, Key="tables/_staging/silver.planes/killed/part-0.parquet", Body=b"rows")
    on_s3.do("maintain", "silver.planes", "care/second")
    assert server.names(BUCKET, "tables/_staging/silver.planes/killed/") == ["tables/_staging/silver.planes/killed/part-0.parquet"]
    monkeypatch.setattr("spark_jobs.lake.maintenance.ABANDONED_SECONDS", -1.0)
    on_s3.do("maintain", "silver.planes", "care/third")
    assert server.names(BUCKET, "tables/_staging/silver.planes/killed/") == []


@pytest.mark.skipif(java_version() not in NEEDED, reason="spark-submit needs Java 17 or 21 on PATH: .ci/install java=openjdk-17-jre-headless brings one")
def test_spark_submit_gets_the_key_and_no_command_line_or_log_shows_it(
    server: AwsServer, on_s3: SampleLake, embedded: SampleLake, capfd: pytest.CaptureFixture[str]
) -> None:
    submitted = {"conn_type": "spark", "host": "local[1]", "extra": {"spark-binary": "spark-submit", "deploy-mode": "client"}}
    on_s3.environment["AIRFLOW_CONN_SUBMITTED"] = json.dumps(submitted)
    before = table_of(server, "gold.carrier_days").version()
    with CommandLines() as seen:
        on_s3.do("build", "gold.carrier_days", "sample/submitted", days=DAYS, force="true", connection="submitted")
    assert table_of(server, "gold.carrier_days").version() == before + 1
    assert_frame_equal(on_s3.rows("gold/carrier_days", server.options), embedded.rows("gold/carrier_days"))
    written = capfd.readouterr()
    assert "spark-submit --master local[1]" in written.out
    assert any("org.apache.spark.deploy.SparkSubmit" in line for line in seen.lines)
    for place in ("\n".join(seen.lines), written.out, written.err):
        assert server.owner.secret not in place
        assert server.owner.key not in place


def test_no_record_report_or_ledger_has_the_secret(server: AwsServer, on_s3: SampleLake, spark_server: RunningSpark) -> None:
    client = server.client("s3")
    texts = [name for folder in ("_runs", "_reports") for name in server.names(BUCKET, f"tables/{folder}/") if not name.endswith("/")]
    assert texts
    contents = [client.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in texts]
    contents += [Path(on_s3.ledger_url.removeprefix("sqlite:///")).read_bytes(), spark_server.log.read_bytes()]
    assert not [content for content in contents if server.owner.secret.encode() in content]


def test_tables_on_s3_and_landed_files_there_have_names_on_a_spark_server_that_has_the_key_too(server: AwsServer, tmp_path: Path) -> None:
    from pyspark.sql import SparkSession

    land_shop(tmp_path / "landing")
    for file in (tmp_path / "landing").rglob("*.*"):
        server.client("s3").upload_file(str(file), BUCKET, f"shop/{file.relative_to(tmp_path)}")
    places = {"LAKE_PROJECT": str(SHOP), "LAKE_METASTORE": "embedded", "LAKE_STATE": str(tmp_path / "state")}
    with exported(server.options), running_spark(tmp_path, "embedded") as spark:
        lake = lake_of(server, server.owner, tmp_path, spark.remote, root=f"s3a://{BUCKET}/shop/tables", landing=f"s3a://{BUCKET}/shop/landing", **places)
        for table in ("bronze.logs", "silver.features"):
            lake.do("build", table, "shop/first", days="2024-05-01..2024-05-03")
        session = SparkSession.builder.remote(spark.remote).create()
        try:
            assert session.sql("SELECT count(*), max(params['product']) FROM landing.logs WHERE day = DATE'2024-05-02'").collect() == [(3, "cup")]
            assert session.sql("SELECT count(*) FROM silver.features").collect()[0][0] > 0
        finally:
            session.stop()


WRONG = {
    "an unknown key": "the access key is not known there: mend the connection that LAKE_STORAGE_CONNECTION names",
    "a wrong secret": "the secret does not belong to the access key: mend the connection that LAKE_STORAGE_CONNECTION names",
    "a token that is no more": "the session token is not valid: write a new one into the connection that LAKE_STORAGE_CONNECTION names",
    "a user who may only read": "access is denied: give the user of the key the right to list, read, write and delete there",
    "no bucket": "there is no such bucket: make it, or mend LAKE_ROOT and LAKE_LANDING",
    "a port where nobody listens": "nothing answers at its address: check endpoint, host, port and network",
    "a host that is none": "nothing answers at its address: check endpoint, host, port and network",
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", WRONG)
def test_a_storage_that_cannot_be_used_is_one_sentence_before_spark_is_asked(
    server: AwsServer, spark_remote: str, tmp_path: Path, fault: str, capfd: pytest.CaptureFixture[str]
) -> None:
    endpoint, user, changed = server.endpoint, server.owner, {}
    extra = {"aws_session_token": "expired"} if fault == "a token that is no more" else {}
    if fault == "an unknown key":
        user = User("AKIAUNKNOWN", user.secret)
    elif fault == "a wrong secret":
        user = User(user.key, "another-secret")
    elif fault == "a user who may only read":
        user = server.add_user("reader", READ_ONLY)
    elif fault == "no bucket":
        changed = {"root": "s3a://nowhere/tables"}
    elif fault == "a port where nobody listens":
        endpoint = f"http://127.0.0.1:{free_port()}"
    elif fault == "a host that is none":
        endpoint = "http://s3.invalid:9000"
    lake = lake_of(server, user, tmp_path, spark_remote, **changed)
    lake.environment["AIRFLOW_CONN_LAKE_STORAGE"] = user.connection(endpoint, **extra)
    with pytest.raises(TransientError) as caught:
        lake.do("build", "bronze.airlines", days=DAYS)
    place = changed.get("root") or (ROOT if fault == "a user who may only read" else LANDING)
    assert str(caught.value) == f"{place} cannot be used: {WRONG[fault]}."
    written = capfd.readouterr()
    assert user.secret not in written.out + written.err


def test_two_drivers_that_write_one_table_at_once_lose_no_commit(
    server: AwsServer, spark_remote: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each has a Java of its own: Delta's own lock holds within one, and of two that write a version to S3 the last one wins."""
    contract = tmp_path / "lake" / "expectations" / "bronze" / "sales.yaml"
    contract.parent.mkdir(parents=True)
    contract.write_text(SALES)
    places = {"root": f"s3a://{BUCKET}/two", "landing": f"s3a://{BUCKET}/two-landing", "LAKE_PROJECT": str(tmp_path / "lake")}
    lake = lake_of(server, server.owner, tmp_path, spark_remote, **places)
    days = {driver: [f"2024-0{driver}-0{day}" for day in range(1, ROUNDS + 1)] for driver in (1, 2)}
    for day in [*days[1], *days[2]]:
        server.client("s3").put_object(Bucket=BUCKET, Key=f"two-landing/sales/{day}.csv", Body=f"item,cents\ntea,{day[-1]}\n".encode())
    with running_spark(tmp_path_factory.mktemp("second-driver")) as second:
        writers = [writer(lake, spark_remote, days[1]), writer(lake, second.remote, days[2])]
        said = [one.communicate()[0] for one in writers]
    assert [one.returncode for one in writers] == [0, 0], said
    table = table_of(server, "bronze.sales", "two")
    written = [json.loads(entry["userMetadata"])["run_id"] for entry in table.history()]
    assert sorted(written) == sorted([*days[1], *days[2]])
    assert table.version() == 2 * ROUNDS - 1
    assert sorted(table.to_pandas()["_day"].astype(str)) == sorted([*days[1], *days[2]])
