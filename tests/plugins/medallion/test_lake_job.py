from __future__ import annotations

import json
import logging
import re
import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import RetryAction
from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.execution_time.context import OutletEventAccessors

from expectations.errors import DataError, LayerError, LeaseError, RequestError, TransientError
from expectations.jobs import JobRequest, JobResult
from medallion.assets import table_asset
from medallion.lake_job import LakeJobOperator
from medallion.operations_dags import RESTORED
from medallion.reporting import report_task
from medallion.retrying import RETRY_POLICY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Engine = Callable[[Callable[[JobRequest, str | None], JobResult]], None]

FAKE_RUN = Path(__file__).parent.parent / "fake_engine" / "spark_jobs" / "run.py"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Listens where the connection `spark_lake` points to, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        connection(monkeypatch, conn_type="spark_connect", host="127.0.0.1", port=port)
        yield f"sc://127.0.0.1:{port}/"


def connection(monkeypatch: pytest.MonkeyPatch, **facts: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_LAKE", json.dumps(facts))


def context() -> dict[str, Any]:
    return {"dag_run": SimpleNamespace(dag_id="shop_daily", run_id="manual__1"), "outlet_events": OutletEventAccessors()}


def execute(job: LakeJobOperator, given: dict[str, Any]) -> Any:
    return job.execute(given, LakeJobOperator__sentinel=ExecutorSafeguard.sentinel_value)


def build(**fields: Any) -> LakeJobOperator:
    return LakeJobOperator(task_id="silver.visits", verb="build", name="silver.visits", outlets=[table_asset("silver.visits")], **fields)


def answer(status: str, **facts: Any) -> Callable[[JobRequest, str | None], JobResult]:
    return lambda request, remote: JobResult.model_validate(
        {"request": request, "status": status, "message": f"silver.visits {status} at {remote}", "facts": facts}
    )


def test_the_rendered_fields_and_the_run_become_the_request() -> None:
    job = build(days="2013-01-01..2013-01-03", force="True")
    assert job.request(context()) == JobRequest(verb="build", name="silver.visits", run_id="shop_daily/manual__1", days="2013-01-01..2013-01-03", force=True)


def test_empty_fields_are_not_given() -> None:
    request = LakeJobOperator(task_id="score", verb="score", name="spender", force="False").request(context())
    assert (request.days, request.version, request.force) == (None, None, False)


def test_version_zero_is_a_version() -> None:
    job = LakeJobOperator(task_id="restore", verb="restore", name="silver.visits", version="0")
    assert job.request(context()).version == 0


def test_a_result_over_spark_connect_becomes_the_asset_event(server: str, engine: Engine) -> None:
    engine(answer("done", days=["2013-01-01"], version=3, rows_out=7))
    given = context()
    job = build(days="2013-01-01..2013-01-01")
    shown = execute(job, given)
    assert shown == {"status": "done", "message": f"silver.visits done at {server}"}
    extra = given["outlet_events"][table_asset("silver.visits")].extra
    assert (extra["days"], extra["version"], extra["rows_out"], extra["status"]) == (["2013-01-01"], 3, 7, "done")
    assert job.outlets == [table_asset("silver.visits")]


@pytest.mark.usefixtures("server")
def test_a_restored_table_is_known_by_its_event_with_the_version_and_the_reason(engine: Engine) -> None:
    engine(answer("done", restored_version=0))
    restore = LakeJobOperator(task_id="restore", verb="restore", name="gold.days", version="0", remark="it looked wrong", outlets=[RESTORED])
    given = context()
    execute(restore, given)
    [event] = given["outlet_events"][RESTORED].asset_alias_events
    assert event.dest_asset_key.name == "gold.days"
    assert (event.extra["restored_version"], event.extra["remark"]) == (0, "it looked wrong")


@pytest.mark.usefixtures("server")
def test_a_question_of_sparks_client_is_no_error_in_a_tasks_log(engine: Engine) -> None:
    logging.getLogger("pyspark.sql.connect.logging").disabled = False
    engine(answer("done"))
    execute(build(), context())
    assert logging.getLogger("pyspark.sql.connect.logging").disabled


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(("status", "days"), [("unchanged", []), ("done", []), ("asks", [])])
def test_a_task_that_has_published_nothing_succeeds_without_an_event(engine: Engine, status: str, days: list[str]) -> None:
    engine(answer(status, days=days))
    job, given = build(may_ask=True), context()
    assert execute(job, given)["status"] == status
    assert (job.outlets, given["outlet_events"]._dict) == ([], {})  # Airflow makes an event of each outlet that is left


@pytest.mark.usefixtures("server")
def test_a_table_some_of_whose_days_wait_for_an_answer_has_an_event_of_the_others(engine: Engine) -> None:
    engine(answer("asks", days=["2013-01-01"], asks={"2013-01-02": ["too late."]}))
    job, given = build(may_ask=True), context()
    execute(job, given)
    assert given["outlet_events"][table_asset("silver.visits")].extra["days"] == ["2013-01-01"]


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("status", ["done", "unchanged"])
@pytest.mark.parametrize(("not_taken", "level"), [(["sales/notes.txt"], "warning"), ([], "info")])
def test_files_that_were_not_taken_are_a_warning_in_the_log_of_a_task_that_succeeds(
    engine: Engine, capsys: pytest.CaptureFixture[str], status: str, not_taken: list[str], level: str
) -> None:
    engine(answer(status, not_taken=not_taken, days=["2013-01-01"] if status == "done" else []))
    given = context()
    assert execute(build(), given)["status"] == status
    assert re.findall(rf"\[(\w+) *\] silver\.visits {status}", capsys.readouterr().out) == [level]
    events = [event.extra["not_taken"] for event in given["outlet_events"]._dict.values()]
    assert events == ([not_taken] if status == "done" else [])


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(("status", "error"), [("held", DataError), ("failed_transient", TransientError)])
def test_a_failed_job_fails_its_task_and_leaves_no_event(engine: Engine, status: str, error: type[Exception]) -> None:
    engine(answer(status))
    given = context()
    with pytest.raises(error, match=f"silver.visits {status}"):
        execute(build(), given)
    assert given["outlet_events"][table_asset("silver.visits")].extra == {}


def test_with_lake_python_the_job_runs_as_a_child_and_its_record_is_read(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_PYTHON", sys.executable)
    monkeypatch.setattr("medallion.lake_job.RUN", FAKE_RUN)
    shown = execute(build(days="2013-01-01..2013-01-02"), context())
    assert shown["message"] == f"build silver.visits done for 2013-01-01..2013-01-02 at {server}"


@pytest.mark.usefixtures("server")
def test_a_child_that_dies_without_a_record_is_tried_again_whatever_an_earlier_try_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAKE_PYTHON", sys.executable)
    monkeypatch.setattr("medallion.lake_job.RUN", FAKE_RUN)
    execute(build(days="2013-01-01"), context())
    monkeypatch.setattr("medallion.lake_job.RUN", tmp_path / "missing.py")
    with pytest.raises(TransientError, match=r"no result record .*exit code 2"):
        execute(build(days="2013-01-01"), context())


@pytest.mark.usefixtures("server")
def test_a_training_links_to_its_run_in_mlflow_where_the_server_has_an_address(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    train = LakeJobOperator(task_id="train", verb="train", name="spender")
    [link, _] = train.operator_extra_links
    engine(answer("done", mlflow_run="abc"))
    execute(train, context())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    monkeypatch.delenv("LAKE_MLFLOW_URL", raising=False)
    assert link.get_link(train, ti_key=SimpleNamespace()) == ""  # type: ignore[arg-type]
    monkeypatch.setenv("LAKE_MLFLOW_URL", "http://127.0.0.1:5000/")
    assert link.get_link(train, ti_key=SimpleNamespace()) == "http://127.0.0.1:5000/#/runs/abc"  # type: ignore[arg-type]


def test_a_promotion_needs_no_spark(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SPARK_LAKE", raising=False)
    engine(answer("done"))
    shown = execute(LakeJobOperator(task_id="train.decided", verb="promote", name="spender"), context())
    assert shown == {"status": "done", "message": "silver.visits done at "}


def test_where_no_server_listens_the_task_fails_at_once_and_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    connection(monkeypatch, conn_type="spark_connect", host="127.0.0.1", port=port)
    with pytest.raises(TransientError, match=f"no Spark Connect server answers at 127.0.0.1:{port}"):
        execute(build(), context())


def test_a_connection_that_is_no_json_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_LAKE", "{conn_type: spark}")
    with pytest.raises(RequestError, match=r"^AIRFLOW_CONN_SPARK_LAKE cannot be read as a connection: write JSON with the key conn_type, or a URI"):
        execute(build(), context())


def test_an_unknown_connection_is_one_sentence_and_never_yarn() -> None:
    with pytest.raises(RequestError, match="there is no Airflow connection 'nowhere'; add it with the type spark_connect"):
        execute(build(connection="nowhere"), context())


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"conn_type": "http", "host": "x"}, "has the type 'http'; expected spark_connect or spark or emr: change its type"),
        ({"conn_type": "spark"}, r"names no host; write one like local\[2\]"),
    ],
)
def test_a_connection_of_another_kind_is_one_sentence(monkeypatch: pytest.MonkeyPatch, facts: dict[str, str], sentence: str) -> None:
    connection(monkeypatch, **facts)
    with pytest.raises(RequestError, match=sentence):
        execute(build(), context())


def test_spark_submit_without_jars_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    connection(monkeypatch, conn_type="spark", host="local[2]")
    monkeypatch.setenv("LAKE_JARS", str(tmp_path))
    with pytest.raises(RequestError, match=r"no Delta jars in .*run `make setup`"):
        execute(build(), context())


def test_spark_submit_gets_the_job_delta_its_jars_and_the_connections_own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    jars = tmp_path / "jars"
    jars.mkdir()
    (jars / "delta.jar").touch()
    monkeypatch.setenv("LAKE_JARS", str(jars))
    connection(monkeypatch, conn_type="spark", host="local[2]", extra={"conf": {"spark.executor.memory": "2g"}})
    # In the place of the binary: it writes its arguments down and runs the job, as spark-submit would.
    binary = tmp_path / "spark-submit"
    binary.write_text(f'#!/bin/bash\nprintf "%s\\n" "$@" > {tmp_path}/arguments\nexec {sys.executable} {FAKE_RUN} "${{@: -6}}"\n')
    binary.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    shown = execute(build(days="2013-01-01"), context())
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert shown["status"] == "done"
    assert arguments[arguments.index("--master") + 1] == "local[2]"
    assert f"spark.jars={jars}/delta.jar" in arguments
    assert f"spark.driver.extraClassPath={jars}/delta.jar" in arguments
    assert "spark.executor.memory=2g" in arguments
    assert {"spark.ui.enabled=false", "spark.driver.bindAddress=127.0.0.1"} <= set(arguments)
    assert arguments[-6:] == ["build", "silver.visits", "--run", "shop_daily/manual__1", "--days", "2013-01-01"]


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (DataError("held"), RetryAction.FAIL),
        (RequestError("back to front"), RetryAction.FAIL),
        (LeaseError("taken"), RetryAction.RETRY),
        (ConnectionRefusedError(), RetryAction.RETRY),
        (RuntimeError("grpc"), RetryAction.DEFAULT),
    ],
)
def test_only_the_surroundings_are_worth_another_try(error: Exception, action: RetryAction) -> None:
    assert RETRY_POLICY.evaluate(error, try_number=1, max_tries=2).action is action


@pytest.mark.parametrize(
    ("error", "try_number", "sentence"),
    [
        (LayerError("silver: 1 of 7"), 1, "not tried again: the tables' own tasks say why; see to those and clear them"),
        (DataError("held"), 1, "data failure: not tried again; the data, a contract or the request has to change first"),
        (TransientError("gone"), 1, "the surroundings failed, not the data: tried again in 20 s, this was try 1 of 3"),
        (TransientError("gone"), 3, "the surroundings failed, not the data: this was the last of 3 tries; see to the cause, then clear the task"),
        (RuntimeError("grpc"), 2, "a failure of a kind that is not known here: tried again in 20 s, this was try 2 of 3"),
    ],
)
def test_a_failure_says_of_which_kind_it_is_and_what_follows(error: Exception, try_number: int, sentence: str) -> None:
    assert RETRY_POLICY.evaluate(error, try_number=try_number, max_tries=2).reason == sentence


def test_a_report_needs_no_connection_and_no_server(engine: Engine) -> None:
    engine(answer("done"))
    shown = execute(report_task("shop"), context())
    assert shown == {"status": "done", "message": "silver.visits done at "}


def test_a_run_without_tables_has_its_report_skipped(engine: Engine) -> None:
    engine(answer("unchanged"))
    with pytest.raises(AirflowSkipException, match="unchanged"):
        execute(report_task("shop"), context())


def test_with_lake_python_a_report_is_written_by_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_PYTHON", sys.executable)
    monkeypatch.setattr("medallion.lake_job.RUN", FAKE_RUN)
    assert execute(report_task("shop"), context())["message"] == "report shop done for no days at "


@pytest.mark.usefixtures("server")
def test_an_asset_event_names_the_page_of_its_report(engine: Engine) -> None:
    engine(answer("done", days=["2013-01-01"]))
    given = context()
    execute(build(), given)
    assert given["outlet_events"][table_asset("silver.visits")].extra["report"] == "/lake/reports/shop_daily/manual__1/silver.visits.html"


@pytest.mark.parametrize(
    ("job", "address"),
    [
        (build(), "/lake/reports/shop_daily/manual__2024-05-02T06%3A00%3A00%2B00%3A00/silver.visits.html"),
        (
            LakeJobOperator(task_id="score", verb="score", name="spender", outlets=[table_asset("gold.predictions")]),
            "/lake/reports/shop_daily/manual__2024-05-02T06%3A00%3A00%2B00%3A00/gold.predictions.html",
        ),
        (report_task("shop"), "/lake/reports/shop_daily/manual__2024-05-02T06%3A00%3A00%2B00%3A00/index.html"),
    ],
)
def test_a_task_that_publishes_and_the_one_that_reports_link_to_the_report(job: LakeJobOperator, address: str) -> None:
    (link, *_) = job.operator_extra_links
    key = SimpleNamespace(dag_id="shop_daily", run_id="manual__2024-05-02T06:00:00+00:00")
    assert (link.name, link.get_link(job, ti_key=key)) == ("Quality report", address)


def test_a_task_that_judges_nothing_has_no_link_to_a_report() -> None:
    links = LakeJobOperator(task_id="maintain", verb="maintain", name="silver.visits").operator_extra_links
    assert [link.name for link in links] == ["Spark application"]
