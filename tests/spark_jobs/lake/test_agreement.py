"""A job and the Spark that it works on have to be of one version; what is said where they are not."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from types import SimpleNamespace

import pyspark
import pytest

from expectations.errors import RequestError
from expectations.surroundings import sentence
from launcher.layout import REPOSITORY
from spark_jobs.lake.agreement import agreement
from spark_jobs.lake.session import open_session


def test_server_and_workers_tell_their_versions_in_a_line(spark_remote: str) -> None:
    known = {**os.environ, "LAKE_SPARK_REMOTE": spark_remote, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-m", "spark_jobs.lake.agreement"], env=known, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"Spark {pyspark.__version__}, workers on Python {platform.python_version()}\n")


def test_a_server_of_another_version_is_told_before_anything_is_asked_of_it(spark_remote: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # the server is real; only what this side says of itself is changed
    found = pyspark.__version__
    monkeypatch.setattr("pyspark.__version__", "4.0.1")
    address = spark_remote.removeprefix("sc://")
    with pytest.raises(RequestError) as caught, open_session(spark_remote, "tag"):
        pass
    assert str(caught.value) == f"the Spark Connect server {address} runs Spark {found}, and the job has PySpark 4.0.1: give both one lock."


def test_a_worker_of_another_python_is_one_sentence(spark_remote: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # the worker is real and refuses; only the version that the function was made by is changed
    monkeypatch.setattr("pyspark.sql.connect.udf.sys", SimpleNamespace(version_info=(3, 9)))
    with pytest.raises(pyspark.errors.PySparkException) as caught:
        agreement(spark_remote)
    ours = ".".join(platform.python_version_tuple()[:2])
    assert sentence(str(caught.value)) == (f"Spark's workers run Python {ours}, and the job Python 3.9: let PYSPARK_PYTHON name the same one there.", True)


def test_a_cluster_of_another_spark_is_one_sentence() -> None:
    # Made up of Java's own words (java.io.ObjectStreamClass), for there is one Spark here: another one's classes differ in their numbers.
    numbers = "stream classdesc serialVersionUID = 5378738997755484868, local class serialVersionUID = 7789290765573734431"
    words = f"java.io.InvalidClassException: org.apache.spark.rpc.netty.RpcEndpointVerifier$CheckExistence; local class incompatible: {numbers}"
    assert sentence(words) == ("the cluster runs another version of Spark than the job's: give both one lock.", True)
