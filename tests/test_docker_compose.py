"""docker-compose.yaml, the Dockerfile and .dockerignore, as they are written. What docker itself makes of them is not tried here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from launcher import credentials
from launcher.container_health import PARTS
from launcher.environment import airflow_environment, lake_environment
from launcher.layout import REPOSITORY, jars_folder
from tests.debian_packages import require_package

TEXT = (REPOSITORY / "docker-compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
ENDS = {"airflow-init", "s3-init"}
"""Services that do their work and end."""
AIRFLOW = {"airflow-init", "airflow-apiserver", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"}
SPARK = {"spark-master", "spark-worker-1", "spark-worker-2", "spark-connect"}
S3 = {"s3-init", "s3"}
"""Those of the profile s3."""
OTHERS = {"postgres", "s3"}
"""Services of other images than the lake's."""
SECRETS = set(credentials._compose_secrets()) - {"AIRFLOW_UID"}
REFUSES = ":?run make secrets first}"

every_service = pytest.mark.parametrize("name", SERVICES)
needs_docker_compose = pytest.mark.usefixtures("docker_compose")


@pytest.fixture
def docker_compose():
    """On PATH."""
    require_package("docker-compose", is_here=shutil.which("docker-compose") is not None)


def default(text):
    """The value where no variable is set: `${NAME:-value}` is `value`."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def image_environment():
    """The variables of the image's last stage."""
    block = re.search(r"^ENV (.*?[^\\])$", DOCKERFILE, re.MULTILINE | re.DOTALL).group(1)
    return dict(re.findall(r"(\w+)=(\S+)", block))


def test_the_services_are_named_as_in_airflows_own_file():
    assert set(SERVICES) == {*AIRFLOW, *SPARK, *S3, "mlflow", "postgres"}
    for name in set(SERVICES) - {"postgres"}:
        assert SERVICES[name]["hostname"] == name


@every_service
def test_a_published_port_is_on_the_loopback_interface(name):
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", default(port)), port


@every_service
def test_only_what_is_published_is_on_a_network_with_a_way_out(name):
    assert COMPOSE["networks"]["lake"] == {"internal": True}
    assert SERVICES[name]["networks"] == (["lake", "pages"] if "ports" in SERVICES[name] else ["lake"])


@every_service
def test_an_image_has_a_pinned_tag(name):
    image = default(SERVICES[name]["image"])
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+[\w.-]*", image), image


def test_the_base_image_is_an_argument_with_a_pinned_tag():
    base = re.search(r"^ARG BASE_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE).group(1)
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", base)
    assert re.findall(r"^FROM (.+)", DOCKERFILE, re.MULTILINE) == ["${BASE_IMAGE} AS build", "${BASE_IMAGE} AS lake", "lake AS kubernetes", "lake"]
    assert default(SERVICES["mlflow"]["build"]["args"]["BASE_IMAGE"]) == base


@every_service
def test_a_secret_is_never_written_down_and_has_no_default(name):
    for variable, value in SERVICES[name].get("environment", {}).items():
        secret = re.search(r"PASSWORD$|SECRET|FERNET_KEY|TOKEN", variable)
        if secret:
            assert re.fullmatch(r"\$\{\w+" + re.escape(REFUSES), value), variable
        if "@" in value:
            assert re.search(r"://\w+:\$\{\w+_DB_PASSWORD" + re.escape(REFUSES) + "@", value), variable


def test_make_secrets_writes_what_the_file_asks_for_and_nothing_else():
    asked = set(re.findall(r"\$\{(\w+):\?", TEXT))
    assert asked == set(credentials._compose_secrets())
    assert set(re.findall(r"\$\{(\w+)" + re.escape(REFUSES), TEXT)) == asked
    assert not asked & set(re.findall(r"\$\{(\w+)(?:\}|:-)", TEXT))


def test_a_program_gets_no_secret_of_another():
    holders = {secret: {name for name, service in SERVICES.items() if secret in str(service.get("environment"))} for secret in SECRETS}
    assert holders["POSTGRES_PASSWORD"] == {"postgres", "airflow-init"}
    assert holders["MLFLOW_DB_PASSWORD"] == {"mlflow", "airflow-init"}
    assert holders["METASTORE_DB_PASSWORD"] == {"spark-connect", "airflow-init"}
    assert holders["AIRFLOW_JWT_SECRET"] == {"airflow-apiserver", "airflow-scheduler"}
    assert holders["AIRFLOW_API_SECRET_KEY"] == holders["AIRFLOW_ADMIN_PASSWORD"] == {"airflow-apiserver"}
    assert holders["AIRFLOW_DB_PASSWORD"] == holders["LEDGER_DB_PASSWORD"] == holders["AIRFLOW_FERNET_KEY"] == AIRFLOW
    assert holders["SPARK_AUTH_SECRET"] == SPARK
    assert holders["S3_ACCESS_KEY"] == holders["S3_SECRET_KEY"] == {"s3", "airflow-apiserver", "airflow-scheduler"}


def test_an_s3_server_is_there_only_for_whoever_asks_for_it():
    assert {name for name, service in SERVICES.items() if "profiles" in service} == S3
    assert {tuple(SERVICES[name]["profiles"]) for name in S3} == {("s3",)}
    assert not {needed for name in set(SERVICES) - S3 for needed in SERVICES[name].get("depends_on", {})} & S3
    connection = json.loads(re.sub(r"\$\{(\w+):\?[^}]*\}", r"the \1", SERVICES["airflow-scheduler"]["environment"]["AIRFLOW_CONN_LAKE_S3"]))
    assert (connection["login"], connection["password"]) == ("the S3_ACCESS_KEY", "the S3_SECRET_KEY")
    assert connection["extra"]["endpoint_url"] == "http://s3:7070"


@every_service
def test_a_container_may_do_nothing_that_it_need_not(name):
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert service["init"] is True
    assert service["pids_limit"]
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["user"] == ("postgres" if name == "postgres" else "${AIRFLOW_UID" + REFUSES + ":0")
    assert not {"privileged", "network_mode", "pid", "ipc", "cap_add", "devices"} & set(service)
    assert "docker.sock" not in str(service.get("volumes"))


@every_service
def test_a_service_that_stays_has_a_health_check(name):
    if name in ENDS:
        assert SERVICES[name]["restart"] == "no"
        return
    check = SERVICES[name]["healthcheck"]
    assert {"test", "interval", "timeout", "retries", "start_period"} <= set(check)
    assert SERVICES[name]["restart"] == "unless-stopped"
    if name not in OTHERS:
        assert check["test"][:-1] == ["CMD", "python", "-m", "launcher.container_health"]
        assert check["test"][-1] == re.sub(r"-\d$", "", name)
        assert check["test"][-1] in PARTS


@every_service
def test_a_service_waits_until_what_it_needs_is_ready(name):
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        assert how == {"condition": "service_completed_successfully" if needed in ENDS else "service_healthy"}


def test_the_lake_is_one_volume_at_one_path_wherever_tables_are_read_or_written():
    def who_has(volume):
        return {name for name, service in SERVICES.items() if volume in service.get("volumes", [])}

    assert who_has("lake:/lake/data") == {"airflow-scheduler", "spark-worker-1", "spark-worker-2", "spark-connect"}
    assert who_has("lake:/lake/data:ro") == {"airflow-apiserver"}  # for the quality reports
    assert who_has("${LAKE_LANDING:-./landing}:/lake/landing:ro") == {"airflow-scheduler"}
    assert (image_environment()["LAKE_ROOT"], image_environment()["LAKE_LANDING"]) == ("/lake/data", "/lake/landing")


def test_a_folder_that_a_volume_covers_is_made_in_the_image_so_that_its_owner_is_right():
    made = set(re.search(r"install -d [^/]*(/.*)", DOCKERFILE).group(1).split())
    covered = {volume.split(":")[-1 if volume.startswith("/") else 1] for name in {*AIRFLOW, *SPARK, "mlflow"} for volume in SERVICES[name].get("volumes", [])}
    assert {default(path) for path in covered if path.startswith("/")} <= made


def test_airflow_in_containers_is_set_as_on_one_machine():
    here, there = airflow_environment(), SERVICES["airflow-scheduler"]["environment"] | SERVICES["airflow-apiserver"]["environment"] | image_environment()
    assert set(here) <= set(there)
    places = {name for name in here if re.search(r"HOME|FOLDER|DIRECTORY|FILE$|URL|HOST$|CONN|PORT$", name) and "PERMISSIONS" not in name}
    assert {name: default(there[name]) for name in set(here) - places} == {name: here[name] for name in set(here) - places}


def test_the_libraries_switches_are_those_of_one_machine():
    # What only the launcher needs, and the addresses of its own three servers.
    own = {"LAKE_STATE", "LAKE_AIRFLOW_URL", "LAKE_SPARK_URL", "LAKE_MLFLOW_URL", "SPT_NOENV", "_MLFLOW_SERVER_ARTIFACT_ROOT"}
    here, there = lake_environment(), SERVICES["airflow-scheduler"]["environment"] | image_environment()
    assert set(here) - own <= set(there)
    for name in ("MLFLOW_DISABLE_TELEMETRY", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "GX_ANALYTICS_ENABLED", "TZ"):
        assert there[name] == here[name]


def copied(stage):
    """What `COPY` lines take from the build's context."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", stage, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def test_the_image_takes_what_it_needs_and_nothing_that_is_not_listed():
    ignore = [line for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert ignore[0] == "*"
    let_in = {line[1:] for line in ignore if line.startswith("!")}
    assert {source.split("/")[0] for source in copied(DOCKERFILE)} == let_in
    assert all((REPOSITORY / name).exists() for name in let_in)
    assert not let_in & {".", ".env", ".git", ".lake", "landing", "data_lake"}


def test_what_the_image_copies_first_is_enough_to_fetch_the_jars(tmp_path):
    if not jars_folder().exists():
        pytest.skip("the jars are not here: make setup")
    for source in copied(DOCKERFILE.split("RUN python3.11 -m launcher.set_up")[0]):
        target = tmp_path / source
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (REPOSITORY / source).is_dir() else shutil.copy)(REPOSITORY / source, target)
    environment = {"PATH": os.defpath, "LAKE_JARS": str(jars_folder())}
    for command in (["jars"], ["secrets"]):
        done = subprocess.run([sys.executable, "-m", "launcher", *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def docker_compose_config(folder):
    (folder / "docker-compose.yaml").write_text(TEXT)
    own = {*credentials._compose_secrets(), "PYTHONPATH"}
    environment = {name: value for name, value in os.environ.items() if name not in own and not name.startswith("COMPOSE_")}
    command = ["docker-compose", "-f", "docker-compose.yaml", "config", "-q"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@needs_docker_compose
def test_docker_compose_accepts_the_file_with_the_secrets_that_make_secrets_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(credentials, "COMPOSE_SECRETS", tmp_path / ".env")
    credentials.ensure_compose_secrets()
    done = docker_compose_config(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_docker_compose
def test_docker_compose_refuses_without_secrets_and_says_what_to_run(tmp_path):
    done = docker_compose_config(tmp_path)
    assert done.returncode != 0
    assert "run make secrets first" in done.stderr
