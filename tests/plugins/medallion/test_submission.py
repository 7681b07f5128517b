from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from airflow.sdk import Connection

from expectations.errors import RequestError
from expectations.jobs import JobRequest
from medallion.submission import submission_conf

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = JobRequest(verb="build", name="silver.visits", run_id="shop_daily/manual__1")


def spark(host: str, **extra: object) -> Connection:
    return Connection(conn_id="spark_lake", conn_type="spark", host=host, extra=json.dumps(extra))


@pytest.fixture(autouse=True)
def jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "delta.jar").touch()
    monkeypatch.setenv("LAKE_JARS", str(tmp_path))


def test_a_driver_on_another_machine_needs_a_ledger_that_it_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RequestError, match="SQLite file is not: let LAKE_LEDGER_URL name a Postgres"):
        submission_conf(spark("yarn", **{"deploy-mode": "cluster"}), REQUEST)
    monkeypatch.setenv("LAKE_LEDGER_URL", "postgresql://lake@ledger/lake")
    assert submission_conf(spark("yarn", **{"deploy-mode": "cluster"}), REQUEST)["spark.sql.extensions"] == "io.delta.sql.DeltaSparkSessionExtension"


def test_one_machine_opens_no_port_and_the_connections_own_settings_win() -> None:
    conf = submission_conf(spark("local[2]", conf={"spark.sql.shuffle.partitions": 9}), REQUEST)
    assert conf["spark.driver.host"] == "127.0.0.1"
    assert conf["spark.sql.shuffle.partitions"] == "9"


def test_an_application_on_yarn_is_found_by_its_job() -> None:
    assert submission_conf(spark("yarn"), REQUEST)["spark.yarn.tags"] == f"lake.{REQUEST.run_key}.build.silver.visits"
    assert "spark.yarn.tags" not in submission_conf(spark("spark://master"), REQUEST)
