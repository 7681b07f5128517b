"""Builds the lake of `lake.tar.gz` with the engine of commit 1785ade, which counted a table's file alone as its code and kept no version in the ledger.

`python -m tests.lakes.of_1785ade.make`: checks that commit out beside the repository, runs its jobs on a Spark server of its own, and writes the archive
anew. The lake stands in FOLDER, also where a test unpacks it: its registry of models has whole paths.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from launcher.layout import REPOSITORY, jars_folder

COMMIT = "1785ade"
FOLDER = Path("/var/tmp/lake-of-1785ade")  # noqa: S108 - one place, for one test
ARCHIVE = Path(__file__).parent / "lake.tar.gz"
LEFT_OUT = ("_staging", "_search", "_runs", "__pycache__")
BUILD = '''
from pathlib import Path

from tests.spark_jobs.lake.learning import conftest as calls

LOGIC = """
    from call_names.kinds import spoken


    def transform(bronze_calls):
        return bronze_calls.select("called_on", "call", spoken("kind").alias("kind"), "hour", "answered", "_row")
"""
KINDS = """
    from pyspark.sql import functions as F


    def spoken(column):
        return F.col(column)
"""


def test_build(spark, spark_remote, monkeypatch):
    folder = Path({folder!r})
    monkeypatch.syspath_prepend(str(folder))
    lake = calls.use_lake(folder, spark, spark_remote, monkeypatch)
    for path, text in (
        ("expectations/bronze/calls.yaml", calls.BRONZE),
        ("expectations/silver/calls.yaml", calls.SILVER),
        ("spark_jobs/silver/calls.py", LOGIC),
        ("call_names/kinds.py", KINDS),
        ("expectations/gold/call_predictions.yaml", calls.PREDICTIONS),
        ("expectations/models/answers.yaml", calls.MODEL),
        ("spark_jobs/models/answers.py", calls.ESTIMATOR),
    ):
        lake.write(path, text)
    for day in calls.DAYS:
        lake.land(f"calls/{{day}}.csv", "called_on,call,kind,hour,answered", *calls.calls_of(day))
    for table in ("bronze.calls", "silver.calls"):
        lake.build(table, f"{{calls.DAYS[0]}}..{{calls.DAYS[-1]}}", "build")
    assert lake.run("train", "answers", calls.LEARNED, run_id="train-1").status == "done"
'''


def make() -> None:
    """Write the archive."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="engine-") as place:
        tree = Path(place) / COMMIT
        subprocess.run(["git", "worktree", "add", "--detach", str(tree), COMMIT], cwd=REPOSITORY, check=True)
        try:
            test = tree / "tests" / "spark_jobs" / "lake" / "learning" / "test_of_the_archive.py"
            test.write_text(BUILD.format(folder=str(FOLDER)))
            environment = {**os.environ, "LAKE_JARS": str(jars_folder())}
            command = [sys.executable, "-m", "launcher", "exec", "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
            subprocess.run(command, cwd=tree, env=environment, check=True)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=REPOSITORY, check=True)
    with tarfile.open(ARCHIVE, "w:gz") as archive:
        for file in sorted(path for path in FOLDER.rglob("*") if path.is_file() and not set(LEFT_OUT) & set(path.parts)):
            archive.add(file, arcname=str(file.relative_to(FOLDER)), filter=_of_nobody)


def _of_nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


if __name__ == "__main__":
    make()
