"""What spark-submit needs so that a job finds Delta, the contracts and itself."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from expectations.errors import RequestError
from expectations.metastore import as_properties
from expectations.s3 import is_s3
from expectations.settings import REPOSITORY, load_settings
from medallion.on_kubernetes import RUN_THERE, is_kubernetes, kubernetes_conf
from medallion.shipping import REDACTED, open_variables, shipped_conf, shipped_environment
from medallion.yarn_application import is_driver_away, is_shipped, is_yarn, tag_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Connection

    from expectations.jobs import JobRequest

RUN = REPOSITORY / "spark_jobs" / "run.py"
JAVA_OPTIONS = "-XX:-DontCompileHugeMethods"
"""As launcher/spark_server.py has it, and says why. Spark puts `extraJavaOptions` of a connection's own behind it."""
ENGINE = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.defaultJavaOptions": JAVA_OPTIONS,
    "spark.executor.defaultJavaOptions": JAVA_OPTIONS,
}

LOCAL = {
    # Spark's own defaults would listen on every interface, and fill a task's log with two thousand lines.
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.log.level": "WARN",
    # Its defaults (200 and 50 tasks) are made for clusters.
    "spark.sql.shuffle.partitions": "4",
    "spark.databricks.delta.snapshotPartitions": "2",
}
"""For the master `local[...]`: one machine, one user."""


def submission_conf(connection: Connection, request: JobRequest) -> dict[str, str]:
    """Delta, its jars, Java's options, the search path, and what suits one machine where the master is one; then the extra's own `conf`, which wins.

    Raises RequestError where the folder of jars is empty, and where the driver would run on another machine than the ledger's file, or on a cluster
    that cannot have it.
    """
    if is_driver_away(connection):
        _require_driver_can_be_away(connection)
    own = connection.extra_dejson.get("conf") or {}
    return {
        **ENGINE,
        **({"spark.yarn.tags": tag_of(request)} if is_yarn(connection) else {}),
        **(LOCAL if (connection.host or "").startswith("local") else {}),
        **({"spark.redaction.regex": REDACTED} if is_driver_away(connection) else {}),
        **_places(connection),
        **{str(key): str(value) for key, value in own.items()},
    }


def driver_variables(connection: Connection) -> dict[str, str]:
    """The variables of a driver that runs on the cluster; one on this machine has this process's own."""
    if not is_driver_away(connection):
        return {}
    return open_variables() if is_kubernetes(connection) else shipped_environment()


def application_of(connection: Connection) -> str:
    """Where spark-submit finds the job's entry."""
    return RUN_THERE if _is_in_a_pod(connection) else str(RUN)


def _is_in_a_pod(connection: Connection) -> bool:
    """Whether that is where the driver runs."""
    return is_kubernetes(connection) and is_driver_away(connection)


def _require_driver_can_be_away(connection: Connection) -> None:
    if load_settings().ledger_url.startswith("sqlite"):
        raise RequestError("in cluster mode the driver runs elsewhere, where the ledger's SQLite file is not: let LAKE_LEDGER_URL name a Postgres.")
    if not (is_yarn(connection) or is_kubernetes(connection)):
        raise RequestError(f"a driver on the cluster is for YARN and Kubernetes: let deploy-mode be client in the Airflow connection {connection.conn_id!r}.")


def _places(connection: Connection) -> dict[str, str]:
    """Where driver and executors find Delta and the lake's code: in the image of a pod, else under this machine's paths, which are every machine's."""
    if is_kubernetes(connection):
        return kubernetes_conf(connection, open_variables(), None if is_driver_away(connection) else delta_jars())
    jars = delta_jars()
    class_path = os.pathsep.join(jars)
    return {
        "spark.jars": ",".join(jars),
        "spark.driver.extraClassPath": class_path,
        "spark.executor.extraClassPath": class_path,
        "spark.executorEnv.PYTHONPATH": search_path(),
        **(shipped_conf(connection) if is_shipped(connection) else {}),
    }


@contextmanager
def private_properties(connection: Connection) -> Iterator[str | None]:
    """A properties file for spark-submit, for its owner alone, until the block ends: a command line would be seen by everybody, and logged.

    The connection's password is the cluster's secret; the address of a metastore may hold one. None where there is nothing to tell.
    """
    told = {"spark.authenticate": "true", "spark.authenticate.secret": connection.password} if connection.password else {}
    metastore = load_settings().metastore
    # in a pod they become a ConfigMap
    told |= metastore.open_settings if _is_in_a_pod(connection) else metastore.settings
    if not told:
        yield None
        return
    with tempfile.NamedTemporaryFile("w", prefix="lake-", suffix=".properties") as file:  # made with the mode 0600
        file.write(as_properties(told))
        file.flush()
        yield file.name


def delta_jars() -> list[str]:
    """The jars that set-up resolved, sorted. LAKE_JARS names their folder; the default is `.lake/jars` beside the engine.

    Raises RequestError where there are none, or not those of S3 although the lake is there.
    """
    folder = Path(os.environ.get("LAKE_JARS") or REPOSITORY / ".lake" / "jars")
    jars = sorted(map(str, folder.glob("*.jar")))
    if not jars:
        raise RequestError(f"there are no Delta jars in {folder}; run `make setup`, or let LAKE_JARS name the folder that has them.")
    settings = load_settings()
    on_s3 = next((place for place in (settings.root, settings.landing) if is_s3(place)), None)
    if on_s3 and not any(Path(jar).name.startswith("hadoop-aws-") for jar in jars):
        raise RequestError(f"{on_s3} needs the jars of jars-s3.lock in {folder}; run `make setup S3=1`.")
    return jars


def search_path() -> str:
    """PYTHONPATH of a job in another process: the engine, then the lake's own project."""
    places = [str(REPOSITORY), str(load_settings().project), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return os.pathsep.join(dict.fromkeys(filter(None, places)))
