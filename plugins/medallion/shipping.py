"""What a driver on a cluster is given, as nothing of this machine is there: the lake's settings; on YARN its code and, in private, ledger and key."""

from __future__ import annotations

import json
import os
import re
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from expectations.errors import RequestError
from expectations.s3 import s3_variables
from expectations.settings import PRIVATE_FILE, REPOSITORY, load_settings
from medallion.yarn_application import PAGES, is_shipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Connection

BUNDLE = "lake-bundle"
"""In the connection's extra: the archive of `make bundle`, a local file or a URI."""
UNPACKED = "lake"
PRIVATE = "lake-private.json"
REDACTED = "(?i)secret|password|token|access[.]?key|ledger_url"
NOT_PASSED_ON = re.compile(r"://.*@|^(sqlite|file):|^/")
"""An address with a password in it, and a file of this machine."""
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
    }


def shipped_environment() -> dict[str, str]:
    """The variables of a driver on YARN: where the lake's code is, and those of `lake_variables`."""
    project = project_in(UNPACKED)
    return {"PYTHONPATH": f"{UNPACKED}{os.pathsep}{project}", "LAKE_PROJECT": project, PRIVATE_FILE: PRIVATE, **lake_variables()}


def project_in(bundle: str) -> str:
    """Where a bundle that is unpacked there has the lake's contracts."""
    return bundle if load_settings().project == REPOSITORY else f"{bundle}/project"


@contextmanager
def private_variables(connection: Connection) -> Iterator[str | None]:
    """What spark-submit has to ship to a driver on YARN: a file with the ledger's address, and the key of the lake's storage where a connection has one.

    Until the block ends, and for its owner alone. None for a driver elsewhere. Variables they cannot be: YARN writes a container's variables into
    a script beside its logs.
    """
    if not is_shipped(connection):
        yield None
        return
    with tempfile.NamedTemporaryFile("w", prefix="lake-", suffix=".json") as file:  # made with the mode 0600
        settings = load_settings()
        key = s3_variables() if settings.storage_connection else None  # else the nodes have rights of their own
        json.dump({"LAKE_LEDGER_URL": settings.ledger_url, **(key or {})}, file)
        file.flush()
        others = (connection.extra_dejson.get("conf") or {}).get("spark.files")  # which --files takes the place of
        yield ",".join(filter(None, [f"{file.name}#{PRIVATE}", others]))


def lake_variables() -> dict[str, str]:
    """Where the lake is. They stand in a command line, so neither the ledger's address is among them nor one of MLflow with a password."""
    settings = load_settings()
    known = {"LAKE_ENV": settings.environment, "LAKE_ROOT": settings.root, "LAKE_LANDING": settings.landing}
    known |= {"LAKE_METASTORE": settings.metastore.name_elsewhere}
    return {**known, **{name: os.environ[name] for name in PASSED_ON if os.environ.get(name) and not NOT_PASSED_ON.search(os.environ[name])}}


def open_variables() -> dict[str, str]:
    """`lake_variables` for a driver whose Spark settings everybody sees who sees the cluster, so that a metastore with a password is none to it."""
    return {**lake_variables(), "LAKE_METASTORE": load_settings().metastore.open_name}
