"""What the checks over time say of a day beside the days before it: from literal counts, profiles and a ledger, so without Spark."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from expectations.ledger import FileEntry, Profile
from expectations.loader import load_lake
from expectations.over_time import ArrivalTime, Distribution, Freshness, NewCategories, RowCount
from spark_jobs.lake.batch import Batch
from spark_jobs.lake.gate import DayCounts, Judgement
from spark_jobs.lake.over_time import Comparison, OverTime
from spark_jobs.lake.over_time.history import History
from spark_jobs.lake.over_time.judging import NO_HISTORY, Today, find
from spark_jobs.lake.rulings import Ruling
from tests.spark_jobs.lake.conftest import write_shop
from tests.spark_jobs.lake.parts import job_of, record, without_spark

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame

    from spark_jobs.lake.over_time.profiles import Counts
    from tests.spark_jobs.lake.conftest import LittleLake

SOLD, BRONZE = "silver.sales", "bronze.sales"
MONDAY = date(2024, 5, 6)
D = [str(MONDAY + timedelta(days=offset)) for offset in range(40)]
NOTHING = cast("DataFrame", None)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LittleLake:
    lake = without_spark(tmp_path, monkeypatch)
    write_shop(lake)
    return lake


def today(shop: LittleLake, day: str, rows: int = 0, profiles: dict[str, Counts] | None = None, *, table: str = SOLD, landed: datetime | None = None) -> Today:
    batch = Batch({day: {}}, landed={day: landed} if landed else {})
    return Today(job_of(shop, table), load_lake().table(table), batch, day, rows, profiles or {})


def check(shop: LittleLake, *checks: str, more: str = "") -> None:
    """Write checks over time into silver's contract, in the place of its rules."""
    contract = (shop.project / "expectations/silver/sales.yaml").read_text().partition("rules:")[0]
    lines = "".join(f"  - {{{one}}}\n" for one in checks)
    shop.write("expectations/silver/sales.yaml", f"{contract}{more}over_time:\n{lines}" if checks else contract)


def compare(shop: LittleLake, counts: dict[str, DayCounts], profiles: dict[tuple[str, str], Counts] | None = None, emptied: tuple[str, ...] = ()) -> OverTime:
    """What the contract's checks say of a batch, whose days are published where the contract lets them be."""
    job, table = job_of(shop, SOLD), load_lake().table(SOLD)
    batch = Batch({day: {} for day in [*counts, *emptied]}, frozenset(emptied))
    ruling = Ruling(job, table, batch, "sold_on")
    judgement = Judgement(counts, [], {})
    return Comparison(job, table, batch, "sold_on").compare(profiles or {}, judgement, lambda day, said: ruling.publishes(day, NOTHING, said))


def good(*rows: int) -> dict[str, DayCounts]:
    """So many rows on the days from Monday on, all good."""
    return {day: DayCounts(count, count, 0, 0) for day, count in zip(D, rows, strict=False)}


def said(over: OverTime) -> list[tuple[str, str, bool, str, int]]:
    return [(verdict.day, verdict.rule, verdict.success, verdict.observed, verdict.rows_broken) for verdict in over.verdicts]


# each kind of check


def test_a_day_with_half_the_rows_of_its_weekday_is_told_with_the_figure(shop: LittleLake) -> None:
    rows = {D[7 * week]: 10 + week % 2 for week in range(4)} | {D[7 * week + 1]: 2 for week in range(4)}  # a Tuesday says nothing of a Monday
    check = RowCount(check="row_count", at_most_off=0.4)
    few = find(check, today(shop, D[28], 5), History(rows))
    assert few is not None
    assert (few.success, few.observed) == (False, "5")
    assert few.sentence == "5 rows, where the median of the 4 Mondays before is 10.5; at most 40% off is expected."
    mondays = [find(check, today(shop, D[7 * week], rows[D[7 * week]]), History(rows)) for week in range(4)]
    assert mondays[:3] == [NO_HISTORY] * 3
    assert (NO_HISTORY.success, NO_HISTORY.observed) == (True, "no history yet")
    assert mondays[3] is not None
    assert (mondays[3].success, mondays[3].observed) == (True, "11")


def test_what_is_as_far_off_as_is_allowed_is_kept(shop: LittleLake) -> None:
    check, history = RowCount(check="row_count", against="days", at_most_off=0.4), History(dict.fromkeys(D[:4], 10))
    found = [find(check, today(shop, D[4], rows), history) for rows in (5, 6, 14, 15)]
    assert [finding.success for finding in found if finding] == [False, True, True, False]


def test_an_old_day_that_is_run_again_is_judged_by_the_days_before_it_only(shop: LittleLake) -> None:
    check(shop, "check: row_count, on_fail: stop, against: days, at_least_days: 2, window: 3")
    record(shop, SOLD, dict(zip(D, (4, 4, 4, 6, 6, 8, 9, 12, 13, 18, 19, 27), strict=False)))  # beside the last nine days, five rows would be too few
    over = compare(shop, {D[2]: DayCounts(5, 5, 0, 0)})
    assert (said(over), over.held) == ([(D[2], "row_count over time", True, "5", 0)], {})


def test_a_distribution_is_told_with_its_figure_its_limit_and_the_worst_cell(shop: LittleLake) -> None:
    history = History(profiles={"item": {day: {"=tea": 50, "=pie": 50} for day in D[:3]}})
    psi, ks = (Distribution(check="distribution", column="item", method=method) for method in ("psi", "ks"))
    same = find(psi, today(shop, D[3], 2, {"item": {"=tea": 50, "=pie": 50}}), history)
    moved = find(psi, today(shop, D[3], 2, {"item": {"=tea": 80, "=pie": 20}}), history)
    assert same is not None
    assert (same.success, same.observed) == (True, "0.000")
    assert moved is not None
    assert (moved.success, moved.observed) == (False, "0.406")
    assert moved.sentence.startswith("PSI is 0.406 against the 3 days before, at most 0.2 is expected; most of all ")
    numbers = History(profiles={"item": {day: {"701": 1, "702": 1} for day in D[:3]}})
    half = find(ks, today(shop, D[3], 2, {"item": {"702": 1, "703": 1}}), numbers)
    assert half is not None
    assert (half.success, half.observed) == (False, "0.500")
    assert find(psi, today(shop, D[2], 2, {"item": {"=tea": 1}}), History(profiles={"item": {D[0]: {"=tea": 1}, D[1]: {}}})) == NO_HISTORY


def test_a_new_category_is_named_with_its_rows(shop: LittleLake) -> None:
    check = NewCategories(check="new_categories", column="item")
    history = History(profiles={"item": {day: {"=tea": 1, "=cake": 1} for day in D[:3]}})
    new = find(check, today(shop, D[3], 2, {"item": {"=tea": 1, "=it's pie": 1}}), history)
    assert new is not None
    assert (new.success, new.observed, new.rows_broken) == (False, '"it\'s pie" (1 rows)', 1)
    assert new.sentence == '1 value that none of the 3 days before has, at most 0 are expected: "it\'s pie" (1 rows).'
    none = find(check, today(shop, D[3], 1, {"item": {"=tea": 1}}), history)
    assert none is not None
    assert (none.success, none.observed, none.rows_broken) == (True, "none", 0)


def test_a_file_that_arrives_late_is_told_in_hours_of_the_pipelines_time_zone(shop: LittleLake) -> None:
    pipeline = "shop: {tables: [bronze.sales, silver.sales, gold.totals], time_zone: America/New_York, first_day: 2024-05-01}\n"
    shop.write("expectations/pipelines.yaml", pipeline)
    check = ArrivalTime(check="arrival", within_hours=6)
    landed = {D[0]: datetime(2024, 5, 7, 9, 30, tzinfo=UTC), D[1]: datetime(2024, 5, 8, 11, 30, tzinfo=UTC)}  # midnight in New York is four o'clock UTC
    found = [find(check, today(shop, day, 1, table=BRONZE, landed=moment), History()) for day, moment in landed.items()]
    assert [(finding.success, finding.observed) for finding in found if finding] == [(True, "5.5 hours"), (False, "7.5 hours")]


def test_a_corrected_file_is_not_a_late_one(shop: LittleLake) -> None:
    in_time, later = datetime(2024, 5, 7, 3, tzinfo=UTC), datetime(2024, 5, 15, 3, tzinfo=UTC)
    shop.ledger.take_files("run-1", [FileEntry(BRONZE, D[0], "a-hash", "sales/2024-05-06.csv", 1, in_time)])
    found = find(ArrivalTime(check="arrival", within_hours=6), today(shop, D[0], 1, table=BRONZE, landed=later), History())
    assert found is not None
    assert (found.success, found.observed) == (True, "3.0 hours")


def test_a_file_of_nothing_but_old_rows_is_not_fresh(shop: LittleLake) -> None:
    check = Freshness(check="freshness", at_most_days=1)
    record(shop, BRONZE, {D[0]: 1})
    fresh = find(check, today(shop, D[0], 1), History())
    record(shop, SOLD, {D[0]: 1})
    record(shop, BRONZE, {D[4]: 1})  # the same old dump, under a new name
    old = find(check, today(shop, D[0], 1), History())
    assert [(finding.success, finding.observed) for finding in (fresh, old) if finding] == [(True, "0 days"), (False, "4 days")]


# days of one run, and days that were held


def test_a_broken_check_warns_holds_or_asks_as_the_contract_says(shop: LittleLake) -> None:
    kinds = [f"check: row_count, against: days, at_least_days: 1, on_fail: {what}, name: {what} me" for what in ("warn", "stop", "ask")]
    check(shop, *kinds)
    record(shop, SOLD, {D[0]: 10})
    over = compare(shop, {D[1]: DayCounts(2, 2, 0, 0)})
    sentence = "2 rows, where the median of the 1 days before is 10; at most 50% off is expected."
    assert said(over) == [(D[1], f"{what} me", False, "2", 0) for what in ("warn", "stop", "ask")]
    assert over.held == {D[1]: [f"stop me: {sentence}"]}
    assert [(asked.rule, asked.sentence, asked.judged, asked.observed) for asked in over.asked[D[1]]] == [("ask me", f"ask me: {sentence}", 2, "2")]


def test_days_of_one_run_are_history_for_the_later_ones_unless_they_are_held(shop: LittleLake) -> None:
    check(shop, "check: row_count, on_fail: stop, against: days, at_least_days: 2")
    over = compare(shop, good(4, 4, 40, 40, 5))
    assert [(success, observed) for _, _, success, observed, _ in said(over)] == [
        *[(True, "no history yet")] * 2,
        *[(False, "40")] * 2,
        (True, "5"),
    ]
    assert list(over.held) == D[2:4]


def test_a_day_held_for_its_quarantine_is_no_history_for_the_later_days_of_its_run_nor_of_another(shop: LittleLake) -> None:
    few, items = "check: row_count, against: days, at_least_days: 1", "check: new_categories, column: item, at_least_days: 1"
    check(shop, few, items, more="quarantine_limit: {rows: 1}\n")
    counts = {D[0]: DayCounts(2, 2, 0, 0), D[1]: DayCounts(10, 8, 2, 0), D[2]: DayCounts(2, 2, 0, 0)}
    goods = {f"=item {number}": 1 for number in range(8)}
    profiles = {(D[0], "item"): {"=tea": 1, "=cake": 1}, (D[1], "item"): goods, (D[2], "item"): {"=item 0": 1, "=item 1": 1}}
    together = [
        (D[2], "row_count over time", True, "2", 0),
        (D[2], "new_categories(item) over time", False, "'item 0' (1 rows), 'item 1' (1 rows)", 2),
    ]
    assert said(compare(shop, counts, profiles))[-2:] == together
    record(shop, SOLD, {D[0]: 2})
    record(shop, SOLD, {D[1]: 8}, "held")
    shop.ledger.record([], [], profiles=[Profile(SOLD, D[0], "item", "run-1", profiles[D[0], "item"])])
    assert said(compare(shop, {D[2]: counts[D[2]]}, profiles)) == together


def test_a_day_that_lost_its_last_row_is_not_judged_and_has_an_empty_profile(shop: LittleLake) -> None:
    check(shop, "check: new_categories, column: item, at_least_days: 1")
    over = compare(shop, good(1), {(D[0], "item"): {"=tea": 1}}, emptied=(D[1],))
    assert {profile.day: profile.counts for profile in over.profiles} == {D[0]: {"=tea": 1}, D[1]: {}}
    assert [day for day, *_ in said(over)] == [D[0]]


def test_a_table_without_such_checks_has_no_profiles_and_no_such_verdicts(shop: LittleLake) -> None:
    check(shop)
    batch: Any = Batch({D[0]: {}})
    found = Comparison(job_of(shop, SOLD), load_lake().table(SOLD), batch, "sold_on").judge(NOTHING, Judgement(good(1), [], {}))
    assert found == OverTime()
