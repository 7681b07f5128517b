"""What a task of Airflow reaches, asked as `make doctor` asks it: by the connections, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from expectations.errors import RequestError, TransientError
from launcher.doctor.connections import as_airflow
from launcher.errors import LauncherError
from launcher.layout import REPOSITORY
from medallion.reachability import main
from medallion.spark_connection import require_master
from medallion.yarn_site import resource_managers
from tests.free_ports import free_port

SECRET = secrets.token_hex()


def connection(monkeypatch: pytest.MonkeyPatch, **facts: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_LAKE", json.dumps(facts))


def look(part: str, **changed: str) -> str:
    return as_airflow(part, {**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY}/plugins", **changed}, 60)


def site(folder: Path, **properties: str) -> None:
    rows = "".join(f"<property><name>yarn.resourcemanager.{name}</name><value>{value}</value></property>" for name, value in properties.items())
    (folder / "yarn-site.xml").write_text(f"<configuration>{rows}</configuration>")


@pytest.fixture
def submit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A spark-submit on PATH that is never started, and Hadoop's configuration in the test's folder."""
    (tmp_path / "spark-submit").touch(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("HADOOP_CONF_DIR", str(tmp_path))


def look_here(part: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **changed: str) -> tuple[int, str]:
    """The exit code and the last line of the same in this process: most of the time of another one is Airflow's import."""
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    code = main([part])
    return code, capsys.readouterr().out.splitlines()[-1]


def test_root_and_landing_are_written_and_left_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "landing").mkdir()
    assert look("root") == f"{tmp_path}/root: written and deleted a small file"
    found = look_here("landing", monkeypatch, capsys, LAKE_LANDING=f"{tmp_path}/landing")
    assert found == (0, f"{tmp_path}/landing: read, and written and deleted a small file")
    found = look_here("landing", monkeypatch, capsys, LAKE_LANDING=f"{tmp_path}/nowhere")
    assert found == (0, f"{tmp_path}/nowhere: not there yet, whoever lands the first file makes it")
    assert [list((tmp_path / folder).iterdir()) for folder in ("root", "landing")] == [[], []]
    assert not (tmp_path / "nowhere").exists()


def test_a_landing_folder_that_is_only_read_is_no_fault_and_a_root_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    folder = "/proc/self/attr"  # nobody can make a file there
    found = look_here("landing", monkeypatch, capsys, LAKE_LANDING=folder)
    assert found == (0, f"{folder}: read; not written from here, which only those need who land files")
    assert look_here("root", monkeypatch, capsys, LAKE_ROOT=folder)[0] == 1


def test_a_root_that_cannot_be_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    code, said = look_here("root", monkeypatch, capsys, LAKE_ROOT=f"{tmp_path}/file/root")
    assert code == 1
    assert re.search(rf"^{tmp_path}/file/root cannot be used: .*; check the address and the rights on it\.$", said)


def test_a_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        connection(monkeypatch, conn_type="spark_connect", host="127.0.0.1", port=hanging.getsockname()[1], extra={"token": SECRET})
        with pytest.raises(LauncherError, match=r"^no answer within 1 s: see whether its host is reached from here, and whether it is busy\.$"):
            as_airflow("spark", {**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY}/plugins"}, 1)


def test_a_connection_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(LauncherError, match="there is no Airflow connection 'nowhere'; add it with the type spark_connect"):
        look("spark", LAKE_CONNECTION="nowhere")


@pytest.mark.usefixtures("airflow_database")
def test_a_connection_that_somebody_made_on_airflows_page_is_found_too() -> None:
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session

    with create_session() as session:
        session.add(Connection(conn_id="of_the_page", conn_type="spark", host="yarn"))
    with pytest.raises(LauncherError, match=r"^HADOOP_CONF_DIR is not set: spark-submit finds YARN by the yarn-site\.xml in the folder that HADOOP_CONF_DIR"):
        look("spark", LAKE_CONNECTION="of_the_page", HADOOP_CONF_DIR="", YARN_CONF_DIR="", PATH=f"{Path(sys.executable).parent}:/usr/bin:/bin")


def test_what_the_lock_brings_is_missed_in_a_python_of_the_jobs_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection(monkeypatch, conn_type="spark_connect", host="127.0.0.1", port=server.getsockname()[1])
        found = look_here("spark", monkeypatch, capsys, LAKE_PYTHON="/bin/false")
    assert found == (1, "/bin/false -m spark_jobs.lake.agreement ended with 1; the packages of the lock are missing there.")


@pytest.mark.usefixtures("submit")
def test_a_master_that_answers_is_named_with_what_submits_to_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for host, said in {
            "spark://127.0.0.1": f"the Spark master at 127.0.0.1:{port}",
            f"spark://127.0.0.1:{free_port()},127.0.0.1:{port}": f"the Spark master at 127.0.0.1:{port}",
            f"k8s://https://127.0.0.1:{port}": f"the Kubernetes API server at 127.0.0.1:{port}",
            "yarn": f"YARN's ResourceManager at 127.0.0.1:{port}",
            "local[2]": "local[2]",
        }.items():
            site(tmp_path, address=f"127.0.0.1:{port}")
            connection(monkeypatch, conn_type="spark", host=host, **({"port": port} if host == "spark://127.0.0.1" else {}))
            assert require_master("spark_lake") == f"spark-submit to {said}"


@pytest.mark.usefixtures("submit")
@pytest.mark.parametrize(
    ("host", "what"),
    [("spark://127.0.0.1:{}", "Spark master"), ("k8s://https://127.0.0.1:{}", "Kubernetes API server"), ("yarn", "ResourceManager of YARN")],
)
def test_a_master_that_is_not_there_is_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str, what: str) -> None:
    port = free_port()
    site(tmp_path, address=f"127.0.0.1:{port}")
    connection(monkeypatch, conn_type="spark", host=host.format(port), password=SECRET)
    with pytest.raises(TransientError) as caught:
        require_master("spark_lake")
    assert str(caught.value) == f"no {what} answers at 127.0.0.1:{port} (Connection refused); start it, or mend the Airflow connection 'spark_lake'."


@pytest.mark.usefixtures("submit")
def test_a_host_that_is_none_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    connection(monkeypatch, conn_type="spark", host="spark://spark.invalid")
    with pytest.raises(TransientError, match=r"^no Spark master answers at spark\.invalid:7077 \(.+\); start it, or mend the Airflow connection"):
        require_master("spark_lake")


def test_without_a_spark_submit_nothing_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    connection(monkeypatch, conn_type="spark", host="local[2]")
    with pytest.raises(RequestError, match=r"^there is no spark-submit on PATH; add the folder of the environment's programs \(\.venv/bin\), or mend"):
        require_master("spark_lake")


@pytest.mark.parametrize(
    ("properties", "places"),
    [
        ({"hostname": "manager"}, [("manager", 8032)]),
        ({"hostname": "manager", "address": "${yarn.resourcemanager.hostname}:9032"}, [("manager", 9032)]),
        ({"ha.rm-ids": "one, two", "hostname.one": "first", "address.two": "second:1"}, [("first", 8032), ("second", 1)]),
    ],
)
def test_yarn_is_found_as_spark_submit_finds_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, properties: dict[str, str], places: list[Any]) -> None:
    site(tmp_path, **properties)
    monkeypatch.delenv("HADOOP_CONF_DIR", raising=False)
    monkeypatch.setenv("YARN_CONF_DIR", str(tmp_path))
    assert resource_managers() == places


def test_yarn_without_a_configuration_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("YARN_CONF_DIR", raising=False)
    monkeypatch.setenv("HADOOP_CONF_DIR", "")
    with pytest.raises(RequestError, match=r"^HADOOP_CONF_DIR is not set: spark-submit finds YARN by the yarn-site\.xml"):
        resource_managers()
    monkeypatch.setenv("HADOOP_CONF_DIR", str(tmp_path))
    with pytest.raises(RequestError, match=rf"^there is no yarn-site\.xml in {tmp_path}: "):
        resource_managers()
    site(tmp_path)
    with pytest.raises(RequestError, match=r"yarn-site\.xml names no ResourceManager; write yarn\.resourcemanager\.hostname"):
        resource_managers()
