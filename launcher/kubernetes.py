"""`python -m launcher.kubernetes driver|executor ...`: what a pod of Spark becomes; the entry point of the image's stage `kubernetes`.

Spark tells a driver by the words of spark-submit what it is to run, and an executor by variables who it is (org.apache.spark.deploy.k8s.Constants).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from expectations.errors import LakeError
from launcher.errors import LauncherError
from launcher.spark_cluster import environment
from launcher.spark_server import java_version, spark_class_path

if TYPE_CHECKING:
    from collections.abc import Mapping

EXECUTOR_CLASS = "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend"
EXECUTOR = {
    "--driver-url": "SPARK_DRIVER_URL",
    "--executor-id": "SPARK_EXECUTOR_ID",
    "--cores": "SPARK_EXECUTOR_CORES",
    "--app-id": "SPARK_APPLICATION_ID",
    "--hostname": "SPARK_EXECUTOR_POD_IP",
    "--resourceProfileId": "SPARK_RESOURCE_PROFILE_ID",
    "--podName": "SPARK_EXECUTOR_POD_NAME",
}
"""What an executor is told, and the variable that has it."""
JAVA_OPTION = "SPARK_JAVA_OPT_"


def command(words: list[str], known: Mapping[str, str]) -> list[str]:
    """The command of a pod with these words and variables. Raises LauncherError for another pod than Spark's, and where Java is not a whole one."""
    role, *rest = words or [""]
    if role == "driver":
        bind = ["--conf", f"spark.driver.bindAddress={_told(known, 'SPARK_DRIVER_BIND_ADDRESS')}"]
        return [str(Path(sys.executable).with_name("spark-submit")), "--deploy-mode", "client", *bind, *rest]
    if role == "executor":
        java = str(Path(known.get("JAVA_HOME", ""), "bin", "java"))
        java_version(java)
        memory = _told(known, "SPARK_EXECUTOR_MEMORY")
        options = [known[name] for name in sorted((name for name in known if name.startswith(JAVA_OPTION)), key=_number)]
        path = os.pathsep.join(filter(None, [known.get("SPARK_CONF_DIR"), known.get("HADOOP_CONF_DIR"), known.get("SPARK_CLASSPATH"), spark_class_path()]))
        who = [part for option, name in EXECUTOR.items() for part in (option, _told(known, name))]
        return [java, *options, f"-Xms{memory}", f"-Xmx{memory}", "-cp", path, EXECUTOR_CLASS, *who]
    raise LauncherError(f"A pod of Spark is a driver or an executor, found {role!r}: this image is for spark.kubernetes.container.image alone.")


def _number(name: str) -> int:
    return int(name.removeprefix(JAVA_OPTION))


def _told(known: Mapping[str, str], name: str) -> str:
    if value := known.get(name):
        return value
    raise LauncherError(f"{name} is not set: Spark sets it in the pods that it makes.")


def run(words: list[str]) -> None:
    """Becomes the pod's process: never returns. Raises LauncherError where it cannot."""
    becomes = command(words, os.environ)
    os.execve(becomes[0], becomes, environment())  # noqa: S606


if __name__ == "__main__":
    try:
        run(sys.argv[1:])
    except LakeError as error:
        sys.exit(str(error))
