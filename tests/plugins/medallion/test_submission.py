from __future__ import annotations

import json
from pathlib import Path
from secrets import token_hex

import pytest
from airflow.sdk import Connection

from expectations.errors import RequestError
from expectations.jobs import JobRequest
from expectations.s3 import VARIABLES
from expectations.settings import PRIVATE_FILE
from medallion.shipping import private_variables, shipped_environment
from medallion.submission import driver_variables, private_properties, submission_conf

REQUEST = JobRequest(verb="build", name="silver.visits", run_id="shop_daily/manual__1")


def spark(host: str, **extra: object) -> Connection:
    return Connection(conn_id="spark_lake", conn_type="spark", host=host, extra=json.dumps(extra))


@pytest.fixture(autouse=True)
def jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "delta.jar").touch()
    monkeypatch.setenv("LAKE_JARS", str(tmp_path))


def test_a_driver_on_another_machine_needs_a_ledger_that_it_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RequestError, match="SQLite file is not: let LAKE_LEDGER_URL name a Postgres"):
        submission_conf(spark("yarn", **{"deploy-mode": "cluster"}), REQUEST)
    monkeypatch.setenv("LAKE_LEDGER_URL", "postgresql://lake@ledger/lake")
    with pytest.raises(RequestError, match="must name lake-bundle and yarn_resourcemanager_webapp_address; see"):
        submission_conf(spark("yarn", **{"deploy-mode": "cluster"}), REQUEST)


def test_a_driver_on_yarn_gets_the_bundle_and_the_lakes_settings_and_the_ledgers_address_in_private(monkeypatch: pytest.MonkeyPatch) -> None:
    password = token_hex()
    monkeypatch.setenv("LAKE_LEDGER_URL", f"postgresql://lake:{password}@ledger/lake")
    extra = {"deploy-mode": "cluster", "lake-bundle": "hdfs://namenode/bundle.zip", "yarn_resourcemanager_webapp_address": "http://manager:8088"}
    conf = submission_conf(spark("yarn", **extra), REQUEST)
    assert conf["spark.yarn.dist.archives"] == "hdfs://namenode/bundle.zip#lake"
    assert conf["spark.executorEnv.PYTHONPATH"] == "lake"
    assert conf["spark.sql.extensions"] == "io.delta.sql.DeltaSparkSessionExtension"
    shipped = shipped_environment()
    assert shipped["LAKE_PROJECT"] == "lake/project"
    assert password not in f"{conf} {shipped}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"postgresql://mlflow:{password}@ledger/mlflow")
    assert password not in f"{shipped_environment()}"
    with private_variables(spark("yarn", **extra)) as shipped_file:
        file, _, name = str(shipped_file).partition("#")
        assert json.loads(Path(file).read_text()) == {"LAKE_LEDGER_URL": f"postgresql://lake:{password}@ledger/lake"}
        assert Path(file).stat().st_mode & 0o777 == 0o600
        assert shipped[PRIVATE_FILE] == name
    assert not Path(file).exists()


def test_a_driver_on_yarn_gets_the_key_of_the_storage_in_private_and_one_on_this_machine_has_it_already(monkeypatch: pytest.MonkeyPatch) -> None:
    key, secret = token_hex(), f"{token_hex()}/+="
    monkeypatch.setenv("LAKE_LEDGER_URL", "postgresql://lake@ledger/lake")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    monkeypatch.setenv("LAKE_STORAGE_CONNECTION", "lake_storage")
    away = spark("yarn", **{"deploy-mode": "cluster", "lake-bundle": "hdfs:///lake/bundle.zip", "yarn_resourcemanager_webapp_address": "http://rm:8088"})
    shown = f"{submission_conf(away, REQUEST)} {driver_variables(away)}"
    assert key not in shown
    assert secret not in shown
    with private_variables(away) as file, private_properties(away) as nothing:
        told = json.loads(Path(str(file).partition("#")[0]).read_text())
        assert nothing is None
    assert told == {"LAKE_LEDGER_URL": "postgresql://lake@ledger/lake", "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
    monkeypatch.delenv("LAKE_STORAGE_CONNECTION")  # the task's key is for something else then
    with private_variables(away) as file:
        assert json.loads(Path(str(file).partition("#")[0]).read_text()) == {"LAKE_LEDGER_URL": "postgresql://lake@ledger/lake"}
    with private_variables(spark("yarn")) as none:
        assert none is None


def test_files_that_a_connection_ships_to_yarn_go_with_the_lakes_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_LEDGER_URL", "postgresql://lake@ledger/lake")
    with private_variables(spark("yarn", **{"deploy-mode": "cluster", "conf": {"spark.files": "hdfs:///a.txt,hdfs:///b.txt"}})) as files:
        assert str(files).split("#")[1] == "lake-private.json,hdfs:///a.txt,hdfs:///b.txt"


def test_a_driver_on_a_standalone_cluster_is_refused_as_it_would_lack_the_lakes_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_LEDGER_URL", "postgresql+psycopg2://lake@ledger/lake")
    with pytest.raises(RequestError, match="a driver on the cluster is for YARN and Kubernetes: let deploy-mode be client"):
        submission_conf(spark("spark://master", **{"deploy-mode": "cluster"}), REQUEST)


def test_one_machine_opens_no_port_and_the_connections_own_settings_win() -> None:
    conf = submission_conf(spark("local[2]", conf={"spark.sql.shuffle.partitions": 9}), REQUEST)
    assert conf["spark.driver.host"] == "127.0.0.1"
    assert conf["spark.sql.shuffle.partitions"] == "9"


def test_an_application_on_yarn_is_found_by_its_job() -> None:
    assert submission_conf(spark("yarn"), REQUEST)["spark.yarn.tags"] == f"lake.{REQUEST.run_key}.build.silver.visits"
    assert "spark.yarn.tags" not in submission_conf(spark("spark://master"), REQUEST)


def test_the_clusters_secret_is_in_a_file_of_its_owner_alone_and_only_while_it_is_needed() -> None:
    secret = token_hex()
    connection = Connection(conn_id="spark_lake", conn_type="spark", host="spark://master", password=secret)
    assert secret not in " ".join(submission_conf(connection, REQUEST).values())
    with private_properties(connection) as file:
        assert file is not None
        assert Path(file).read_text() == f"spark.authenticate=true\nspark.authenticate.secret={secret}\n"
        assert Path(file).stat().st_mode & 0o777 == 0o600
    assert not Path(file).exists()
    with private_properties(spark("local[2]")) as none:
        assert none is None


def test_the_login_of_a_metastore_is_in_that_file_too_and_a_driver_that_is_shipped_knows_which_one_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    password = token_hex()
    monkeypatch.setenv("LAKE_METASTORE", f"postgresql://ada:{password}@db/names")
    assert password not in f"{submission_conf(spark('local[2]'), REQUEST)} {shipped_environment()}"
    assert shipped_environment()["LAKE_METASTORE"] == "postgresql://db/names"
    with private_properties(spark("local[2]")) as file:
        assert file is not None
        lines = Path(file).read_text().splitlines()
    assert "spark.sql.catalogImplementation=hive" in lines
    assert f"spark.hadoop.javax.jdo.option.ConnectionPassword={password}" in lines


def test_a_lake_on_s3_needs_its_jars(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAKE_ROOT", "s3a://lake/tables")
    with pytest.raises(RequestError, match=r"s3a://lake/tables needs the jars of jars-s3\.lock in .*; run `make setup S3=1`"):
        submission_conf(spark("local[2]"), REQUEST)
    (tmp_path / "hadoop-aws-3.5.0.jar").touch()
    assert f"{tmp_path}/hadoop-aws-3.5.0.jar" in submission_conf(spark("local[2]"), REQUEST)["spark.jars"]
