"""Which days a job makes, and from what: decided from the ledger alone, so without Spark."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import pytest

from expectations.days import ALL
from expectations.ledger import Arrival, DayEntry, Ledger
from expectations.loader import _load, load_lake
from spark_jobs.lake.planning import Plan, Planner
from tests.expectations.conftest import GOLD_TOTALS, GOOD, SALES_LOGIC, SHOPS_LOGIC, SILVER_SALES, SILVER_SHOPS, Change, write_lake

D = [f"2024-05-{day:02}" for day in range(32)]


@dataclass
class Planned:
    """The little lake of the loader's tests, and a ledger that says what was done in it."""

    folder: Path
    ledger: Ledger

    def change(self, changes: dict[str, Change]) -> None:
        """Write contracts and logic anew."""
        write_lake(self.folder, changes)
        _load.cache_clear()

    def code(self, table: str) -> tuple[str, str]:
        facts = load_lake(self.folder).table(table)
        return facts.contract_hash, facts.logic_hash

    def published(self, table: str, versions: dict[str, int], run: str = "run-0", *, clean: bool = True) -> None:
        """These days are at these versions."""
        contract, logic = self.code(table)
        entries = [DayEntry(table, day, "published", version, run, contract, logic, {}, clean=clean) for day, version in versions.items()]
        self.ledger.record(entries, [])

    def made(self, table: str, day: str, inputs: dict[str, dict[str, int]], state: str = "published", code: tuple[str, str] | None = None) -> None:
        """The day was made from these inputs."""
        contract, logic = code or self.code(table)
        self.ledger.record([DayEntry(table, day, state, 1, "run-0", contract, logic, inputs)], [])  # type: ignore[arg-type]

    def arrived(self, day: str, version: int, days: list[str], code: str | None = None) -> None:
        """silver.sales has read this arrival."""
        self.ledger.record([], [], [Arrival("silver.sales", "bronze.sales", day, version, code or ".".join(self.code("silver.sales")), days)])

    def planner(self, table: str, *days: str, run: str = "run-1", force: bool = False) -> Planner:
        lake = load_lake(self.folder)
        return Planner(lake, self.ledger, lake.table(table), days, run, force)

    def plan(self, table: str, *days: str, **more: object) -> Plan:
        return self.planner(table, *days, **more).plan()  # type: ignore[arg-type]


@pytest.fixture
def lake(tmp_path: Path) -> Planned:
    write_lake(tmp_path, {})
    return Planned(tmp_path, Ledger(f"sqlite:///{tmp_path}/ledger.db"))


@pytest.fixture
def built(lake: Planned) -> Planned:
    """A file of 1 May with rows of that day, read once, with the shops as they were at version 7."""
    lake.published("bronze.sales", {D[1]: 0})
    lake.published("silver.shops", {ALL: 7})
    lake.arrived(D[1], 0, [D[1]])
    lake.made("silver.sales", D[1], {"bronze.sales": {D[1]: 0}, "silver.shops": {ALL: 7}})
    return lake


# files that bring rows of any day


def test_nothing_landed_is_nothing_to_do(lake: Planned) -> None:
    plan = lake.plan("silver.sales", D[1])
    assert (plan.is_empty, plan.reason) == (True, f"bronze.sales has nothing published for {D[1]}")


def test_a_new_arrival_is_scanned_and_then_its_days_are_made(lake: Planned) -> None:
    lake.published("bronze.sales", {D[1]: 0, D[3]: 1})
    lake.published("silver.shops", {ALL: 7})
    planner = lake.planner("silver.sales", D[1], D[2], D[3])
    plan = planner.plan()
    assert (plan.days, plan.new_arrivals, plan.reads["bronze.sales"]) == ((), {D[1]: 0, D[3]: 1}, (D[1], D[3]))
    plan = planner.with_arrivals(plan, {D[1]: [D[1]], D[3]: [D[1], D[3]]})
    assert plan.inputs == {
        D[1]: {"bronze.sales": {D[1]: 0, D[3]: 1}, "silver.shops": {ALL: 7}},
        D[3]: {"bronze.sales": {D[3]: 1}, "silver.shops": {ALL: 7}},
    }
    assert plan.reads == {"bronze.sales": (D[1], D[3]), "silver.shops": None}
    assert [(arrival.arrival_day, arrival.version, arrival.days) for arrival in plan.arrivals] == [(D[1], 0, [D[1]]), (D[3], 1, [D[1], D[3]])]


def test_a_scan_reads_the_other_inputs_whole_since_no_day_is_known_yet(lake: Planned) -> None:
    write_lake(lake.folder, {SILVER_SALES: ("- silver.shops", "- bronze.shops"), SALES_LOGIC: "def transform(bronze_sales, bronze_shops): ...\n"})
    load_lake.__globals__["_load"].cache_clear()
    lake.published("bronze.sales", {D[1]: 0})
    lake.published("bronze.shops", {D[1]: 0, D[2]: 1})
    plan = lake.plan("silver.sales", D[1])
    assert plan.reads == {"bronze.sales": (D[1],), "bronze.shops": (D[2],)}


def test_a_settled_arrival_is_nothing_to_do(built: Planned) -> None:
    plan = built.plan("silver.sales", D[1])
    assert (plan.is_empty, plan.reason) == (True, "nothing changed")


def test_a_corrected_file_is_a_new_arrival_and_its_old_days_are_made_again(built: Planned) -> None:
    built.published("bronze.sales", {D[1]: 5})
    planner = built.planner("silver.sales", D[1])
    plan = planner.plan()
    assert plan.new_arrivals == {D[1]: 5}
    plan = planner.with_arrivals(plan, {D[1]: [D[2]]})
    assert plan.inputs == {D[1]: {"bronze.sales": {}, "silver.shops": {ALL: 7}}, D[2]: {"bronze.sales": {D[1]: 5}, "silver.shops": {ALL: 7}}}


def test_a_day_is_made_from_every_arrival_that_touches_it_also_of_other_runs(built: Planned) -> None:
    built.published("bronze.sales", {D[3]: 1})
    planner = built.planner("silver.sales", D[3])
    plan = planner.with_arrivals(planner.plan(), {D[3]: [D[1], D[3]]})
    assert plan.inputs[D[1]]["bronze.sales"] == {D[1]: 0, D[3]: 1}
    assert plan.reads["bronze.sales"] == (D[1], D[3])


def test_a_changed_dimension_makes_the_days_of_the_asked_arrivals_again(built: Planned) -> None:
    built.published("silver.shops", {ALL: 8})
    plan = built.plan("silver.sales", D[1])
    assert (plan.days, plan.new_arrivals, plan.inputs[D[1]]["silver.shops"]) == ((D[1],), {}, {ALL: 8})


def test_changed_code_scans_again(built: Planned) -> None:
    built.arrived(D[1], 0, [D[1]], code="older.code")
    assert built.plan("silver.sales", D[1]).new_arrivals == {D[1]: 0}


def test_force_scans_and_makes_again(built: Planned) -> None:
    planner = built.planner("silver.sales", D[1], force=True)
    assert planner.plan().new_arrivals == {D[1]: 0}
    assert planner.with_arrivals(planner.plan(), {D[1]: [D[1]]}).days == (D[1],)


def test_a_held_day_is_judged_again_by_the_next_run_that_asks_for_it(built: Planned) -> None:
    built.made("silver.sales", D[1], {"bronze.sales": {D[1]: 0}, "silver.shops": {ALL: 7}}, state="held")
    assert built.plan("silver.sales", D[1]).days == (D[1],)
    assert built.plan("silver.sales", D[2]).is_empty


def test_a_file_without_rows_touches_no_day(lake: Planned) -> None:
    lake.published("bronze.sales", {D[1]: 0})
    planner = lake.planner("silver.sales", D[1])
    plan = planner.with_arrivals(planner.plan(), {D[1]: []})
    assert (plan.days, [arrival.days for arrival in plan.arrivals]) == ((), [[]])


@pytest.mark.parametrize("order", list(permutations([D[1], D[2], D[3]])), ids="".join)
def test_once_every_file_was_read_the_days_are_made_from_the_same_files_whatever_the_order(lake: Planned, order: tuple[str, ...]) -> None:
    lake.published("silver.shops", {ALL: 7})
    rows_of = {D[1]: [D[1]], D[2]: [D[1], D[2]], D[3]: [D[1], D[2], D[3]]}
    for day in order:
        lake.published("bronze.sales", {day: 0})
        planner = lake.planner("silver.sales", day, run=f"run-{day}")
        plan = planner.with_arrivals(planner.plan(), {day: rows_of[day]})
        for made, inputs in plan.inputs.items():
            lake.made("silver.sales", made, inputs)
        lake.ledger.record([], [], plan.arrivals)
    assert {day: list(entry.inputs["bronze.sales"]) for day, entry in lake.ledger.days("silver.sales").items()} == {
        D[1]: [D[1], D[2], D[3]],
        D[2]: [D[2], D[3]],
        D[3]: [D[3]],
    }
    assert lake.plan("silver.sales", D[1], D[2], D[3]).is_empty


# days made from days


def total(lake: Planned, day: str, versions: dict[str, int]) -> None:
    lake.made("gold.totals", day, {"silver.sales": versions})


def test_a_look_back_reads_what_is_published_of_the_days_before(lake: Planned) -> None:
    lake.published("silver.sales", {D[1]: 0, D[3]: 1, D[9]: 2, D[12]: 3})
    plan = lake.plan("gold.totals", D[9])
    assert plan.inputs == {D[9]: {"silver.sales": {D[3]: 1, D[9]: 2}}}
    assert plan.reads == {"silver.sales": (D[3], D[9])}


def test_days_without_rows_of_their_own_are_not_made(lake: Planned) -> None:
    lake.published("silver.sales", {D[1]: 0})
    plan = lake.plan("gold.totals", D[2])
    assert (plan.is_empty, plan.reason) == (True, f"its inputs have nothing published for {D[2]}")


def test_unchanged_days_are_left_alone_unless_forced(lake: Planned) -> None:
    lake.published("silver.sales", {D[1]: 0})
    total(lake, D[1], {D[1]: 0})
    assert lake.plan("gold.totals", D[1]).reason == "nothing changed"
    assert lake.plan("gold.totals", D[1], force=True).days == (D[1],)


def test_a_changed_day_of_the_look_back_makes_an_asked_day_again(lake: Planned) -> None:
    lake.published("silver.sales", {D[1]: 0, D[2]: 1})
    total(lake, D[2], {D[1]: 0, D[2]: 1})
    lake.published("silver.sales", {D[1]: 4})
    assert lake.plan("gold.totals", D[2]).days == (D[2],)


def test_days_that_this_run_published_upstream_are_made_too(lake: Planned) -> None:
    lake.published("silver.sales", {D[3]: 0}, run="run-0")
    lake.published("silver.sales", {D[1]: 1}, run="run-1")
    assert lake.plan("gold.totals", D[2], run="run-1").days == (D[1],)
    assert lake.plan("gold.totals", D[2], run="run-2").days == ()


def test_days_whose_inputs_changed_are_found_whatever_was_asked(lake: Planned) -> None:
    lake.published("silver.sales", {D[1]: 0, D[2]: 0})
    total(lake, D[1], {D[1]: 0})
    total(lake, D[2], {D[1]: 0, D[2]: 0})
    lake.published("silver.sales", {D[1]: 5})
    assert lake.plan("gold.totals", D[9]).days == (D[1], D[2])


def test_a_day_made_by_older_code_is_made_again_when_asked(lake: Planned) -> None:
    lake.published("silver.sales", {D[1]: 0})
    lake.made("gold.totals", D[1], {"silver.sales": {D[1]: 0}}, code=("older", "code"))
    assert lake.plan("gold.totals", D[1]).days == (D[1],)
    assert lake.plan("gold.totals", D[2]).days == ()


def test_a_day_that_a_restore_took_away_is_made_again_when_it_is_asked_for(lake: Planned) -> None:
    lake.published("silver.sales", {D[1]: 0, D[2]: 1})
    total(lake, D[1], {D[1]: 0})
    total(lake, D[2], {D[1]: 0, D[2]: 1})
    lake.ledger.forget_days("gold.totals", [D[2]])
    assert lake.plan("gold.totals", D[2]).days == (D[2],)
    assert lake.plan("gold.totals", D[1]).days == ()


# how clean an input has to be


@pytest.fixture
def careful(lake: Planned) -> Planned:
    """1 May is clean and 2 May is not; totals take clean days only."""
    lake.change({GOLD_TOTALS: ("{days: [-6, 0]}", "{needs: clean}")})
    lake.published("silver.sales", {D[1]: 4})
    lake.published("silver.sales", {D[2]: 5}, clean=False)
    return lake


def test_a_day_whose_input_is_not_clean_enough_is_refused_and_the_others_are_made(careful: Planned) -> None:
    plan = careful.plan("gold.totals", D[1], D[2], D[3])
    assert (plan.inputs, plan.refused) == ({D[1]: {"silver.sales": {D[1]: 4}}}, {D[2]: {"silver.sales": {}}})
    assert not careful.plan("gold.totals", D[2]).is_empty
    assert careful.plan("gold.totals", D[3]).reason == f"its inputs have nothing published for {D[3]}"


def test_a_refused_day_is_not_tried_again_before_it_is_asked_for_or_its_input_changes(careful: Planned) -> None:
    total(careful, D[1], {D[1]: 4})
    careful.made("gold.totals", D[2], {"silver.sales": {}}, state="held")
    assert careful.plan("gold.totals", D[1]).is_empty
    assert list(careful.plan("gold.totals", D[2]).refused) == [D[2]]
    careful.published("silver.sales", {D[2]: 6})
    assert careful.plan("gold.totals", D[1]).inputs == {D[2]: {"silver.sales": {D[2]: 6}}}


def test_a_table_that_takes_what_is_published_asks_for_nothing_more(lake: Planned) -> None:
    lake.published("silver.sales", {D[1]: 4}, clean=False)
    plan = lake.plan("gold.totals", D[1])
    assert (plan.inputs, plan.refused) == ({D[1]: {"silver.sales": {D[1]: 4}}}, {})


def test_a_look_back_passes_over_the_days_that_are_not_clean(lake: Planned) -> None:
    lake.change({GOLD_TOTALS: ("{days: [-6, 0]}", "{days: [-6, 0], needs: clean}")})
    lake.published("silver.sales", {D[1]: 4, D[3]: 6})
    lake.published("silver.sales", {D[2]: 5}, clean=False)
    assert lake.plan("gold.totals", D[3]).inputs == {D[3]: {"silver.sales": {D[1]: 4, D[3]: 6}}}


def test_the_last_good_day_stands_in_for_a_day_that_is_not_clean_until_it_is(lake: Planned) -> None:
    lake.change({GOLD_TOTALS: ("{days: [-6, 0]}", "{needs: clean, otherwise: last_good_day}")})
    lake.published("silver.sales", {D[1]: 3, D[2]: 4, D[4]: 6})
    lake.published("silver.sales", {D[3]: 5}, clean=False)
    plan = lake.plan("gold.totals", D[2], D[3])
    assert plan.inputs == {D[2]: {"silver.sales": {D[2]: 4}}, D[3]: {"silver.sales": {D[2]: 4}}}
    assert (plan.reads, plan.stand_ins, plan.refused) == ({"silver.sales": (D[2],)}, {"silver.sales": {D[3]: D[2]}}, {})
    for day in (D[2], D[3]):
        total(lake, day, {D[2]: 4})
    assert lake.plan("gold.totals", D[2], D[3]).is_empty
    lake.published("silver.sales", {D[3]: 7})
    plan = lake.plan("gold.totals", D[3])
    assert (plan.inputs, plan.stand_ins) == ({D[3]: {"silver.sales": {D[3]: 7}}}, {})


def test_where_no_day_before_was_good_there_is_nothing_to_stand_in(lake: Planned) -> None:
    lake.change({GOLD_TOTALS: ("{days: [-6, 0]}", "{needs: clean, otherwise: last_good_day}")})
    lake.published("silver.sales", {D[1]: 3}, clean=False)
    lake.published("silver.sales", {D[2]: 4})
    assert lake.plan("gold.totals", D[1]).is_empty


def test_an_input_that_is_read_whole_is_read_by_its_clean_days(lake: Planned) -> None:
    lake.change({GOLD_TOTALS: GOOD[GOLD_TOTALS].replace("{days: [-6, 0]}", "{needs: clean}").replace("day: sold_on", "write: replace_all")})
    lake.published("silver.sales", {D[1]: 3, D[3]: 6})
    lake.published("silver.sales", {D[2]: 5}, clean=False)
    plan = lake.plan("gold.totals", D[1])
    assert (plan.inputs, plan.reads) == ({ALL: {"silver.sales": {D[1]: 3, D[3]: 6}}}, {"silver.sales": (D[1], D[3])})


def test_new_files_are_joined_to_the_newest_clean_snapshot_or_where_none_is_clean_to_the_newest(lake: Planned) -> None:
    lake.change({SILVER_SALES: ("- silver.shops", "- bronze.shops: {needs: clean}"), SALES_LOGIC: "def transform(bronze_sales, bronze_shops): ...\n"})
    lake.published("bronze.sales", {D[2]: 0})
    lake.published("bronze.shops", {D[2]: 1, D[3]: 2}, clean=False)
    assert lake.plan("silver.sales", D[2]).reads["bronze.shops"] == (D[3],)
    lake.published("bronze.shops", {D[1]: 0})
    planner = lake.planner("silver.sales", D[2])
    assert planner.plan().reads["bronze.shops"] == (D[1],)
    assert planner.with_arrivals(planner.plan(), {D[2]: [D[2]]}).inputs == {D[2]: {"bronze.sales": {D[2]: 0}, "bronze.shops": {D[1]: 0}}}


# tables without days


def test_a_table_that_is_replaced_whole_takes_the_newest_snapshot_whatever_was_asked(lake: Planned) -> None:
    lake.published("bronze.shops", {D[1]: 0, D[5]: 1, D[3]: 2})
    plan = lake.plan("silver.shops", D[1])
    assert (plan.inputs, plan.reads) == ({ALL: {"bronze.shops": {D[5]: 1}}}, {"bronze.shops": (D[5],)})
    lake.made("silver.shops", ALL, {"bronze.shops": {D[5]: 1}})
    assert lake.plan("silver.shops", D[3]).reason == "nothing changed"
    lake.published("bronze.shops", {D[5]: 3})
    assert lake.plan("silver.shops", D[3]).days == (ALL,)


def test_without_a_snapshot_there_is_nothing_to_replace_by(lake: Planned) -> None:
    assert lake.plan("silver.shops", D[1]).reason == "its inputs have nothing published for all"


def test_a_table_that_is_replaced_whole_reads_days_whole(lake: Planned) -> None:
    lake.change({SILVER_SHOPS: ("[bronze.shops]", "[bronze.shops, bronze.sales]"), SHOPS_LOGIC: "SELECT shop FROM bronze_shops, bronze_sales"})
    lake.published("bronze.shops", {D[1]: 0})
    lake.published("bronze.sales", {D[1]: 3, D[2]: 4})
    plan = lake.plan("silver.shops", D[1])
    assert plan.inputs == {ALL: {"bronze.shops": {D[1]: 0}, "bronze.sales": {ALL: 4}}}
    assert plan.reads == {"bronze.shops": (D[1],), "bronze.sales": None}


def test_batches_are_the_days_asked_for_of_daily_files(lake: Planned) -> None:
    merge = ("grain: [sold_on]\nday: sold_on\n", "grain: [sold_on]\nwrite: merge\norder_by: cents\n")
    lake.change({GOLD_TOTALS: merge})
    lake.published("silver.sales", {D[1]: 0, D[2]: 1})
    plan = lake.plan("gold.totals", D[2], D[3])
    assert plan.inputs == {D[2]: {"silver.sales": {D[1]: 0, D[2]: 1}}}
