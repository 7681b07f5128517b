"""What the tests of every cluster compare with, and what became of them in the end."""

from __future__ import annotations

import pytest

from tests.clusters.hadoop import hadoop, sample_on_hdfs, yarn
from tests.clusters.parts import table
from tests.clusters.sample_lake import SampleLake, on_connect
from tests.expectations.ledger.conftest import postgres

__all__ = ["hadoop", "postgres", "sample_on_hdfs", "yarn"]


@pytest.fixture(scope="session")
def embedded(spark_remote: str, tmp_path_factory: pytest.TempPathFactory) -> SampleLake:
    """The sample's days in a local folder, built by the embedded default."""
    folder = tmp_path_factory.mktemp("embedded")
    lake = SampleLake(folder, f"{folder}/tables", f"{folder}/landing", AIRFLOW_CONN_SPARK_LAKE=on_connect(spark_remote))
    lake.land()
    lake.build_all()
    return lake


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each part."""
    lines = list(table(terminalreporter.stats))
    if lines:
        terminalreporter.section("clusters")
    for line in lines:
        terminalreporter.write_line(line)
