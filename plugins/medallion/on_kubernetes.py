"""Jobs on Kubernetes, by a connection of the type `spark` with a master `k8s://`: what pods are given, as nothing of this machine is in them.

The image has Python, packages, jars and the lake's code, all under HOME (see the Dockerfile's stage `kubernetes`).
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from expectations.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Connection

HOME = "/opt/lake"
IMAGE = "spark.kubernetes.container.image"
LEDGER_KEY = "spark.kubernetes.driver.secretKeyRef.LAKE_LEDGER_URL"
RUN_THERE = f"local://{HOME}/spark_jobs/run.py"
"""spark-submit's way to say that a file is in the image."""
PYTHON, JARS = f"{HOME}/.venv/bin/python", f"{HOME}/.lake/jars/*"


def is_kubernetes(connection: Connection) -> bool:
    """Whether a connection of the type `spark` leads to Kubernetes."""
    return (connection.host or "").startswith("k8s://")


def kubernetes_conf(connection: Connection, variables: dict[str, str], jars: Sequence[str] | None) -> dict[str, str]:
    """Spark's settings for a driver in a pod (`jars` is None) or on this machine, whose jars these are; executors get the `variables` too.

    Raises RequestError where the connection does not say enough for it. No secret is among them: pods take theirs from secrets of the cluster.
    """
    own = connection.extra_dejson.get("conf") or {}
    missing = [key for key in (IMAGE, *([LEDGER_KEY] if jars is None else [])) if not own.get(key)]
    if missing:
        raise RequestError(
            f"the Airflow connection {connection.conn_id!r} leads to Kubernetes, for which `conf` in its extra must name {' and '.join(missing)}; "
            "see docs/clusters/kubernetes.md."
        )
    if find_spec("airflow.providers.cncf") is None:
        raise RequestError("spark-submit to Kubernetes needs the extra kubernetes: install apache-airflow-providers-cncf-kubernetes beside Airflow.")
    return {
        "spark.driver.extraClassPath": JARS if jars is None else ":".join(jars),
        "spark.executor.extraClassPath": JARS,
        "spark.pyspark.python": PYTHON,
        "spark.pyspark.driver.python": PYTHON if jars is None else sys.executable,
        **{f"spark.executorEnv.{name}": value for name, value in variables.items()},
    }
