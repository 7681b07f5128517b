"""What a job's process loads: under spark-submit, and as a child of LAKE_PYTHON, each job pays for its imports."""

from __future__ import annotations

import subprocess
import sys

LOADED = """
import sys
import spark_jobs.run, spark_jobs.lake.build
print([name for name in ("great_expectations", "mlflow", "sklearn", "jinja2") if name in sys.modules])
"""


def test_only_a_table_with_rules_pays_for_great_expectations() -> None:
    ended = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == "[]"
