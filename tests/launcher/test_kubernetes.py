"""What a pod of Spark becomes, from the words and variables that Spark gives it. tests/clusters/test_kubernetes.py lets both work."""

import sys
from pathlib import Path

import pytest

from launcher.errors import LauncherError
from launcher.kubernetes import EXECUTOR, command
from launcher.spark_server import java, spark_class_path

HOME = str(java().parent.parent)
KNOWN = {"JAVA_HOME": HOME, "SPARK_EXECUTOR_MEMORY": "1g", **{name: name.lower() for name in EXECUTOR.values()}}


def test_a_driver_is_spark_submit_with_the_words_it_was_given():
    words = ["driver", "--properties-file", "/opt/spark/conf/spark.properties", "--class", "X", "local:///opt/lake/spark_jobs/run.py", "build"]
    assert command(words, {"SPARK_DRIVER_BIND_ADDRESS": "10.0.0.7"}) == [
        str(Path(sys.executable).with_name("spark-submit")),
        *["--deploy-mode", "client", "--conf", "spark.driver.bindAddress=10.0.0.7"],
        *words[1:],
    ]


def test_an_executor_is_who_the_variables_say_with_its_options_in_their_order():
    options = {f"SPARK_JAVA_OPT_{number}": f"-Dnumber={number}" for number in (10, 0, 2)}
    found = command(["executor"], {**KNOWN, **options, "SPARK_CLASSPATH": "/opt/lake/.lake/jars/*", "SPARK_CONF_DIR": "/opt/spark/conf"})
    assert found == [
        f"{HOME}/bin/java",
        *["-Dnumber=0", "-Dnumber=2", "-Dnumber=10", "-Xms1g", "-Xmx1g"],
        *["-cp", f"/opt/spark/conf:/opt/lake/.lake/jars/*:{spark_class_path()}"],
        "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend",
        *["--driver-url", "spark_driver_url", "--executor-id", "spark_executor_id", "--cores", "spark_executor_cores"],
        *["--app-id", "spark_application_id", "--hostname", "spark_executor_pod_ip"],
        *["--resourceProfileId", "spark_resource_profile_id", "--podName", "spark_executor_pod_name"],
    ]


@pytest.mark.parametrize(
    ("words", "known", "sentence"),
    [
        ([], KNOWN, "A pod of Spark is a driver or an executor, found '': this image is for spark.kubernetes.container.image alone."),
        (["bash"], KNOWN, "A pod of Spark is a driver or an executor, found 'bash': this image is for spark.kubernetes.container.image alone."),
        (["driver"], {}, "SPARK_DRIVER_BIND_ADDRESS is not set: Spark sets it in the pods that it makes."),
        (["executor"], {"JAVA_HOME": HOME}, "SPARK_EXECUTOR_MEMORY is not set: Spark sets it in the pods that it makes."),
        (["executor"], {**KNOWN, "JAVA_HOME": "/nowhere"}, "Spark needs Java 17 or 21, found none in /nowhere/bin/java: let JAVA_HOME name one, or"),
    ],
)
def test_another_pod_than_sparks_is_one_sentence(words, known, sentence):
    with pytest.raises(LauncherError) as caught:
        command(words, known)
    assert str(caught.value).startswith(sentence)
