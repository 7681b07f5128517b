"""The Airflow connection that says where Spark is."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow.providers.apache.spark.hooks.spark_connect import SparkConnectHook
from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from expectations.errors import RequestError, TransientError

if TYPE_CHECKING:
    from airflow.sdk import Connection

KNOWN_TYPES = ("spark_connect", "spark", "emr")
DEFAULT_PORT, MASTER_PORT = 15002, 7077
KNOCK_SECONDS = 10.0


def spark_connection(name: str) -> Connection:
    """The connection, checked: SparkSubmitHook would take the master `yarn` for an unknown one.

    Raises RequestError where it does not exist, is of another type or names no host.
    """
    try:
        connection = BaseHook.get_connection(name)
    except AirflowNotFoundException:
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
    _knock("Spark Connect server", address.hostname or "", address.port or DEFAULT_PORT, name)
    return remote


def require_master(name: str) -> None:
    """Raises TransientError where the connection names a standalone master and nothing listens there: spark-submit would try for a minute."""
    connection = spark_connection(name)
    address = urlsplit(connection.host or "")
    if address.scheme == "spark":
        _knock("Spark master", address.hostname or "", connection.port or address.port or MASTER_PORT, name)


def _knock(what: str, host: str, port: int, name: str) -> None:
    try:
        socket.create_connection((host, port), timeout=KNOCK_SECONDS).close()
    except OSError as error:
        raise TransientError(f"no {what} answers at {host}:{port} ({error.strerror or error}); start it, or mend the Airflow connection {name!r}.") from None
