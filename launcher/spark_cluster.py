"""`python -m launcher.spark_cluster master|worker|connect`: becomes one part of a Spark standalone cluster, as in docker-compose.yaml.

Unlike the local server it needs a whole Java under JAVA_HOME: Spark starts its executors with a module that the Java of the
wheel lacks.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import tempfile
from pathlib import Path

from expectations.errors import LakeError
from expectations.metastore import as_properties
from expectations.settings import load_settings
from launcher.credentials import write_private
from launcher.errors import LauncherError
from launcher.jars import require_jars
from launcher.layout import REPOSITORY, jars_folder
from launcher.spark_server import JAVA_OPTIONS, SERVER_CLASS, SUBMIT_CLASS, package_folder, server_class_path

CONFIGURATION = REPOSITORY / "launcher" / "spark-cluster.conf"
MASTER_CLASS = "org.apache.spark.deploy.master.Master"
WORKER_CLASS = "org.apache.spark.deploy.worker.Worker"
MASTER_PORT, CONNECT_PORT, MASTER_PAGE, WORKER_PAGE = 7077, 15002, 8080, 8081
DAEMON_MEMORY = "384m"


def command(role: str, properties: Path) -> list[str]:
    """The whole command of one role; `properties` is the file that `write_properties` wrote. Raises LauncherError for an unknown role."""
    host = _host()
    port = _port("SPARK_MASTER_PORT", MASTER_PORT)
    master = f"spark://{os.environ.get('SPARK_MASTER_HOST') or 'spark-master'}:{port}"
    places = ["--host", host, "--properties-file", str(properties)]
    if role == "master":
        return [*_java(DAEMON_MEMORY), MASTER_CLASS, *places, "--port", port, "--webui-port", _port("SPARK_MASTER_WEBUI_PORT", MASTER_PAGE)]
    if role == "worker":
        share = ["--cores", _count("SPARK_WORKER_CORES", "1"), "--memory", _memory("SPARK_EXECUTOR_MEMORY", "1g")]
        share += ["--webui-port", _port("SPARK_WORKER_WEBUI_PORT", WORKER_PAGE)]
        return [*_java(DAEMON_MEMORY), WORKER_CLASS, *places, *share, "--work-dir", f"{_scratch()}/work", master]
    if role == "connect":
        submit = [SUBMIT_CLASS, "--master", master, "--properties-file", str(properties), "--class", SERVER_CLASS]
        return [*_java(_memory("LAKE_SPARK_MEMORY", "1536m")), *submit, "--name", "medallion-lake", "spark-internal"]
    raise LauncherError(f"There is no part {role!r} of a cluster: there are master, worker, connect.")


def write_properties(folder: Path) -> Path:
    """spark-cluster.conf, this machine's places and the cluster's secret, in a file of the owner's: a command line is seen by everybody.

    Raises LauncherError where SPARK_AUTH_SECRET is not set.
    """
    secret = os.environ.get("SPARK_AUTH_SECRET")
    if not secret:
        raise LauncherError("SPARK_AUTH_SECRET is not set: `make secrets` writes it into .env, and docker-compose passes it on.")
    own = {
        "spark.authenticate.secret": secret,
        "spark.driver.host": _host(),
        "spark.connect.grpc.binding.port": _port("LAKE_SPARK_PORT", CONNECT_PORT),
        "spark.executor.memory": _memory("SPARK_EXECUTOR_MEMORY", "1g"),
        "spark.executor.extraClassPath": str(jars_folder() / "*"),
        "spark.executorEnv.PYTHONPATH": os.environ.get("PYTHONPATH") or str(REPOSITORY),
        "spark.local.dir": _scratch(),
        "spark.sql.warehouse.dir": f"{_scratch()}/warehouse",
    }
    metastore = as_properties(load_settings().metastore.settings)  # an embedded one would go with the container
    file = folder / "spark.properties"
    write_private(file, CONFIGURATION.read_text() + "".join(f"{name} {value}\n" for name, value in own.items()) + metastore)
    return file


def environment() -> dict[str, str]:
    """This process's variables and what Spark looks for in its own; the secret is in the properties, and executors get it from the worker."""
    inherited = {name: value for name, value in os.environ.items() if name != "SPARK_AUTH_SECRET"}
    spark = {"SPARK_HOME": str(package_folder("pyspark")), "SPARK_SCALA_VERSION": "2.13", "SPARK_LOCAL_DIRS": _scratch()}
    return {**inherited, **spark, "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}


def _java(memory: str) -> list[str]:
    home = os.environ.get("JAVA_HOME")
    if not home or not Path(home, "bin", "java").is_file():
        raise LauncherError(f"JAVA_HOME must name a Java 17 or 21, found {home!r}: a cluster's executors do not start on the Java of the wheel.")
    options = [f"-Xmx{memory}", "-XX:+ExitOnOutOfMemoryError", "-Duser.timezone=UTC", f"-Djava.io.tmpdir={tempfile.gettempdir()}"]
    return [f"{home}/bin/java", *options, *JAVA_OPTIONS, "-cp", server_class_path()]


def _scratch() -> str:
    return os.environ.get("SPARK_SCRATCH") or tempfile.gettempdir()


def _host() -> str:
    """SPARK_LOCAL_HOSTNAME, which is Spark's own name for it, else this machine's name."""
    return os.environ.get("SPARK_LOCAL_HOSTNAME") or socket.gethostname()


def _port(variable: str, default: int) -> str:
    text = os.environ.get(variable) or str(default)
    if not re.fullmatch(r"[1-9]\d{0,4}", text) or int(text) > 65535:  # noqa: PLR2004
        raise LauncherError(f"{variable} must be a port, found {text!r}.")
    return text


def _memory(variable: str, default: str) -> str:
    text = os.environ.get(variable) or default
    if not re.fullmatch(r"[1-9]\d*[gGmM]", text):
        raise LauncherError(f"{variable} must be a number with g or m, as in 1g, found {text!r}.")
    return text


def _count(variable: str, default: str) -> str:
    text = os.environ.get(variable) or default
    if not re.fullmatch(r"[1-9]\d*", text):
        raise LauncherError(f"{variable} must be a whole number from 1 up, found {text!r}.")
    return text


def run(role: str) -> None:
    """Becomes the part: never returns. Raises LauncherError where it cannot."""
    require_jars()
    becomes = command(role, write_properties(Path(tempfile.mkdtemp(prefix="spark-"))))
    os.chdir(_scratch())
    os.execve(becomes[0], becomes, environment())  # noqa: S606


if __name__ == "__main__":
    try:
        run(" ".join(sys.argv[1:]))
    except LakeError as error:
        sys.exit(str(error))
