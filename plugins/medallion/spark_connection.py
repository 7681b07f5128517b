"""The Airflow connection that says where Spark is."""

from __future__ import annotations

import os
import shutil
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow.providers.apache.spark.hooks.spark_connect import SparkConnectHook
from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from expectations.errors import RequestError, TransientError
from medallion.yarn_site import resource_managers

if TYPE_CHECKING:
    from airflow.sdk import Connection

KNOWN_TYPES = ("spark_connect", "spark", "emr")
DEFAULT_PORT = 15002
MASTERS = {"spark": ("Spark master", 7077), "k8s": ("Kubernetes API server", 443)}
"""What a master's address begins with, to what answers there and its default port."""
KNOCK_SECONDS = 10.0


def spark_connection(name: str) -> Connection:
    """The connection, checked: SparkSubmitHook would take the master `yarn` for an unknown one.

    Raises RequestError where it does not exist, is of another type or names no host.
    """
    try:
        connection = BaseHook.get_connection(name)
    except AirflowNotFoundException:
        variable = f"AIRFLOW_CONN_{name.upper()}"
        if os.environ.get(variable):
            raise RequestError(f"{variable} cannot be read as a connection: write JSON with the key conn_type, or a URI, as in docs/clusters.md.") from None
        raise RequestError(
            f"there is no Airflow connection {name!r}; add it with the type spark_connect (a Spark Connect server), spark (spark-submit) "
            f"or emr, or let LAKE_CONNECTION name another one."
        ) from None
    if connection.conn_type not in KNOWN_TYPES:
        known = " or ".join(KNOWN_TYPES)
        raise RequestError(f"the Airflow connection {name!r} has the type {connection.conn_type!r}; expected {known}: change its type.")
    if not connection.host and connection.conn_type != "emr":
        example = "127.0.0.1" if connection.conn_type == "spark_connect" else "local[2], yarn or spark://master"
        raise RequestError(f"the Airflow connection {name!r} names no host; write one like {example}.")
    return connection


def spark_remote(name: str) -> str:
    """The address `sc://host:port/` of the connection's Spark Connect server.

    Raises TransientError at once where nothing listens there: the Spark client would try again for ten minutes by itself.
    """
    remote = SparkConnectHook(name).get_connection_url()
    address = urlsplit(remote)
    _knock("Spark Connect server", [(address.hostname or "", address.port or DEFAULT_PORT)], name)
    return remote


def require_master(name: str) -> str:
    """In words, where the connection of the type `spark` leads to. Raises at once where spark-submit would try for minutes, or is not there itself.

    RequestError where there is no spark-submit, or no yarn-site.xml for YARN; TransientError where nothing listens at the master's address.
    """
    connection = spark_connection(name)
    binary = str(connection.extra_dejson.get("spark-binary") or "spark-submit")
    if shutil.which(binary) is None:
        raise RequestError(f"there is no {binary} on PATH; add the folder of the environment's programs (.venv/bin), or mend the Airflow connection {name!r}.")
    master = connection.host or ""
    if master.startswith("yarn"):
        return f"{binary} to YARN's ResourceManager at {_knock('ResourceManager of YARN', resource_managers(), name)}"
    kind, _, rest = master.partition("://")
    if kind not in MASTERS:
        return f"{binary} to {master}"
    what, default = MASTERS[kind]
    return f"{binary} to the {what} at {_knock(what, _places(rest, connection.port, default), name)}"


def _places(addresses: str, port: int | None, default: int) -> list[tuple[str, int]]:
    """Host and port of each address: `host`, `host:port` or `https://host:port`, with commas between where one stands in for another."""
    found = [urlsplit(address if "://" in address else f"//{address}") for address in addresses.split(",")]
    return [(address.hostname or "", port or address.port or default) for address in found]


def _knock(what: str, places: list[tuple[str, int]], name: str) -> str:
    """The first of these places, `host:port`, where somebody listens. Raises TransientError where nobody does."""
    refused = ""
    for host, port in places:
        try:
            socket.create_connection((host, port), timeout=KNOCK_SECONDS).close()
        except OSError as error:
            refused = f"{host}:{port} ({error.strerror or error})"
        else:
            return f"{host}:{port}"
    raise TransientError(f"no {what} answers at {refused}; start it, or mend the Airflow connection {name!r}.")
