"""Checks over time: a day is judged beside the days before it, before it is published."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from spark_jobs.lake.over_time.profiles import Spread, profile_days

if TYPE_CHECKING:
    from tests.spark_jobs.conftest import Rows
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


def test_days_of_one_run_are_history_for_the_later_ones_unless_they_are_held_with_the_figure(shop: LittleLake) -> None:
    check(shop, "silver.sales", "check: row_count, on_fail: stop, against: days, at_least_days: 2")
    days = [MONDAY + timedelta(days=offset) for offset in range(5)]
    for day, number in zip(days, (4, 4, 40, 40, 5), strict=True):
        sell(shop, day, *goods(number))
    shop.build("bronze.sales", f"{days[0]}..{days[-1]}")
    result = shop.run("build", "silver.sales", f"{days[0]}..{days[-1]}")
    assert result.status == "held"
    sentence = "row_count over time: 40 rows, where the median of the 2 days before is 4; at most 50% off is expected."
    assert result.facts["held"] == {str(day): [sentence] for day in days[2:4]}
    observed = [found(shop, day)["row_count over time"] for day in days]
    assert observed == [(True, "no history yet"), (True, "no history yet"), (False, "40"), (False, "40"), (True, "5")]
    assert {sold_on for (sold_on,) in shop.rows("silver.sales", "sold_on")} == {days[0], days[1], days[4]}


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


def test_a_question_shows_the_figure_and_a_day_that_a_person_lets_through_is_history_for_the_later_days_of_its_run(shop: LittleLake) -> None:
    days = [MONDAY + timedelta(days=offset) for offset in range(3)]
    check(shop, "silver.sales", "check: new_categories, column: item, on_fail: ask, at_least_days: 1")
    for day, item in zip(days, ("tea", "pie", "pie"), strict=True):
        sell(shop, day, f"{item},100")
    assert build(shop, days[0], days[2]) == "asks"
    asked = {question.day: question for question in shop.ledger.decisions.questions("silver.sales")}
    assert list(asked) == [str(days[1]), str(days[2])]
    first = asked[str(days[1])]
    assert (first.rule, first.evidence["observed"]) == ("new_categories(item) over time", "'pie' (1 rows)")
    shop.ledger.decisions.answer(first, "publish", "ada", "we bake now")
    assert build(shop, days[0], days[2], run_id="run-2") == "done"
    assert found(shop, days[2], "run-2") == {"new_categories(item) over time": (True, "none")}
    assert shop.ledger.days("silver.sales")[str(days[2])].clean
    assert shop.ledger.profiles("silver.sales", "item", map(str, days)) == {
        str(day): {f"={item}": 1} for day, item in zip(days, ("tea", "pie", "pie"), strict=True)
    }


def test_profiles_count_nulls_and_zero_and_categories_as_they_are(rows: Rows) -> None:
    sold = rows(
        "sold_on date, item string, cents int, share double",
        *((str(MONDAY), item, cents, share) for item, cents, share in (("tea", 300, 1.0), ("cake", 301, -1.0), ("pie", 0, float("nan")), ("ring", None, 1e20))),
        ("2024-05-07", "tea", 1, 1.0),
        ("2024-05-08", "tea", 1, 1.0),
    )
    spreads = [Spread("item", False), Spread("cents", True), Spread("share", True)]
    assert profile_days(sold, "sold_on", [str(MONDAY), "2024-05-08"], spreads) == {
        (str(MONDAY), "item"): {"=tea": 1, "=cake": 1, "=pie": 1, "=ring": 1},
        (str(MONDAY), "cents"): {"817": 2, "0": 1, "null": 1},
        (str(MONDAY), "share"): {"701": 1, "-701": 1, "nan": 1, "1401": 1},
        ("2024-05-08", "item"): {"=tea": 1},
        ("2024-05-08", "cents"): {"701": 1},
        ("2024-05-08", "share"): {"701": 1},
    }
