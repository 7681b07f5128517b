"""What a build knows from the ledger before it reads a row, and which rows of a candidate are published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from expectations.errors import ContractError
from expectations.jobs import JobRequest, JobResult
from expectations.lake import Table
from expectations.ledger import Arrival, DayEntry, Ledger, Verdict
from expectations.loader import load_lake
from expectations.settings import load_settings
from spark_jobs.lake.batch import Batch
from spark_jobs.lake.build import (
    comes_too_late,
    days_around,
    hold_back,
    makes_only_its_days,
    rows_known,
    rows_landed,
    rows_refused,
    rows_to_publish,
    without_days_around,
)
from spark_jobs.lake.gate.judgement import DayCounts, Judgement
from spark_jobs.lake.job import Job
from spark_jobs.lake.planning import Plan, Planner
from spark_jobs.lake.publishing import refuse_other_days
from spark_jobs.lake.rulings import Ruling
from tests.expectations.conftest import GOLD_TOTALS, SILVER_SALES, write_lake

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FIRST, SECOND, THIRD = "2024-05-01", "2024-05-02", "2024-05-03"


@dataclass
class Asked:
    """A job that was asked of the loader's little lake, with a ledger and without Spark."""

    job: Job

    def table(self, name: str) -> Table:
        return self.job.lake.table(name)

    def record(self, table: str, day: str, version: int | None, state: str = "published", run: str = "run-0", **more: Any) -> None:
        """What the ledger has of a day."""
        facts = self.table(table)
        self.job.ledger.record([DayEntry(table, day, state, version, run, facts.contract_hash, facts.logic_hash, {}, **more)], [])  # type: ignore[arg-type]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setenv("LAKE_PROJECT", str(tmp_path))
    limited = ("rules:", "quarantine_limit: {share: 0.3}\nrules:")
    write_lake(tmp_path, {GOLD_TOTALS: ("{days: [-6, 0]}", "{needs: clean}"), SILVER_SALES: limited})
    request = JobRequest(verb="build", name="gold.totals", days=f"{FIRST}..{SECOND}", run_id="run-1")
    return Asked(Job(None, load_settings(), load_lake(tmp_path), Ledger(f"sqlite:///{tmp_path}/ledger.db"), request))  # type: ignore[arg-type]


# how many rows a job expects


def test_the_rows_of_landed_files_are_told_from_their_bytes() -> None:
    assert [rows_landed(sizes) for sizes in ([], [99], [60, 40, 750])] == [0, 0, 8]


def test_the_rows_of_a_tables_inputs_are_known_from_the_ledger(asked: Asked) -> None:
    asked.record("silver.sales", FIRST, 0, rows_out=3)
    asked.record("silver.sales", SECOND, 0, rows_out=40)
    asked.record("gold.totals", FIRST, 0, rows_out=500)
    asked.record("gold.guesses", FIRST, 0, rows_out=600)
    assert rows_known(asked.job, asked.table("gold.totals"), Plan(reads={"silver.sales": (FIRST,)})) == 3
    assert rows_known(asked.job, asked.table("gold.totals"), Plan(reads={"silver.sales": None})) == 43
    whole = rows_known(asked.job, asked.table("gold.guesses"), Plan(reads={"silver.sales": (FIRST,)}))
    assert whole == 603, "what is appended is compared with what is there"


# days that are held since an input is not clean


def test_a_day_whose_input_is_not_clean_is_held_and_keeps_what_was_published_of_it(asked: Asked) -> None:
    asked.record("silver.sales", SECOND, 5, clean=False)
    broken = Verdict("silver.sales", SECOND, "enough", "warn", success=False, rows_judged=1, rows_broken=0)
    asked.record("silver.sales", FIRST, 4)
    asked.job.ledger.record([asked.job.ledger.days("silver.sales")[SECOND]], [broken])
    asked.record("gold.totals", SECOND, 3)
    plan = Plan(refused={SECOND: {"silver.sales": {}}})
    done = JobResult(request=asked.job.request, status="done", message="gold.totals: 1 rows published", facts={"held": {}, "days": [FIRST]})
    result = hold_back(asked.job, asked.table("gold.totals"), plan, done)
    assert result.status == "held"
    assert result.facts == {"held": {SECOND: ["it needs silver.sales clean, which broke enough."]}, "days": [FIRST]}
    assert result.message == (
        f"gold.totals: 1 rows published; gold.totals: held {SECOND}, whose published rows stay as they were: {SECOND}: it needs silver.sales clean, "
        f"which broke enough. Once that is mended, run {FIRST}..{SECOND} again (on Airflow's page: clear the task)."
    )
    (entry,) = asked.job.ledger.days("gold.totals").values()
    assert (entry.day, entry.state, entry.version, entry.run_id, entry.inputs) == (SECOND, "held", 3, "run-1", {"silver.sales": {}})


def test_where_nothing_else_was_done_only_the_held_day_is_told_and_a_question_stays_one(asked: Asked) -> None:
    plan = Plan(refused={SECOND: {"silver.sales": {}}})
    nothing = JobResult(request=asked.job.request, status="unchanged", message="gold.totals: nothing changed; nothing to do")
    assert hold_back(asked.job, asked.table("gold.totals"), plan, nothing).message.startswith(f"gold.totals: held {SECOND}, whose")
    asks = nothing.model_copy(update={"status": "asks"})
    assert hold_back(asked.job, asked.table("gold.totals"), plan, asks).status == "asks"
    (entry,) = asked.job.ledger.days("gold.totals").values()
    assert (entry.state, entry.version, entry.clean) == ("held", None, True)


# rows that do not parse


def test_the_rows_that_do_not_parse_are_those_of_all_files_that_are_read_anew(asked: Asked) -> None:
    for day, unparsed in ((FIRST, 1), (SECOND, 2), (THIRD, 4)):
        asked.record("bronze.sales", day, 0, rows_quarantined=unparsed)
    table = asked.table("silver.sales")
    planner = Planner(asked.job.lake, asked.job.ledger, table, (FIRST,), "run-1")
    plan = Plan(days=(FIRST,), new_arrivals={SECOND: 0, THIRD: 0}, reads={"bronze.sales": (FIRST, SECOND, THIRD), "silver.shops": None})
    assert rows_refused(asked.job, table, planner, plan) == {"bronze.sales": {SECOND: 2, THIRD: 4}}


def test_rows_that_do_not_parse_count_with_the_newest_day_of_their_file_in_every_run(asked: Asked) -> None:
    asked.record("bronze.sales", SECOND, 0, rows_quarantined=4)
    arrival = Arrival("silver.sales", "bronze.sales", SECOND, 0, "code", [FIRST, SECOND])
    inputs = {day: {"bronze.sales": {SECOND: 0}} for day in (FIRST, SECOND)}
    judgement = Judgement({FIRST: DayCounts(1, 1, 0, 0), SECOND: DayCounts(8, 8, 0, 0)}, [], {})
    scanned = Batch(inputs, arrivals=(arrival,), refused={"bronze.sales": {SECOND: 4}})
    settled = Batch({SECOND: inputs[SECOND]})
    for batch in (scanned, settled):  # the next run knows the arrival, and reads nothing anew
        ruling = Ruling(asked.job, asked.table("silver.sales"), batch, "sold_on")
        held = ruling.rule_on(None, judgement).held  # type: ignore[arg-type] # no row is asked for
        assert held == {SECOND: ["quarantine_limit: 4 of 12 rows would go to quarantine, at most 30.0% may."]}
        asked.job.ledger.record([], [], [arrival])


# which rows of a candidate are published

ROWS = [  # item, the day it belongs to, the day it arrived
    ("of a day that is made", FIRST, FIRST),
    ("of a day that is made, from a later file", FIRST, SECOND),
    ("of a day that is not made", SECOND, SECOND),
    ("without a day, from a file that was read before", None, FIRST),
    ("without a day, from a new file", None, THIRD),
    ("too late, from a new file", "2024-04-02", THIRD),
    ("too late, from a file that was read before", "2024-03-31", FIRST),
    ("just in time, of a day that is made", "2024-04-03", THIRD),
]


def test_published_are_the_rows_of_the_days_that_are_made_and_looked_at_those_of_new_files_that_have_none(asked: Asked, spark: SparkSession) -> None:
    table = asked.table("silver.sales")
    typed = [(item, day and date.fromisoformat(day), f"{arrived}/f00d/0/0") for item, day, arrived in ROWS]
    candidate = spark.createDataFrame(typed, "item string, sold_on date, _row string")
    plan = Plan(days=("2024-03-31", "2024-04-03", FIRST), new_arrivals={THIRD: 0})
    is_new = F.col("_row").startswith(THIRD)
    traced = rows_to_publish(table, candidate, plan, is_new).select("item", comes_too_late(table, is_new).alias("is_late")).collect()
    assert {row.item: row.is_late for row in traced} == {
        "of a day that is made": False,
        "of a day that is made, from a later file": False,
        "without a day, from a new file": False,
        "too late, from a new file": True,
        "just in time, of a day that is made": False,
    }
    untraced = rows_to_publish(table, candidate.drop("_row"), plan, None).collect()
    assert sorted(row.item for row in untraced) == [
        "just in time, of a day that is made",
        "of a day that is made",
        "of a day that is made, from a later file",
        "too late, from a file that was read before",
        "without a day, from a file that was read before",
        "without a day, from a new file",
    ]


@pytest.mark.parametrize(
    ("table", "reads", "is_whole"),
    [
        ("gold.totals", {"silver.sales": (FIRST, SECOND)}, True),
        ("gold.totals", {"silver.sales": (FIRST,), "silver.shops": None}, True),
        ("gold.totals", {"silver.shops": None}, False),
        ("silver.sales", {"bronze.sales": (FIRST, SECOND)}, False),
    ],
)
def test_only_where_an_inputs_days_say_which_days_are_made_a_row_of_another_day_is_a_fault(
    asked: Asked, table: str, reads: dict[str, tuple[str, ...] | None], is_whole: bool
) -> None:
    planner = Planner(asked.job.lake, asked.job.ledger, asked.table(table), (FIRST,), "run-1")
    assert makes_only_its_days(planner, Plan(days=(FIRST,), reads=reads)) is is_whole


def test_rows_of_the_days_that_a_look_back_reads_are_left_out_and_those_of_any_other_day_stay_to_be_refused(asked: Asked, spark: SparkSession) -> None:
    plan = Plan(days=(SECOND,), reads={"silver.sales": (FIRST, SECOND), "silver.shops": None})
    assert days_around(plan) == [FIRST]
    assert days_around(Plan(days=(FIRST, SECOND), reads={"silver.sales": (FIRST, SECOND)})) == []
    rows = [("made", SECOND), ("around", FIRST), ("other", THIRD), ("none", None)]
    candidate = spark.createDataFrame([(item, day and date.fromisoformat(day)) for item, day in rows], "item string, sold_on date")
    stays = without_days_around(asked.table("gold.totals"), candidate, plan).collect()
    assert sorted(row.item for row in stays) == ["made", "none", "other"]


def test_rows_of_a_day_that_is_not_made_end_the_job_with_their_day_and_what_to_do(asked: Asked) -> None:
    totals = asked.table("gold.totals")
    refuse_other_days(totals, [SECOND], [FIRST, SECOND])
    with pytest.raises(ContractError) as refused:
        refuse_other_days(totals, [FIRST, THIRD], [SECOND])
    assert str(refused.value) == (
        f"gold.totals: {totals.logic} returned rows whose sold_on is 2024-05-01, 2024-05-03, and this run makes 2024-05-02; nothing was published. "
        "Let sold_on be the day of the input's rows, or read the inputs whole and write: replace_all."
    )
