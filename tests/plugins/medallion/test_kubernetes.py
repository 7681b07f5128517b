"""Jobs on Kubernetes: the exact command that the provider's own hook makes of a connection, in both modes. Nothing is submitted."""

from __future__ import annotations

import json
import secrets
import sys
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook

from expectations.errors import RequestError
from expectations.jobs import JobRequest
from launcher.layout import REPOSITORY
from medallion.on_kubernetes import HOME, JARS, PYTHON
from medallion.spark_connection import spark_connection
from medallion.submission import RUN, application_of, driver_variables, private_properties, submission_conf

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = JobRequest(verb="build", name="silver.visits", run_id="shop_daily/manual__1", days="2013-01-01..2013-01-02")
PASSWORD = secrets.token_hex()
CONF = {
    "spark.kubernetes.container.image": "registry.example/medallion-lake:0.1.0",
    "spark.kubernetes.authenticate.driver.serviceAccountName": "spark",
    "spark.kubernetes.driver.secretKeyRef.LAKE_LEDGER_URL": "lake:LAKE_LEDGER_URL",
    "spark.executor.instances": 2,
}
ENGINE = [
    *["--conf", "spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension"],
    *["--conf", "spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog"],
    *["--conf", "spark.sql.session.timeZone=UTC"],
    *["--conf", "spark.driver.defaultJavaOptions=-XX:-DontCompileHugeMethods"],
    *["--conf", "spark.executor.defaultJavaOptions=-XX:-DontCompileHugeMethods"],
]
ARGUMENTS = ["build", "silver.visits", "--run", "shop_daily/manual__1", "--days", "2013-01-01..2013-01-02"]


@pytest.fixture(autouse=True)
def lake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A lake on S3 with a ledger on Postgres, and the jars of a machine that submits."""
    for name in ("delta.jar", "hadoop-aws-3.5.0.jar"):
        (tmp_path / name).touch()
    monkeypatch.delenv("HADOOP_USER_NAME", raising=False)
    monkeypatch.setenv("LAKE_JARS", str(tmp_path))
    monkeypatch.setenv("LAKE_ROOT", "s3a://lake/tables")
    monkeypatch.setenv("LAKE_LANDING", "s3a://lake/landing")
    monkeypatch.setenv("LAKE_LEDGER_URL", f"postgresql+psycopg2://lake:{PASSWORD}@ledger/lake")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:5000")


def submitted(monkeypatch: pytest.MonkeyPatch, mode: str, conf: dict[str, Any]) -> list[str]:
    """What would be submitted for a table."""
    extra = {"deploy-mode": mode, "namespace": "lake", "spark-binary": "spark-submit", "conf": conf}
    facts = {"conn_type": "spark", "host": "k8s://https://kubernetes.example:6443", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_LAKE", json.dumps(facts))
    connection = spark_connection("spark_lake")
    with private_properties(connection) as file:
        assert file is None
    hook = SparkSubmitHook(
        conf=submission_conf(connection, REQUEST),
        conn_id="spark_lake",
        env_vars=driver_variables(connection),
        application_args=REQUEST.to_arguments(),
        name="silver.visits",
    )
    return hook._build_spark_submit_command(application_of(connection))


def test_a_driver_in_a_pod_is_submitted_by_exactly_this_and_no_secret_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    command = submitted(monkeypatch, "cluster", CONF)
    assert command == [
        *["spark-submit", "--master", "k8s://https://kubernetes.example:6443"],
        *ENGINE,
        *["--conf", "spark.redaction.regex=(?i)secret|password|token|access[.]?key|ledger_url"],
        *["--conf", "spark.driver.extraClassPath=/opt/lake/.lake/jars/*"],
        *["--conf", "spark.executor.extraClassPath=/opt/lake/.lake/jars/*"],
        *["--conf", "spark.pyspark.python=/opt/lake/.venv/bin/python"],
        *["--conf", "spark.pyspark.driver.python=/opt/lake/.venv/bin/python"],
        *["--conf", "spark.executorEnv.LAKE_ENV=dev"],
        *["--conf", "spark.executorEnv.LAKE_ROOT=s3a://lake/tables"],
        *["--conf", "spark.executorEnv.LAKE_LANDING=s3a://lake/landing"],
        *["--conf", "spark.executorEnv.LAKE_METASTORE=off"],
        *["--conf", "spark.executorEnv.MLFLOW_TRACKING_URI=http://mlflow:5000"],
        *["--conf", "spark.kubernetes.container.image=registry.example/medallion-lake:0.1.0"],
        *["--conf", "spark.kubernetes.authenticate.driver.serviceAccountName=spark"],
        *["--conf", "spark.kubernetes.driver.secretKeyRef.LAKE_LEDGER_URL=lake:LAKE_LEDGER_URL"],
        *["--conf", "spark.executor.instances=2"],
        *["--conf", "spark.kubernetes.driverEnv.LAKE_ENV=dev"],
        *["--conf", "spark.kubernetes.driverEnv.LAKE_ROOT=s3a://lake/tables"],
        *["--conf", "spark.kubernetes.driverEnv.LAKE_LANDING=s3a://lake/landing"],
        *["--conf", "spark.kubernetes.driverEnv.LAKE_METASTORE=off"],
        *["--conf", "spark.kubernetes.driverEnv.MLFLOW_TRACKING_URI=http://mlflow:5000"],
        *["--conf", "spark.kubernetes.namespace=lake"],
        *["--name", "silver.visits", "--deploy-mode", "cluster"],
        "local:///opt/lake/spark_jobs/run.py",
        *ARGUMENTS,
    ]
    assert PASSWORD not in " ".join(command)


def test_a_driver_in_a_pod_is_told_of_a_metastore_that_everybody_may_see(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_METASTORE", f"postgresql://ada:{PASSWORD}@db/names")
    command = submitted(monkeypatch, "cluster", CONF)  # which also looks that nothing is said in private
    assert "spark.kubernetes.driverEnv.LAKE_METASTORE=off" in command


def test_a_driver_here_with_executors_in_pods_is_submitted_by_exactly_this(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    command = submitted(monkeypatch, "client", {"spark.kubernetes.container.image": "registry.example/medallion-lake:0.1.0", "spark.driver.host": "airflow"})
    assert command == [
        *["spark-submit", "--master", "k8s://https://kubernetes.example:6443"],
        *ENGINE,
        *["--conf", f"spark.driver.extraClassPath={tmp_path}/delta.jar:{tmp_path}/hadoop-aws-3.5.0.jar"],
        *["--conf", "spark.executor.extraClassPath=/opt/lake/.lake/jars/*"],
        *["--conf", "spark.pyspark.python=/opt/lake/.venv/bin/python"],
        *["--conf", f"spark.pyspark.driver.python={sys.executable}"],
        *["--conf", "spark.executorEnv.LAKE_ENV=dev"],
        *["--conf", "spark.executorEnv.LAKE_ROOT=s3a://lake/tables"],
        *["--conf", "spark.executorEnv.LAKE_LANDING=s3a://lake/landing"],
        *["--conf", "spark.executorEnv.LAKE_METASTORE=off"],
        *["--conf", "spark.executorEnv.MLFLOW_TRACKING_URI=http://mlflow:5000"],
        *["--conf", "spark.kubernetes.container.image=registry.example/medallion-lake:0.1.0"],
        *["--conf", "spark.driver.host=airflow"],
        *["--conf", "spark.kubernetes.namespace=lake"],
        *["--name", "silver.visits", "--deploy-mode", "client"],
        str(RUN),
        *ARGUMENTS,
    ]
    assert PASSWORD not in " ".join(command)


def test_what_pods_are_told_of_the_image_is_where_the_dockerfile_puts_it() -> None:
    dockerfile = (REPOSITORY / "Dockerfile").read_text()
    assert {f"LAKE_PROJECT={HOME}", f"LAKE_JARS={JARS.removesuffix('/*')}", f"PYSPARK_PYTHON={PYTHON}"} <= set(dockerfile.split())


def test_executors_in_pods_act_on_hdfs_as_the_driver_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HADOOP_USER_NAME", "ada")
    command = submitted(monkeypatch, "cluster", CONF)
    assert {"spark.executorEnv.HADOOP_USER_NAME=ada", "spark.kubernetes.driverEnv.HADOOP_USER_NAME=ada"} <= set(command)


@pytest.mark.parametrize(
    ("mode", "left_out", "named"),
    [
        ("client", "spark.kubernetes.container.image", "spark.kubernetes.container.image"),
        ("cluster", "spark.kubernetes.driver.secretKeyRef.LAKE_LEDGER_URL", "spark.kubernetes.driver.secretKeyRef.LAKE_LEDGER_URL"),
    ],
)
def test_what_a_pod_cannot_do_without_is_named(monkeypatch: pytest.MonkeyPatch, mode: str, left_out: str, named: str) -> None:
    with pytest.raises(RequestError) as caught:
        submitted(monkeypatch, mode, {name: value for name, value in CONF.items() if name != left_out})
    sentence = f"the Airflow connection 'spark_lake' leads to Kubernetes, for which `conf` in its extra must name {named}; see docs/clusters/kubernetes.md."
    assert str(caught.value) == sentence


def test_without_the_client_of_kubernetes_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medallion.on_kubernetes.find_spec", lambda _: None)  # the package is here; only the look-up is changed
    with pytest.raises(RequestError, match="needs the extra kubernetes: install apache-airflow-providers-cncf-kubernetes"):
        submitted(monkeypatch, "cluster", CONF)
