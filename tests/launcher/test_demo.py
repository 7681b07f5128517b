"""What the demo does about runs that are there already, and the tables that it ends with. tests/end_to_end runs it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from expectations.ledger import Arrival, DayEntry, Ledger, ModelEntry
from expectations.loader import load_lake
from launcher.demo import awaited, model_figures, next_step, published_table
from launcher.layout import REPOSITORY

MADE = DayEntry("silver.flights", "2013-01-01", "published", 3, "r", "c", "l", {}, rows_out=842, rows_quarantined=1)
FIGURES = {"metrics": {"roc_auc": 0.6651, "rmse": 40.1}, "baseline": {"roc_auc": 0.5, "rmse": 44.0}, "test_days": "2013-01-25..2013-01-31"}


@pytest.mark.parametrize(
    ("run", "step"),
    [(None, "start"), ({"state": "success"}, "nothing"), ({"state": "failed"}, "again"), ({"state": "running"}, "wait"), ({"state": "queued"}, "wait")],
)
def test_a_run_that_ended_well_is_left_alone_and_one_that_failed_runs_again(run, step):
    assert next_step(run) == step


def test_runs_that_failed_before_or_that_people_started_are_not_waited_for():
    runs = [
        ("a_training", {"dag_run_id": "before", "triggered_by": "operator"}),
        ("a_training", {"dag_run_id": "by hand", "triggered_by": "ui"}),
        ("a_inference", {"dag_run_id": "woken", "triggered_by": "operator"}),
    ]
    assert awaited(runs, {"before"}) == runs[2:]


def test_the_tables_that_were_published_are_told_with_their_rows_and_the_newest_version(tmp_path):
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    held = replace(MADE, day="2013-01-03", state="held", version=None, rows_out=7)
    ledger.record([MADE, replace(MADE, day="2013-01-02", version=4, rows_out=943, rows_quarantined=0), held], [])
    ledger.record([], [], [Arrival("silver.flights", "bronze.flights", "2013-01-01", 1, "c.l", ["2013-01-01"], refused=2)])
    assert [line.split() for line in published_table(load_lake(REPOSITORY), ledger).splitlines()] == [
        ["table", "rows", "quarantined", "version"],
        ["silver.flights", "1,785", "3", "4"],
    ]


def test_the_champions_are_told_beside_their_baselines(tmp_path):
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    ledger.record_model(ModelEntry("flight_delay", 1, "r", True, "2013-01-01", "2013-01-31", {}, FIGURES, datetime(2013, 2, 1, tzinfo=UTC)))
    lines = [line.split() for line in model_figures(load_lake(REPOSITORY), ledger).splitlines()]
    assert lines[0] == ["model", "metric", "value", "baseline", "held-out", "days"]
    assert ["flight_delay", "v1", "roc_auc", "0.6651", "0.5000", "2013-01-25..2013-01-31"] in lines
    assert ["arrival_delay", "has", "no", "champion"] in lines
