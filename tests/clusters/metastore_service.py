"""Hive's own metastore service: the class that Hive starts, of the jars that Spark brings, over a database."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from expectations.metastore import metastore_of
from launcher.spark_server import JAVA_OPTIONS, java, server_class_path
from tests.free_ports import free_port
from tests.server_process import is_open, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVICE = "org.apache.hadoop.hive.metastore.HiveMetaStore"
START_SECONDS = 120


@contextmanager
def running_service(folder: Path, database: str) -> Iterator[str]:
    """The thrift:// address of a service that keeps its names in `database`, a postgresql:// address, until the block ends."""
    port, log = free_port(), folder / "service.log"
    found = {name.removeprefix("spark.hadoop."): value for name, value in metastore_of(database, folder).settings.items() if name.startswith("spark.hadoop.")}
    words = [word for name, value in found.items() for word in ("--hiveconf", f"{name}={value}")]
    words += ["--hiveconf", f"hive.metastore.warehouse.dir={folder}/warehouse"]
    # its logging wants a library that Spark does not bring, and a file in the folder of temporary files
    logging = ["-Dhive.async.log.enabled=false", f"-Djava.io.tmpdir={folder}"]
    command = [str(java()), "-Xmx512m", *logging, *JAVA_OPTIONS, "-cp", server_class_path(), SERVICE, "-p", str(port), *words]
    with running(command, log, lambda: is_open(port), START_SECONDS, env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}, cwd=folder):
        yield f"thrift://127.0.0.1:{port}"
