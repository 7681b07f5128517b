"""Spark's own Thrift server, to which BI tools speak JDBC, and beeline, which does so from a command line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from expectations.metastore import as_properties, metastore_of
from launcher.spark_server import CONFIGURATION, JAVA_OPTIONS, SUBMIT_CLASS, java, server_class_path
from tests.free_ports import free_port
from tests.server_process import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVER = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"
START_SECONDS = 180


@contextmanager
def started_thrift_server(folder: Path, metastore: str) -> Iterator[str]:
    """The JDBC address of a server that has its tables' names in `metastore`, until the block ends."""
    port, properties, log = free_port(), folder / "thrift.properties", folder / "thrift.log"
    properties.write_text(CONFIGURATION.read_text() + as_properties(metastore_of(metastore, folder).settings))
    command = [str(java()), "-Xmx1g", *JAVA_OPTIONS, "-cp", server_class_path(), SUBMIT_CLASS, "--master", "local[2]", "--properties-file", str(properties)]
    command += ["--conf", f"spark.sql.warehouse.dir={folder}/warehouse", "--class", SERVER, "spark-internal"]
    command += ["--hiveconf", f"hive.server2.thrift.port={port}", "--hiveconf", "hive.server2.thrift.bind.host=127.0.0.1"]
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    with running(command, log, lambda: "HiveThriftServer2 started" in log.read_text(), START_SECONDS, env=environment, cwd=folder):
        yield f"jdbc:hive2://127.0.0.1:{port}"


def asked(address: str, *questions: str) -> list[list[str]]:
    """What beeline prints of these questions, one cell a column: SQL, or `!columns table` and the like, which is JDBC's own metadata."""
    command = [str(java()), "-Xmx256m", *JAVA_OPTIONS, "-cp", server_class_path(), "org.apache.hive.beeline.BeeLine", "-u", address, "-n", "ada"]
    command += ["--silent=true", "--outputformat=csv2", "--showHeader=false"]
    done = subprocess.run([*command, *(part for question in questions for part in ("-e", question))], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    lines = [re.sub(r"^\d+: jdbc:\S+> ", "", line) for line in done.stdout.splitlines()]
    return [line.split(",") for line in lines if line.strip()]
