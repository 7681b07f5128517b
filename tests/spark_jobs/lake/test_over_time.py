"""Checks over time: a day is judged beside the days before it, before it is published."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEADER = "sold_on,item,cents"
MONDAY = date(2024, 5, 6)


def check(lake: LittleLake, table: str, *checks: str) -> None:
    """Write checks over time into a table's contract, in the place of its rules."""
    file = f"expectations/{table.replace('.', '/')}.yaml"
    contract = (lake.project / file).read_text().partition("rules:")[0]
    lines = "".join(f"  - {{{one}}}\n" for one in checks)
    lake.write(file, f"{contract}over_time:\n{lines}")


def sell(lake: LittleLake, day: date, *sales: str) -> None:
    lake.land(f"sales/{day}.csv", HEADER, *(f"{day},{sale}" for sale in sales))


def build(lake: LittleLake, first: date, last: date | None = None, run_id: str = "run-1") -> str:
    """Build bronze and silver; the status of silver."""
    days = f"{first}..{last or first}"
    lake.build("bronze.sales", days, run_id)
    return lake.run("build", "silver.sales", days, run_id).status


def found(lake: LittleLake, day: date, run_id: str = "run-1", table: str = "silver.sales") -> dict[str, tuple[bool, str]]:
    """What the checks over time said of a day: success and figure."""
    verdicts = lake.ledger.verdicts(run_id, table)
    return {verdict.rule: (verdict.success, verdict.observed) for verdict in verdicts if verdict.day == str(day) and "over time" in verdict.rule}


def goods(number: int, cents: int = 100) -> list[str]:
    return [f"item {one},{cents}" for one in range(number)]


def test_a_day_with_half_the_rows_of_its_weekday_is_held_with_the_figure(shop: LittleLake) -> None:
    check(shop, "silver.sales", "check: row_count, on_fail: stop, at_most_off: 0.4")
    weeks = [MONDAY + timedelta(days=7 * week) for week in range(4)]
    for week, day in enumerate(weeks):
        sell(shop, day, *goods(10 + week % 2))
        sell(shop, day + timedelta(days=1), *goods(2))  # a Tuesday says nothing of a Monday
    assert build(shop, weeks[0], weeks[-1]) == "done"
    assert [found(shop, day) for day in weeks] == [{"row_count over time": (True, observed)} for observed in (*["no history yet"] * 3, "11")]
    bad = MONDAY + timedelta(days=28)
    sell(shop, bad, *goods(5))
    shop.build("bronze.sales", str(bad), "run-2")
    result = shop.run("build", "silver.sales", str(bad), "run-2")
    assert result.status == "held"
    sentence = "row_count over time: 5 rows, where the median of the 4 Mondays before is 10.5; at most 40% off is expected."
    assert result.facts["held"] == {str(bad): [sentence]}
    assert found(shop, bad, "run-2") == {"row_count over time": (False, "5")}
    assert bad not in {sold_on for (sold_on,) in shop.rows("silver.sales", "sold_on")}


def test_days_of_one_run_are_history_for_the_later_ones_unless_they_are_held(shop: LittleLake) -> None:
    check(shop, "silver.sales", "check: row_count, on_fail: stop, against: days, at_least_days: 2")
    for offset, number in enumerate((4, 4, 40, 40, 5)):
        sell(shop, MONDAY + timedelta(days=offset), *goods(number))
    assert build(shop, MONDAY, MONDAY + timedelta(days=4)) == "held"
    observed = [found(shop, MONDAY + timedelta(days=offset))["row_count over time"] for offset in range(5)]
    assert observed == [(True, "no history yet"), (True, "no history yet"), (False, "40"), (False, "40"), (True, "5")]


def test_a_day_held_for_its_quarantine_is_no_history_for_the_later_days_of_its_run(shop: LittleLake) -> None:
    days = [str(MONDAY + timedelta(days=offset)) for offset in range(3)]
    check(shop, "silver.sales", "check: row_count, against: days, at_least_days: 1", "check: new_categories, column: item, at_least_days: 1")
    contract = (shop.project / "expectations/silver/sales.yaml").read_text()
    low = "rules: [{expect: expect_column_values_to_be_between, column: cents, min_value: 0, on_fail: quarantine, name: fair_price}]\n"
    shop.write("expectations/silver/sales.yaml", f"{contract}{low}quarantine_limit: {{rows: 1}}\n")
    sell(shop, MONDAY, "tea,1", "cake,1")
    sell(shop, MONDAY + timedelta(days=1), *goods(8), "tea,-1", "cake,-1")
    sell(shop, MONDAY + timedelta(days=2), *goods(2))
    assert build(shop, MONDAY, MONDAY + timedelta(days=2)) == "held"
    assert [day for day, entry in shop.ledger.days("silver.sales").items() if entry.state == "held"] == [days[1]]
    together = found(shop, MONDAY + timedelta(days=2))
    assert together == {"row_count over time": (True, "2"), "new_categories(item) over time": (False, "'item 0' (1 rows), 'item 1' (1 rows)")}
    assert shop.run("build", "silver.sales", days[2], "run-2", force=True).status == "done"
    assert found(shop, MONDAY + timedelta(days=2), "run-2") == together


def test_a_day_that_a_person_lets_through_is_history_for_the_later_days_of_its_run(shop: LittleLake) -> None:
    days = [MONDAY + timedelta(days=offset) for offset in range(3)]
    check(shop, "silver.sales", "check: new_categories, column: item, on_fail: ask, at_least_days: 1")
    for day, item in zip(days, ("tea", "pie", "pie"), strict=True):
        sell(shop, day, f"{item},100")
    assert build(shop, days[0], days[2]) == "asks"
    asked = {question.day: question for question in shop.ledger.decisions.questions("silver.sales")}
    assert list(asked) == [str(days[1]), str(days[2])]
    shop.ledger.decisions.answer(asked[str(days[1])], "publish", "ada", "we bake now")
    assert build(shop, days[0], days[2], run_id="run-2") == "done"
    assert found(shop, days[2], "run-2") == {"new_categories(item) over time": (True, "none")}
    assert shop.ledger.days("silver.sales")[str(days[2])].clean


def test_a_day_that_lost_its_last_row_has_an_empty_profile(shop: LittleLake) -> None:
    tuesday = MONDAY + timedelta(days=1)
    check(shop, "silver.sales", "check: new_categories, column: item, at_least_days: 1")
    shop.land(f"sales/{MONDAY}.csv", HEADER, f"{MONDAY},tea,300", f"{tuesday},pie,300")
    assert build(shop, MONDAY) == "done"
    sell(shop, MONDAY, "tea,300")
    assert build(shop, MONDAY, run_id="run-2") == "done"
    assert shop.ledger.days("silver.sales")[str(tuesday)].rows_out == 0
    assert shop.ledger.profiles("silver.sales", "item", [str(MONDAY), str(tuesday)]) == {str(MONDAY): {"=tea": 1}, str(tuesday): {}}


def test_an_old_day_that_is_run_again_is_judged_by_the_days_before_it_only(shop: LittleLake) -> None:
    check(shop, "silver.sales", "check: row_count, on_fail: stop, against: days, at_least_days: 2, window: 3")
    for offset, number in enumerate((4, 4, 4, 6, 6, 8, 9, 12, 13, 18, 19, 27)):  # beside the last nine days, five rows would be too few
        sell(shop, MONDAY + timedelta(days=offset), *goods(number))
    assert build(shop, MONDAY, MONDAY + timedelta(days=11)) == "done"
    old = MONDAY + timedelta(days=2)
    sell(shop, old, *goods(5))
    assert build(shop, old, run_id="run-2") == "done"
    assert found(shop, old, "run-2") == {"row_count over time": (True, "5")}


def test_a_stable_week_then_a_shifted_day_is_told_by_psi_and_by_ks(shop: LittleLake) -> None:
    psi, ks = "check: distribution, column: cents, at_least_days: 3", "check: distribution, column: cents, method: ks, name: ks over time"
    check(shop, "silver.sales", psi, ks)
    for offset in range(7):
        sell(shop, MONDAY + timedelta(days=offset), *(f"item {one},{10 * (one % 20 + 1)}" for one in range(100)))
    shifted = MONDAY + timedelta(days=7)
    sell(shop, shifted, *(f"item {one},{10 * (one % 20 + 11)}" for one in range(100)))
    assert build(shop, MONDAY, shifted) == "done"
    stable = found(shop, shifted - timedelta(days=1))
    assert stable == {"distribution(cents) over time": (True, "0.000"), "ks over time": (True, "0.000")}
    moved = found(shop, shifted)
    assert moved["ks over time"] == (False, "0.500")
    assert moved["distribution(cents) over time"][0] is False
    assert float(moved["distribution(cents) over time"][1]) > 2
    assert shop.ledger.days("silver.sales", [str(shifted)])[str(shifted)].clean is False


def test_a_new_category_is_named_with_its_rows(shop: LittleLake) -> None:
    check(shop, "silver.sales", "check: new_categories, column: item, on_fail: stop")
    for offset in range(3):
        sell(shop, MONDAY + timedelta(days=offset), "tea,300", "cake,450")
    last = MONDAY + timedelta(days=3)
    sell(shop, last, "tea,300", "it's pie,200")
    assert build(shop, MONDAY, last - timedelta(days=1)) == "done"
    shop.build("bronze.sales", str(last), "run-2")
    result = shop.run("build", "silver.sales", str(last), "run-2")
    expected = 'new_categories(item) over time: 1 value that none of the 3 days before has, at most 0 are expected: "it\'s pie" (1 rows).'
    assert result.facts["held"] == {str(last): [expected]}
    assert [verdict.rows_broken for verdict in shop.ledger.verdicts("run-2", "silver.sales") if verdict.rule.startswith("new")] == [1]


def test_a_question_shows_the_figure_and_an_answer_lets_the_day_through(shop: LittleLake) -> None:
    check(shop, "silver.sales", "check: new_categories, column: item, on_fail: ask, at_least_days: 1")
    sell(shop, MONDAY, "tea,300")
    second = MONDAY + timedelta(days=1)
    sell(shop, second, "pie,200")
    assert build(shop, MONDAY, second) == "asks"
    (question,) = shop.ledger.decisions.questions("silver.sales")
    assert (question.day, question.rule, question.evidence["observed"]) == (str(second), "new_categories(item) over time", "'pie' (1 rows)")
    shop.ledger.decisions.answer(question, "publish", "ada", "we bake now")
    assert build(shop, second, run_id="run-2") == "done"
    assert shop.ledger.profiles("silver.sales", "item", [str(second)]) == {str(second): {"=pie": 1}}


def test_profiles_are_of_what_was_published_and_count_nulls_and_zero(shop: LittleLake) -> None:
    check(shop, "silver.sales", "check: distribution, column: cents", "check: distribution, column: item")
    sell(shop, MONDAY, "tea,300", "cake,301", "pie,0", "ring,NA")
    assert build(shop, MONDAY) == "done"
    assert shop.ledger.profiles("silver.sales", "cents", [str(MONDAY)]) == {str(MONDAY): {"817": 2, "0": 1, "null": 1}}
    assert shop.ledger.profiles("silver.sales", "item", [str(MONDAY)]) == {str(MONDAY): {"=tea": 1, "=cake": 1, "=pie": 1, "=ring": 1}}


def test_a_table_without_such_checks_has_no_profiles_and_no_such_verdicts(shop: LittleLake) -> None:
    sell(shop, MONDAY, "tea,300")
    assert build(shop, MONDAY) == "done"
    assert shop.ledger.profiles("silver.sales", "cents", [str(MONDAY)]) == {}
    assert found(shop, MONDAY) == {}


def landed(lake: LittleLake, day: date, moment: datetime) -> None:
    """Say that the day's file was written at this moment."""
    os.utime(lake.project / f"landing/sales/{day}.csv", (moment.timestamp(), moment.timestamp()))


def test_a_file_that_arrives_late_is_told_in_hours_of_the_pipelines_time_zone(shop: LittleLake) -> None:
    pipeline = "shop: {tables: [bronze.sales, silver.sales, gold.totals], time_zone: America/New_York, first_day: 2024-05-01}\n"
    shop.write("expectations/pipelines.yaml", pipeline)
    check(shop, "bronze.sales", "check: arrival, within_hours: 6")
    tuesday = MONDAY + timedelta(days=1)
    for day, hour in ((MONDAY, 9), (tuesday, 11)):  # midnight in New York is four o'clock UTC
        sell(shop, day, "tea,300")
        landed(shop, day, datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC) + timedelta(days=1))
    build(shop, MONDAY, tuesday)
    assert found(shop, MONDAY, table="bronze.sales") == {"arrival over time": (True, "5.5 hours")}
    assert found(shop, tuesday, table="bronze.sales") == {"arrival over time": (False, "7.5 hours")}


def test_a_corrected_file_is_not_a_late_one(shop: LittleLake) -> None:
    check(shop, "bronze.sales", "check: arrival, within_hours: 6, on_fail: stop")
    for day_after, cents in ((1, 300), (9, 350)):
        sell(shop, MONDAY, f"tea,{cents}")
        landed(shop, MONDAY, datetime(2024, 5, 6, 3, tzinfo=UTC) + timedelta(days=day_after))
        build(shop, MONDAY, run_id=f"run-{cents}")
        assert found(shop, MONDAY, f"run-{cents}", "bronze.sales") == {"arrival over time": (True, "3.0 hours")}
    assert shop.rows("silver.sales", "cents") == [(350,)]


def test_a_file_of_nothing_but_old_rows_is_not_fresh(shop: LittleLake) -> None:
    check(shop, "silver.sales", "check: freshness, at_most_days: 1")
    sell(shop, MONDAY, "tea,300")
    build(shop, MONDAY)
    assert found(shop, MONDAY) == {"freshness over time": (True, "0 days")}
    later = MONDAY + timedelta(days=4)
    shop.land(f"sales/{later}.csv", HEADER, f"{MONDAY},cake,450")  # the same old dump, under a new name
    build(shop, later, run_id="run-2")
    assert found(shop, MONDAY, "run-2") == {"freshness over time": (False, "4 days")}
