"""The session of a job."""

from __future__ import annotations

import pytest

from expectations.errors import TransientError
from spark_jobs.lake.session import FEW_ROWS, expect_rows, open_session
from tests.free_ports import free_port


def test_a_server_that_is_not_there_is_told_at_once() -> None:
    port = free_port()
    sentence = rf"the Spark Connect server 127.0.0.1:{port} does not answer \(ConnectionRefusedError\); start it"
    with pytest.raises(TransientError, match=sentence), open_session(f"sc://127.0.0.1:{port}/;token=secret", "tag"):
        pass


@pytest.mark.parametrize(("rows", "is_compiled"), [(FEW_ROWS, False), (FEW_ROWS + 1, True)])
def test_a_plan_is_compiled_where_many_rows_are_expected(spark_remote: str, rows: int, is_compiled: bool) -> None:
    with open_session(spark_remote, "tag") as spark:
        expect_rows(spark, rows)
        plan = spark.range(3).selectExpr("id + 1 AS next")
        assert ("*(1) Project" in plan._explain_string()) == is_compiled
        assert [row.next for row in plan.collect()] == [1, 2, 3]
