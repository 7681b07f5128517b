"""What is written into a ledger is what is read from it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from expectations.days import ALL
from expectations.errors import TransientError
from expectations.jobs import JobRequest
from expectations.ledger import Arrival, Attempt, DayEntry, FileEntry, Ledger, ModelEntry, Question, Verdict

FIRST, SECOND, THIRD = "2024-05-01", "2024-05-02", "2024-05-03"
MADE = DayEntry("silver.sales", FIRST, "published", 3, "run-1", "c1", "l1", {"bronze.sales": {FIRST: 2}}, 10, 8, 1, 1, 0.5)
JUDGED = Verdict("silver.sales", FIRST, "fair_price", "quarantine", success=False, rows_judged=10, rows_broken=1, observed="12 %")
ARRIVED = Arrival("silver.sales", "bronze.sales", FIRST, 2, "c1.l1", [FIRST, SECOND], 4)
MODEL = ModelEntry("dear", 1, "run-1", True, FIRST, THIRD, {"gold.x": {FIRST: 1}}, {"auc": 0.7, "inputs": ["a"]}, datetime(2024, 5, 4, 1, 2, 3, tzinfo=UTC))


def test_a_new_ledger_knows_nothing(ledger: Ledger) -> None:
    assert (ledger.days("silver.sales"), ledger.arrivals("silver.sales"), ledger.attempts(), ledger.verdicts("run-1", "silver.sales")) == ({}, [], [], [])
    assert (ledger.file_taken("bronze.sales", FIRST), ledger.champion("dear"), ledger.model_versions("dear")) == (None, None, [])


def test_days_verdicts_and_arrivals_come_back_as_they_were_written(ledger: Ledger) -> None:
    ledger.record([MADE], [JUDGED], [ARRIVED])
    assert ledger.days("silver.sales") == {FIRST: MADE}
    assert ledger.days("silver.sales", [SECOND]) == {}
    assert ledger.days("gold.sales") == {}
    assert ledger.verdicts("run-1", "silver.sales") == [JUDGED]
    assert ledger.arrivals("silver.sales") == [ARRIVED]


def test_a_day_is_its_last_attempt(ledger: Ledger) -> None:
    ledger.record([MADE], [])
    again = replace(MADE, run_id="run-2", version=4, rows_out=9)
    ledger.record([again], [])
    assert ledger.days("silver.sales") == {FIRST: again}
    assert (ledger.days_of_run("run-1", ["silver.sales"]), ledger.days_of_run("run-2", ["silver.sales"])) == (set(), {FIRST})


def test_versions_are_those_of_published_rows(ledger: Ledger) -> None:
    held = replace(MADE, day=SECOND, state="held")
    never = replace(MADE, day=THIRD, state="held", version=None)
    ledger.record([MADE, held, never], [])
    assert ledger.versions("silver.sales") == {FIRST: 3, SECOND: 3}
    assert ledger.days_of_run("run-1", ["silver.sales", "gold.x"]) == {FIRST}
    assert ledger.days_of_run("run-1", []) == set()


def test_the_newest_day_is_the_one_of_the_last_version_that_was_published(ledger: Ledger) -> None:
    later = replace(MADE, day=SECOND, version=10)
    ledger.record([MADE, later, replace(MADE, day=THIRD, state="held", version=11, contract_hash="c2")], [])
    assert ledger.newest("silver.sales") == later
    assert ledger.newest("gold.sales") is None


def test_a_thousand_days_are_asked_for_at_once(ledger: Ledger) -> None:
    days = [f"{year}-{month:02}-{day:02}" for year in (2022, 2023, 2024) for month in range(1, 13) for day in range(1, 29)]
    ledger.record([replace(MADE, day=day) for day in days], [])
    assert sorted(ledger.days("silver.sales", [*days, *days])) == days
    assert ledger.days("silver.sales", []) == {}


def test_record_is_all_or_nothing(ledger: Ledger) -> None:
    broken = replace(JUDGED, rule=None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"(?i)null"):
        ledger.record([MADE], [JUDGED, broken], [ARRIVED])
    assert (ledger.days("silver.sales"), ledger.verdicts("run-1", "silver.sales"), ledger.arrivals("silver.sales")) == ({}, [], [])


def test_a_run_that_is_tried_again_is_judged_once(ledger: Ledger) -> None:
    other = replace(JUDGED, day=SECOND)
    ledger.record([MADE], [JUDGED, other])
    ledger.record([MADE], [replace(JUDGED, success=True, rows_broken=0)])
    assert sorted((verdict.day, verdict.success) for verdict in ledger.verdicts("run-1", "silver.sales")) == [(FIRST, True), (SECOND, False)]
    ledger.record([replace(MADE, run_id="run-2")], [JUDGED])
    assert len(ledger.verdicts("run-1", "silver.sales")) == 2


def test_counts_and_sizes_may_be_beyond_two_thousand_million(ledger: Ledger) -> None:
    many = 5_000_000_000
    ledger.record([replace(MADE, rows_in=many, rows_out=many)], [replace(JUDGED, rows_judged=many)])
    ledger.take_files("run-1", [FileEntry("bronze.sales", FIRST, "a" * 64, "sales/a.csv", many)])
    taken = ledger.file_taken("bronze.sales", FIRST)
    assert ledger.days("silver.sales")[FIRST].rows_in == many
    assert taken and taken.bytes == many


def test_the_file_of_a_day_is_the_one_taken_last(ledger: Ledger) -> None:
    old, new = (FileEntry("bronze.sales", FIRST, letter * 64, "sales/2024-05-01.csv", 10) for letter in "ab")
    for file in (old, new):
        ledger.take_files("run-1", [file])
    assert ledger.file_taken("bronze.sales", FIRST) == new
    ledger.take_files("run-2", [old])
    assert ledger.file_taken("bronze.sales", FIRST) == old
    assert ledger.file_taken("bronze.sales", SECOND) is None
    other = replace(old, day=SECOND, landed_at=datetime(2024, 5, 3, 1, 2, 3, 456_789, tzinfo=UTC))
    ledger.take_files("run-3", [other, replace(other, table="bronze.prices")])
    assert ledger.files_taken("bronze.sales") == {FIRST: old, SECOND: other}
    assert ledger.files_taken("bronze.others") == {}


def test_attempts_are_told_the_latest_first(ledger: Ledger) -> None:
    first = Attempt("run-1", "silver.sales", "held", "it said: ä 'quoted' 100 %", [FIRST], {"rows_in": 10, "held": {FIRST: ["a"]}}, 1.5)
    second = Attempt("run-2", "gold.x", "done", "", [])
    for attempt in (first, second):
        ledger.note(attempt)
    assert ledger.attempts() == [second, first]
    assert ledger.attempts(run_id="run-1") == [first]
    assert ledger.attempts(table="gold.x") == [second]
    assert ledger.attempts(limit=1) == [second]


def test_of_each_wanted_run_the_last_good_job_is_found_however_many_others_came_after(ledger: Ledger) -> None:
    old, first, failed = (Attempt("mine/1", "_reports", status, text, []) for status, text in (("done", "old"), ("done", "new"), ("held", "")))
    other = Attempt("theirs/1", "_reports", "done", "", [])
    second = Attempt("mine/2", "_reports", "done", "", [])
    for attempt in (old, first, second, failed, *[other] * 5, Attempt("mine/3", "silver.sales", "done", "", [])):
        ledger.note(attempt)
    assert ledger.latest_of_runs("_reports", "done", 2, lambda run: run.startswith("mine/")) == [second, first]
    assert ledger.latest_of_runs("_reports", "done", 1, lambda run: run.startswith("mine/")) == [second]
    assert ledger.latest_of_runs("_reports", "done", 2, lambda run: False) == []


def test_the_names_of_a_dag_and_of_its_run_may_be_as_long_as_airflow_lets_them(ledger: Ledger) -> None:
    run = JobRequest(verb="build", name="silver.sales", run_id=f"{'d' * 250}/{'r' * 250}").run_id
    with ledger.lease("silver.sales", run):
        ledger.record([replace(MADE, run_id=run)], [JUDGED])
    ledger.take_files(run, [FileEntry("bronze.sales", FIRST, "a" * 64, "sales/a.csv", 1)])
    ledger.note(Attempt(run, "silver.sales", "done", "", []))
    ledger.record_model(replace(MODEL, run_id=run))
    assert (ledger.verdicts(run, "silver.sales"), [attempt.run_id for attempt in ledger.attempts()]) == ([JUDGED], [run])


def test_a_models_moment_comes_back_in_utc(ledger: Ledger) -> None:
    ledger.record_model(MODEL)
    assert ledger.champion("dear") == MODEL
    assert ledger.model_versions("dear")[0].trained_at.utcoffset() == UTC.utcoffset(None)


def test_a_new_champion_takes_the_title_and_a_challenger_does_not(ledger: Ledger) -> None:
    ledger.record_model(MODEL)
    ledger.record_model(replace(MODEL, model="other"))
    ledger.record_model(replace(MODEL, version=2, champion=False))
    assert ledger.champion("dear") == MODEL
    ledger.record_model(replace(MODEL, version=3), instead_of=1)
    assert [(entry.version, entry.champion) for entry in ledger.model_versions("dear")] == [(3, True), (2, False), (1, False)]
    assert ledger.champion("other") == replace(MODEL, model="other")


def test_a_crown_given_later_takes_the_title_too_and_can_go_back(ledger: Ledger) -> None:
    asked = Question("dear", ALL, "promotion", "v2 abc", "run-2", {"version": 2})
    ledger.record_model(MODEL)
    ledger.record_model(replace(MODEL, model="other"))
    ledger.record_model(replace(MODEL, version=2, champion=False), [asked])
    assert ledger.decisions.questions("dear", "run-2") == [asked]
    for version, instead_of in ((2, 1), (2, 1), (1, 2)):
        ledger.crown("dear", version, instead_of)
        assert [entry.version for entry in ledger.model_versions("dear") if entry.champion] == [version]
    assert ledger.champion("other") == replace(MODEL, model="other")


def test_of_two_versions_compared_with_the_same_champion_the_second_is_refused_whole(ledger: Ledger) -> None:
    asked = Question("dear", ALL, "promotion", "v3 abc", "run-3", {"version": 3})
    ledger.record_model(MODEL)
    ledger.record_model(replace(MODEL, version=2), instead_of=1)
    with pytest.raises(TransientError, match=r"dear: v3 was to be champion in the place of v1, but v2 is champion now; do it again, compared with that"):
        ledger.record_model(replace(MODEL, version=3), [asked], instead_of=1)
    with pytest.raises(TransientError, match="v1 was to be champion in the place of v3, but v2 is champion now"):
        ledger.crown("dear", 1, 3)
    with pytest.raises(TransientError, match="v4 was to be champion in the place of no version, but v2 is champion now"):
        ledger.record_model(replace(MODEL, version=4))
    assert [(entry.version, entry.champion) for entry in ledger.model_versions("dear")] == [(2, True), (1, False)]
    assert ledger.decisions.questions("dear") == []


def test_of_first_versions_that_come_at_once_one_is_champion(ledger: Ledger) -> None:
    def crowned(version: int) -> bool:
        try:
            ledger.record_model(replace(MODEL, version=version))
        except TransientError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        came = list(threads.map(crowned, range(1, 9)))
    assert (came.count(True), [entry.version for entry in ledger.model_versions("dear")]) == (1, [came.index(True) + 1])
