from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from expectations.errors import RequestError
from expectations.ledger import DayEntry
from medallion.asked_days import model_days, pipeline_days, require_days
from medallion.lake_ledger import open_ledger

if TYPE_CHECKING:
    from pathlib import Path


def run(partition_key: str | None = None, **conf: Any) -> Any:
    return SimpleNamespace(partition_key=partition_key, conf=conf, run_after=datetime(2013, 2, 1, 3, tzinfo=UTC))


def days(form: dict[str, str | None], partition_key: str | None = None) -> str:
    return pipeline_days(form, run(partition_key), "shop")


def test_the_forms_days_win_over_the_partition() -> None:
    assert days({"first_day": "2013-01-01", "last_day": "2013-01-31"}, "2013-05-05") == "2013-01-01..2013-01-31"


def test_one_day_of_the_form_means_that_day() -> None:
    assert days({"first_day": "2013-01-05", "last_day": None}) == "2013-01-05..2013-01-05"


def test_a_partition_is_its_day() -> None:
    assert days({"first_day": None, "last_day": None}, "2013-05-05") == "2013-05-05..2013-05-05"


def test_an_empty_form_means_the_day_before_the_click_in_the_pipelines_time_zone() -> None:
    assert days({}) == "2013-01-30..2013-01-30"


def test_a_range_back_to_front_is_refused_in_one_sentence() -> None:
    with pytest.raises(RequestError, match="back to front: first_day 2013-01-03 is after last_day 2013-01-01; swap them"):
        days({"first_day": "2013-01-03", "last_day": "2013-01-01"})


def test_a_mistyped_field_is_refused_and_does_not_mean_yesterday() -> None:
    with pytest.raises(RequestError) as refused:
        pipeline_days({"frist_day": "2013-01-01"}, run(frist_day="2013-01-01"), "shop")
    assert str(refused.value) == "the form has no field 'frist_day'; known are first_day, last_day, force, triggered_by. Did you mean \"first_day\"?"


def test_a_last_day_alone_is_refused_in_one_sentence() -> None:
    sentence = "last_day is '2013-01-05' and first_day is empty; fill in first_day too, or for one day first_day alone"
    for form in ({"last_day": "2013-01-05"}, {"first_day": None, "last_day": "2013-01-05"}):
        with pytest.raises(RequestError, match=sentence):
            days(form)
        with pytest.raises(RequestError, match=sentence):
            model_days(form, run(), "spender")


def test_days_that_the_pipeline_does_not_have_are_refused_and_do_not_end_green_with_nothing_done() -> None:
    with pytest.raises(RequestError, match=r"shop has days from 2013-01-01 to 2013-12-31, asked were 2014-01-01..2014-01-01; fill in first_day"):
        days({"first_day": "2014-01-01"})


def refusal(form: dict[str, str | None]) -> str:
    with pytest.raises(RequestError) as caught:
        days(form)
    return str(caught.value)


def test_a_refusal_names_the_nearest_days_that_landed_in_the_folder_or_were_taken_from_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAKE_LANDING", str(tmp_path / "landing"))
    next_year: dict[str, str | None] = {"first_day": "2014-01-01"}
    assert refusal(next_year).endswith("expectations/pipelines.yaml. None of its days has landed yet.")
    for name in ("visits/2013-01-30.csv", "visits/2013-01-31.csv", "visits/2014-01-01.csv", "visits/2013-05-05.txt", "shops/2013-06-06.csv"):
        file = tmp_path / "landing" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert refusal(next_year) == (
        "shop has days from 2013-01-01 to 2013-12-31, asked were 2014-01-01..2014-01-01; fill in first_day and last_day, or change "
        "expectations/pipelines.yaml. The nearest days that landed: 2013-01-30..2013-01-31."
    )
    open_ledger().record([DayEntry("bronze.visits", "2013-02-01", "published", 0, "run-1", "c", "", {})], [])
    assert refusal(next_year).endswith("The nearest days that landed: 2013-01-30..2013-02-01.")


def test_days_are_refused_by_the_same_sentence_where_nobody_can_say_what_landed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_LANDING", "nowhere://landing")
    monkeypatch.setenv("LAKE_LEDGER_URL", "nothing")
    assert refusal({"first_day": "2014-01-01"}).endswith("or change expectations/pipelines.yaml.")


def test_an_empty_form_of_a_pipeline_whose_days_are_over_is_refused_with_the_days_to_ask_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAKE_LANDING", str(tmp_path))
    (tmp_path / "visits").mkdir()
    (tmp_path / "visits/2013-12-31.csv").touch()
    later = SimpleNamespace(partition_key=None, conf={}, run_after=datetime(2026, 2, 1, tzinfo=UTC))
    with pytest.raises(RequestError, match=r"asked were 2026-01-30..2026-01-30; .* The nearest day that landed: 2013-12-31\."):
        pipeline_days({"first_day": None, "last_day": None}, cast("Any", later), "shop")


def test_inference_without_days_names_none() -> None:
    assert model_days({"first_day": None, "last_day": None, "version": None}, run("2013-05-05"), "spender") == ""
    assert model_days({"first_day": "2013-01-05"}, run(), "spender") == "2013-01-05..2013-01-05"


def test_a_version_needs_a_table_for_what_it_says() -> None:
    with pytest.raises(RequestError, match=r"spender has no table for what a named version says; add `comparisons: gold\.<table>` to .*spender\.yaml"):
        model_days({"version": 1}, run(version=1), "spender")


def test_a_mistyped_field_does_not_let_the_champion_score_everything() -> None:
    with pytest.raises(RequestError, match=r"the form has no field 'versoin'; .* Did you mean \"version\"\?"):
        model_days({}, run(versoin=1), "spender")


@pytest.mark.parametrize("found", [None, ""])
def test_a_task_of_a_run_without_days_is_skipped(found: str | None) -> None:
    with pytest.raises(AirflowSkipException, match="the run has no days"):
        require_days(cast("Any", {"ti": SimpleNamespace(xcom_pull=lambda task_ids: found)}))


def test_a_task_of_a_run_with_days_is_not() -> None:
    assert require_days(cast("Any", {"ti": SimpleNamespace(xcom_pull=lambda task_ids: {"resolve_days": "2013-01-01..2013-01-02"}[task_ids])})) is None
