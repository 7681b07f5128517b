"""What a driver on a node of YARN is given, as nothing of this machine is there: the lake's code, its settings, and the ledger's address in private."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from expectations.errors import RequestError
from expectations.settings import REPOSITORY, load_settings
from medallion.yarn_application import PAGES

if TYPE_CHECKING:
    from airflow.sdk import Connection

BUNDLE = "lake-bundle"
"""In the connection's extra: the archive of `make bundle`, a local file or a URI."""
UNPACKED = "lake"
REDACTED = "(?i)secret|password|token|access[.]?key|ledger_url"
PASSED_ON = ("MLFLOW_TRACKING_URI", "HADOOP_USER_NAME")


def shipped_conf(connection: Connection) -> dict[str, str]:
    """Spark's settings that bring the bundle to driver and executors. Raises RequestError where the connection does not say enough for it."""
    missing = [key for key in (BUNDLE, PAGES) if not connection.extra_dejson.get(key)]
    if missing:
        raise RequestError(
            f"the Airflow connection {connection.conn_id!r} asks for a driver on YARN, for which its extra must name {' and '.join(missing)}; "
            "see docs/clusters/yarn.md."
        )
    return {
        "spark.yarn.dist.archives": f"{connection.extra_dejson[BUNDLE]}#{UNPACKED}",
        "spark.executorEnv.PYTHONPATH": UNPACKED,
        "spark.redaction.regex": REDACTED,
    }


def shipped_environment() -> dict[str, str]:
    """The driver's variables: where the lake is, but for the ledger, whose address may hold a password; the metastore's name has none."""
    settings = load_settings()
    project = UNPACKED if settings.project == REPOSITORY else f"{UNPACKED}/project"
    known = {"LAKE_PROJECT": project, "LAKE_ENV": settings.environment, "LAKE_ROOT": settings.root, "LAKE_LANDING": settings.landing}
    known |= {"LAKE_METASTORE": settings.metastore.name}
    passed_on = {name: os.environ[name] for name in PASSED_ON if os.environ.get(name)}
    return {"PYTHONPATH": f"{UNPACKED}{os.pathsep}{project}", **known, **passed_on}
