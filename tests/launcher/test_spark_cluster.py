import os
import socket
import subprocess
import sys

import pytest

from launcher.errors import LauncherError
from launcher.layout import REPOSITORY
from launcher.spark_cluster import CONFIGURATION, command, environment, write_properties


@pytest.fixture(autouse=True)
def cluster(tmp_path, monkeypatch):
    for name in ("SPARK_MASTER_HOST", "SPARK_EXECUTOR_MEMORY", "SPARK_WORKER_CORES", "LAKE_SPARK_MEMORY", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    java = tmp_path / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.touch()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "java"))
    monkeypatch.setenv("LAKE_JARS", str(tmp_path / "jars"))
    monkeypatch.setenv("SPARK_SCRATCH", str(tmp_path))
    monkeypatch.setenv("SPARK_AUTH_SECRET", "s3cret")
    return tmp_path


def test_the_master_listens_where_the_others_look_for_it(cluster):
    found = command("master", cluster / "p")
    assert found[0] == f"{cluster}/java/bin/java"
    assert found[found.index("org.apache.spark.deploy.master.Master") :] == [
        "org.apache.spark.deploy.master.Master",
        *["--host", socket.gethostname(), "--properties-file", f"{cluster}/p", "--port", "7077", "--webui-port", "8080"],
    ]


def test_a_worker_offers_its_share_to_the_master(cluster, monkeypatch):
    monkeypatch.setenv("SPARK_WORKER_CORES", "3")
    monkeypatch.setenv("SPARK_EXECUTOR_MEMORY", "2g")
    found = command("worker", cluster / "p")
    share = found[found.index("org.apache.spark.deploy.worker.Worker") :]
    assert share[share.index("--cores") :] == [
        "--cores",
        "3",
        "--memory",
        "2g",
        "--webui-port",
        "8081",
        "--work-dir",
        f"{cluster}/work",
        "spark://spark-master:7077",
    ]


def test_the_connect_server_works_on_the_cluster(cluster):
    found = command("connect", cluster / "p")
    assert found[found.index("--master") + 1] == "spark://spark-master:7077"
    assert found[-1] == "spark-internal"
    assert "-Xmx1536m" in found


@pytest.mark.parametrize("role", ["master", "worker", "connect"])
def test_no_secret_is_in_a_command_or_an_environment(cluster, role):
    assert "s3cret" not in " ".join(command(role, cluster / "p"))
    assert "s3cret" not in environment().values()


def test_the_properties_hold_the_secret_for_the_owner_alone(cluster):
    file = write_properties(cluster)
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert file.read_text().startswith(CONFIGURATION.read_text())
    own = dict(line.split(maxsplit=1) for line in file.read_text().removeprefix(CONFIGURATION.read_text()).splitlines())
    assert own["spark.authenticate.secret"] == "s3cret"
    assert own["spark.driver.host"] == socket.gethostname()
    assert own["spark.executor.extraClassPath"] == f"{cluster}/jars/*"
    assert own["spark.executorEnv.PYTHONPATH"] == str(REPOSITORY)


def test_a_metastore_of_everybodys_is_told_in_the_properties_and_an_embedded_one_to_nobody(cluster, monkeypatch):
    monkeypatch.setenv("LAKE_METASTORE", "postgresql://ada:w0rd@db/names")
    assert "\nspark.hadoop.javax.jdo.option.ConnectionPassword=w0rd\n" in write_properties(cluster).read_text()
    assert "w0rd" not in " ".join(command("connect", cluster / "p"))
    monkeypatch.setenv("LAKE_METASTORE", "embedded")
    assert "spark.lake.metastore" not in write_properties(cluster).read_text()


def test_the_cluster_reads_tables_as_the_local_server_does():
    def settings(file):
        return dict(line.split(maxsplit=1) for line in file.read_text().splitlines() if line and not line.startswith("#"))

    local, cluster = settings(REPOSITORY / "launcher" / "spark-local.conf"), settings(CONFIGURATION)
    for name in ("spark.sql.extensions", "spark.sql.catalog.spark_catalog", "spark.sql.catalogImplementation", "spark.sql.session.timeZone"):
        assert cluster[name] == local[name]
    assert cluster["spark.authenticate"] == "true"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SPARK_EXECUTOR_MEMORY", "lots", "SPARK_EXECUTOR_MEMORY must be a number with g or m, as in 1g, found 'lots'"),
        ("SPARK_WORKER_CORES", "0", "SPARK_WORKER_CORES must be a whole number from 1 up, found '0'"),
        ("SPARK_WORKER_WEBUI_PORT", "70000", "SPARK_WORKER_WEBUI_PORT must be a port, found '70000'"),
        ("JAVA_HOME", "/nowhere", "JAVA_HOME must name a Java 17 or 21, found '/nowhere'"),
    ],
)
def test_a_wrong_setting_is_one_sentence(cluster, monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    with pytest.raises(LauncherError, match=words):
        command("worker", cluster / "p")


def test_several_clusters_fit_on_one_machine(cluster, monkeypatch):
    for name, value in {
        "SPARK_MASTER_PORT": "7177",
        "SPARK_MASTER_WEBUI_PORT": "8180",
        "LAKE_SPARK_PORT": "15102",
        "SPARK_LOCAL_HOSTNAME": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    master = command("master", cluster / "p")
    assert master[master.index("--host") + 1] == "127.0.0.1"
    assert master[master.index("--port") :] == ["--port", "7177", "--webui-port", "8180"]
    assert command("worker", cluster / "p")[-1] == "spark://spark-master:7177"
    own = dict(line.split(maxsplit=1) for line in write_properties(cluster).read_text().splitlines() if line and not line.startswith("#"))
    assert (own["spark.connect.grpc.binding.port"], own["spark.driver.host"]) == ("15102", "127.0.0.1")


def test_without_a_secret_nothing_starts(cluster, monkeypatch):
    monkeypatch.delenv("SPARK_AUTH_SECRET")
    with pytest.raises(LauncherError, match="make secrets"):
        write_properties(cluster)


def test_an_unknown_part_is_one_sentence():
    jars = REPOSITORY / ".lake" / "jars"
    if not jars.exists():
        pytest.skip("the jars are not here: make setup")
    run = [sys.executable, "-m", "launcher.spark_cluster", "history"]
    done = subprocess.run(run, cwd=REPOSITORY, env={**os.environ, "LAKE_JARS": str(jars)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "There is no part 'history' of a cluster: there are master, worker, connect.\n")
