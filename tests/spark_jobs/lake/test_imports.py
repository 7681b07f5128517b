"""What a job's process loads: under spark-submit, and as a child of LAKE_PYTHON, each job pays for its imports."""

from __future__ import annotations

import subprocess
import sys

LOADED = """
import sys
import spark_jobs.run, spark_jobs.lake.build
print([name for name in ("great_expectations", "mlflow", "sklearn", "jinja2") if name in sys.modules])
"""
REPORTING = """
import sys
import spark_jobs.lake.reports
print(sorted(name for name in sys.modules if name.startswith("spark_jobs.lake.") and name.split(".")[2] not in ("gate", "reports", "heads", "delta_log")))
"""


def test_only_a_table_with_rules_pays_for_great_expectations() -> None:
    ended = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == "[]"


def test_a_report_loads_nothing_of_the_engine_that_works_on_spark() -> None:
    """Great Expectations imports pyspark wherever it is installed; of the engine, the names of the rules are enough."""
    ended = subprocess.run([sys.executable, "-c", REPORTING], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == "[]"
