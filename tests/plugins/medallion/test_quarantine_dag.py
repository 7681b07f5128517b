from __future__ import annotations

import json
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.execution_time.context import OutletEventAccessors

from expectations.errors import RequestError
from expectations.jobs import JobRequest, JobResult
from expectations.review import Review
from medallion.quarantine_dag import DECISIONS, REPLAYED, ReviewOperator, what_follows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Engine = Callable[[Callable[[JobRequest, str | None], JobResult]], None]

EMPTY = {"table": "silver.visits", "action": "look", "first_day": None, "last_day": None, "rule": None, "rows": None, "values": None, "reason": None}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Listens where the connection `spark_lake` points to, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        facts = {"conn_type": "spark_connect", "host": "127.0.0.1", "port": listening.getsockname()[1]}
        monkeypatch.setenv("AIRFLOW_CONN_SPARK_LAKE", json.dumps(facts))
        yield


def context(**form: Any) -> Any:
    run = SimpleNamespace(dag_id="quarantine_replay", run_id="manual__1", conf=form, triggering_user_name="mia")
    return {"dag_run": run, "params": {**EMPTY, **form}, "outlet_events": OutletEventAccessors()}


def task(**fields: Any) -> ReviewOperator:
    job = ReviewOperator(task_id=fields.pop("task_id", "look"), **fields)
    job.name = "silver.visits"  # as Airflow renders it
    return job


def execute(job: ReviewOperator, given: Any) -> Any:
    return job.execute(given, ReviewOperator__sentinel=ExecutorSafeguard.sentinel_value)


def test_the_form_becomes_the_decision_with_the_name_of_who_sent_it() -> None:
    form = {
        "action": "edit",
        "rows": "a/b/0/1\nc/d/0/2",
        "values": {"spent": "5.10", "open": True, "shop": None},
        "reason": "asked {{ them }}",
        "first_day": "2013-01-02",
    }
    request = task(only_for=DECISIONS).request(context(**form))
    assert request.review == Review(
        action="edit", rows=("a/b/0/1", "c/d/0/2"), values={"spent": "5.10", "open": "true", "shop": None}, reason="asked {{ them }}", who="mia"
    )
    assert (request.verb, request.name, request.days, request.run_id) == (
        "quarantine",
        "silver.visits",
        "2013-01-02..2013-01-02",
        "quarantine_replay/manual__1",
    )


@pytest.mark.parametrize(("number", "shown"), [(1.10, "1.1"), (5, "5"), (float("inf"), "inf")])
def test_a_number_of_the_form_is_refused_as_nobody_knows_how_it_was_written(number: float, shown: str) -> None:
    form = {"action": "edit", "rows": "a/b/0/1", "values": {"spent": number}, "reason": "asked"}
    with pytest.raises(RequestError, match=f"the new value of 'spent' is the number {shown}; put it into quotes"):
        task(only_for=DECISIONS).request(context(**form))


def test_a_look_before_an_edit_shows_the_rows_and_checks_the_whole_form() -> None:
    look = task(action="look")
    form = {"action": "edit", "rows": "a/b/0/1", "values": {"spent": "5"}}
    with pytest.raises(RequestError, match="edit: why\\? Fill in `reason`"):
        look.request(context(**form))
    review = look.request(context(**form, reason="asked")).review
    assert review is not None
    assert (review.action, review.rows, review.values) == ("look", ("a/b/0/1",), None)


def test_a_last_day_alone_is_refused_rather_than_meaning_one_day_or_all() -> None:
    with pytest.raises(RequestError, match="last_day is '2013-01-02' and first_day is empty; fill in first_day too"):
        task(action="look").request(context(last_day="2013-01-02"))


def test_a_mistyped_field_is_refused_rather_than_meaning_all_rows() -> None:
    given = context(action="replay")
    given["dag_run"].conf = {"action": "replay", "row": "a"}
    with pytest.raises(RequestError, match=r"the form has no field 'row'.*Did you mean \"rows\""):
        task(action="replay").request(given)


@pytest.mark.parametrize(("only_for", "skipped"), [(DECISIONS, ["look", "replay"]), (REPLAYED, ["look", "discard"])], ids=["decide", "replay"])
def test_a_task_that_the_action_does_not_need_is_skipped(only_for: tuple[str, ...], skipped: list[str]) -> None:
    for action in skipped:
        with pytest.raises(AirflowSkipException):
            execute(task(only_for=only_for), context(action=action))


def test_only_a_replay_leads_to_the_page_of_its_table() -> None:
    run: Any = SimpleNamespace(dag_id="quarantine_replay", run_id="manual__1")
    (link, _) = task(action="replay").operator_extra_links
    assert link.get_link(task(action="replay"), ti_key=run) == "/lake/reports/quarantine_replay/manual__1/silver.visits.html"
    others = [*task(action="look").operator_extra_links, *task(only_for=DECISIONS).operator_extra_links]
    assert {other.name for other in others} == {"Spark application"}


@pytest.mark.usefixtures("server")
def test_what_a_look_finds_is_in_the_log_and_handed_on(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"waiting": 1, "rows": [{"id": "a/b/0/1"}], "shown": ["a/b/0/1 | type(spent)"]}
    engine(lambda request, remote: JobResult(request=request, status="done", message="1 row waits", facts=facts))
    found = execute(task(action="look"), context())
    assert (found["message"], found["waiting"], found["rows"]) == ("1 row waits", 1, [{"id": "a/b/0/1"}])
    assert "a/b/0/1 | type(spent)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("replayed", "days"),
    [
        ({"days": ["2013-01-03", "2013-01-02"], "arrival_days": ["2013-01-04"]}, ("2013-01-02", "2013-01-04")),
        ({"days": ["2012-12-31", "2013-01-02"]}, ("2013-01-02", "2013-01-02")),
        ({"days": ["all"], "arrival_days": ["2013-01-04"]}, ("2013-01-04", "2013-01-04")),
        ({"days": []}, None),
        (None, None),
    ],
    ids=["days of rows and files", "a day before the pipeline's first", "a table without days", "nothing published", "no replay"],
)
def test_the_pipeline_follows_for_the_days_that_were_touched(replayed: dict[str, Any] | None, days: tuple[str, str] | None) -> None:
    ti: Any = SimpleNamespace(xcom_pull=lambda task_ids: replayed)
    wanted = {"dag_id": "shop_daily", "first_day": days[0], "last_day": days[1]} if days else None
    assert what_follows("silver.visits", ti) == wanted
