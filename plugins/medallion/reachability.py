"""`python -m medallion.reachability spark|root|landing|tables`: whether a task of Airflow reaches a part of the lake, by the connections that it would take.

For `make doctor`. The last line says what was found, or what to do; exit code 0 = reached, 1 = not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from expectations.errors import LakeError, TransientError
from expectations.settings import load_settings
from expectations.storage import Place, reaching
from launcher.spark_server import java_version
from medallion.emr import Emr
from medallion.spark_connection import DEFAULT_PORT, require_master, spark_connection, spark_remote
from medallion.storage_connection import storage_access

if TYPE_CHECKING:
    from collections.abc import Callable


def spark() -> str:
    """Where the lake's connection leads to; behind Spark Connect a tiny job tells the versions of server and workers. Raises LakeError."""
    name = load_settings().connection
    found = spark_connection(name)
    if found.conn_type == "emr":
        return f"{name}: {Emr(found).require_reached()}"
    if found.conn_type == "spark":
        return f"{name}: {require_master(name)}, on Java {java_version(_java())}"
    return f"{name}: the server {found.host}:{found.port or DEFAULT_PORT}, {_agreement(spark_remote(name))}"


def root() -> str:
    """That a small file was written in the lake's root and deleted. Raises LakeError."""
    place = load_settings().root
    with storage_access(), reaching(place):
        Place.of(place).require_write()
    return f"{place}: written and deleted a small file"


def landing() -> str:
    """That the landing folder is read, and whether it is written from here. Raises LakeError."""
    place = load_settings().landing
    with storage_access(), reaching(place):
        folder = Place.of(place)
        folder.file_names()
        if not folder.exists():
            return f"{place}: not there yet, whoever lands the first file makes it"
        try:
            folder.require_write()
        except OSError:
            return f"{place}: read; not written from here, which only those need who land files"
    return f"{place}: read, and written and deleted a small file"


def tables() -> str:
    """That each table's Delta log is as the ledger has it. Raises LakeError with those that are not."""
    with storage_access(), reaching(load_settings().root):
        return _as_job("spark_jobs.lake.heads", dict(os.environ))


def _java() -> str:
    """What spark-submit starts: the Java of JAVA_HOME, else that on PATH."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home, "bin", "java")) if home else shutil.which("java") or "PATH"


def _agreement(remote: str) -> str:
    """The address may hold a token, so it is not in the command line."""
    return _as_job("spark_jobs.lake.agreement", {**os.environ, "LAKE_SPARK_REMOTE": remote})


def _as_job(module: str, environment: dict[str, str]) -> str:
    """What a program of the jobs says in its last line, by LAKE_PYTHON, where jobs have a Python of their own."""
    command = [os.environ.get("LAKE_PYTHON") or sys.executable, "-m", module]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError as error:
        raise TransientError(f"LAKE_PYTHON={command[0]} cannot be started ({error.strerror}); point it to the jobs' Python.") from None
    said = done.stdout.strip().rpartition("\n")[2]
    if done.returncode or not said:
        raise TransientError(said or f"{command[0]} -m {module} ended with {done.returncode}; the packages of the lock are missing there.")
    return said


PARTS: dict[str, Callable[[], str]] = {"spark": spark, "root": root, "landing": landing, "tables": tables}


def main(arguments: list[str]) -> int:
    """The command line."""
    try:
        said, code = PARTS[arguments[0]](), 0
    except (LakeError, OSError) as error:
        said, code = str(error), 1
    sys.stdout.write(f"{' '.join(said.split())}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
