"""One fault a lake, and the sentence that the loader says of it: checks over time, and columns that may drift."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.loader import load_lake
from expectations.over_time import ArrivalTime, Distribution, NewCategories, RowCount
from tests.expectations.conftest import BRONZE_SALES, GOLD_TOTALS, SILVER_SALES, SILVER_SHOPS, Change, Refusal, write_lake

SALES = "expectations/silver/sales.yaml"


def over_time(check: str) -> dict[str, Change]:
    """The good lake with one check over time in silver.sales; it stands in line 9."""
    return {SILVER_SALES: ("write: replace_days\n", f"write: replace_days\nover_time: [{{{check}}}]\n")}


CHECKS = [
    pytest.param(
        over_time("check: row_cont"),
        f"{SALES}:9: over_time.0: Input tag 'row_cont' found using 'check' does not match any of the expected tags: "
        "'row_count', 'arrival', 'freshness', 'distribution', 'new_categories'. Did you mean \"row_count\"?",
        id="an unknown check",
    ),
    pytest.param(
        over_time("check: row_count, at_most_of: 0.5"),
        f"{SALES}:9: unknown key 'at_most_of'; known are against, at_least_days, at_most_off, check, name, on_fail, window. Did you mean \"at_most_off\"?",
        id="a misspelt key",
    ),
    pytest.param(
        over_time("check: row_count, on_fail: quarantine"),
        f"{SALES}:9: over_time.0.on_fail: Input should be 'warn', 'stop' or 'ask' (found 'quarantine').",
        id="a check that would quarantine rows",
    ),
    pytest.param(over_time("check: arrival"), f"{SALES}:9: the key 'over_time.0.within_hours' is missing; add it.", id="an arrival without hours"),
    pytest.param(
        over_time("check: arrival, within_hours: 6"),
        f"{SALES}:9: arrival over time: files arrive at bronze tables, and silver.sales has inputs; write freshness here, or arrival in bronze.",
        id="an arrival in silver",
    ),
    pytest.param(
        over_time("check: row_count, window: 14"),
        f"{SALES}:9: row_count over time: a window of 14 days has at most 2 to compare with, so at_least_days 3 is never reached.",
        id="a window with too few weekdays",
    ),
    pytest.param(
        over_time("check: distribution, column: cent"),
        f"{SALES}:9: distribution(cent) over time: there is no column 'cent'. Did you mean \"cents\"?",
        id="an unknown column",
    ),
    pytest.param(
        over_time("check: distribution, column: sold_on"),
        f"{SALES}:9: distribution(sold_on) over time: sold_on is date; its values are looked at where it is a number, a string or a boolean.",
        id="a distribution of dates",
    ),
    pytest.param(
        over_time("check: distribution, column: item, method: ks"),
        f"{SALES}:9: distribution(item) over time: item is string, and KS compares numbers; write method: psi.",
        id="KS of texts",
    ),
    pytest.param(
        over_time("check: distribution, column: cents, method: ks, at_most: 15"),
        f"{SALES}:9: distribution(cents) over time: KS is a share from 0 to 1, so it is never above at_most 15.0; write 0.15, or leave it out.",
        id="KS in percent",
    ),
    pytest.param(
        over_time("check: new_categories, column: item, at_most: true"),
        f"{SALES}:9: over_time.0.at_most: Input should be a valid integer (found True).",
        id="a flag where a number belongs",
    ),
    pytest.param(
        over_time("check: new_categories, column: cents"),
        f"{SALES}:9: new_categories(cents) over time: cents is int, and categories are texts; make it a string, or write distribution.",
        id="categories of numbers",
    ),
    pytest.param(
        over_time("check: row_count}, {check: row_count, against: days"),
        f"{SALES}:9: a second rule 'row_count over time'; give one of them another name.",
        id="two checks of one name",
    ),
    pytest.param(
        over_time("check: row_count, name: grain"), f"{SALES}:9: a second rule 'grain'; give one of them another name.", id="the name of an engine's rule"
    ),
    pytest.param(
        {SILVER_SHOPS: ("write: replace_all", "write: replace_all\nover_time: [{check: row_count}]")},
        "expectations/silver/shops.yaml:6: silver.shops has no `day`, and a check over time compares days; add a day, or take over_time away.",
        id="a table without days",
    ),
    pytest.param(
        {BRONZE_SALES: ("source:", "over_time: [{check: freshness}]\nsource:")},
        "expectations/bronze/sales.yaml:3: freshness over time: bronze.sales has no inputs to be as fresh as; write arrival.",
        id="freshness in bronze",
    ),
    pytest.param(
        {BRONZE_SALES: ("source:", "over_time: [{check: distribution, column: cents}]\nsource:")},
        ("expectations/bronze/sales.yaml:3: distribution(cents) over time: bronze keeps texts as they arrived; look at the typed column in silver."),
        id="a distribution in bronze",
    ),
    pytest.param(
        {GOLD_TOTALS: ("inputs: [{silver.sales: {days: [-6, 0]}}]", "inputs: [silver.shops]\nover_time: [{check: freshness}]")},
        "expectations/gold/totals.yaml:4: freshness over time: none of the inputs has days to be as fresh as; take it away.",
        id="freshness beside tables without days",
    ),
    pytest.param(
        {BRONZE_SALES: ("cents: {type: int}", "cents: {type: int, nullable: false}")},
        ("expectations/bronze/sales.yaml:7: bronze.sales keeps what arrives, so cents may always be null; promise nullable: false in the tables that read it."),
        id="a bronze column that must not be null",
    ),
    pytest.param(
        {BRONZE_SALES: ("format: csv", "format: csv, drift: {added: keep}")},
        "expectations/bronze/sales.yaml:3: source.drift.added: Input should be 'aside' or 'fail' (found 'keep').",
        id="an unknown answer to drift",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), CHECKS)
def test_a_fault_is_told_in_one_sentence(refusal: Refusal, changes: dict[str, Change], sentence: str) -> None:
    assert refusal(changes) == sentence


def test_checks_over_time_have_names_and_usual_limits(tmp_path: Path) -> None:
    arrival = ("source:", "over_time: [{check: arrival, within_hours: 6}]\nsource:")
    several = """over_time:
  - {check: row_count}
  - {check: distribution, column: cents, method: ks}
  - {check: new_categories, column: item, name: new_items, on_fail: ask}
write: replace_days
"""
    write_lake(tmp_path, {BRONZE_SALES: arrival, SILVER_SALES: ("write: replace_days\n", several)})
    lake = load_lake(tmp_path)
    assert lake.table("bronze.sales").contract.over_time == (ArrivalTime(check="arrival", within_hours=6),)
    rows, spread, news = lake.table("silver.sales").contract.over_time
    assert isinstance(rows, RowCount)
    assert isinstance(spread, Distribution)
    assert isinstance(news, NewCategories)
    assert (rows.label, rows.on_fail, rows.window, rows.at_most_off) == ("row_count over time", "warn", 28, 0.5)
    assert (spread.label, spread.limit) == ("distribution(cents) over time", 0.15)
    assert (news.label, news.on_fail, news.at_most) == ("new_items", "ask", 0)


def test_a_missing_column_may_be_null_as_yaml_writes_it(tmp_path: Path) -> None:
    write_lake(tmp_path, {BRONZE_SALES: ("format: csv", "format: csv, drift: {missing: null, added: fail}")})
    source = load_lake(tmp_path).table("bronze.sales").contract.source
    assert source is not None
    assert (source.drift.missing, source.drift.added, source.drift.changed) == ("null", "fail", "fail")


def test_a_tables_readers_are_known_to_the_last_model(tmp_path: Path) -> None:
    write_lake(tmp_path, {})
    lake = load_lake(tmp_path)
    tables, models = lake.downstream("bronze.shops")
    assert (tables[:2], set(tables[2:]), models) == (["silver.shops", "silver.sales"], {"gold.totals", "gold.guesses"}, ["dear"])
    assert lake.downstream("gold.totals") == ([], [])
