"""What becomes of a judged batch: which days are published, what the ledger notes of each, and what is said; of counts and verdicts, so without Spark."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from expectations.days import ALL
from expectations.jobs import JobRequest
from expectations.lake import Table
from expectations.ledger import Arrival, DayEntry, Profile, Verdict
from expectations.ledger.entries import Question
from expectations.loader import load_lake
from expectations.rule import Rule
from spark_jobs.lake.batch import Batch
from spark_jobs.lake.gate.judgement import DayCounts, Judgement
from spark_jobs.lake.gate.rules import PARSES
from spark_jobs.lake.outcome import Outcome, nothing_can_be_refused
from spark_jobs.lake.quarantine.set_aside import NO_DAY, Aside
from spark_jobs.lake.rulings import Rulings
from tests.expectations.conftest import GOLD_TOTALS, write_lake

FIRST, SECOND, THIRD = "2024-05-01", "2024-05-02", "2024-05-03"
MADE_FROM = {"bronze.sales": {FIRST: 4}}
TOO_MANY = "not_too_many: found 4, expected 3."


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Table]:
    """A table of each kind, by name; all have rules that can refuse."""
    folder = tmp_path_factory.mktemp("contracts")
    write_lake(folder, {})
    return load_lake(folder).tables


def good(*days: str, rows: int = 2) -> dict[str, DayCounts]:
    return {day: DayCounts(rows, rows, 0, 0) for day in days}


def batch(*days: str, **more: Any) -> Batch:
    return Batch(dict.fromkeys(days, MADE_FROM), **more)


def verdict(day: str, rule: str = "enough", on_fail: str = "warn", broken: int = 1) -> Verdict:
    return Verdict("silver.sales", day, rule, on_fail, success=False, rows_judged=2, rows_broken=broken)


def question(day: str, sentence: str = "not_cheap: found 3.0.") -> Question:
    return Question("silver.sales", day, "not_cheap", "f00d", "run-1", {"sentence": sentence})


def published(table: Table, day: str, version: int, *, clean: bool = True) -> DayEntry:
    return DayEntry(table.name, day, "published", version, "run-0", table.contract_hash, table.logic_hash, {}, clean=clean)


def outcome(table: Table, made: Batch, counts: dict[str, DayCounts], verdicts: list[Verdict] | None = None, **more: Any) -> Outcome:
    """Of a job that was asked for the first three days of May."""
    request = JobRequest(verb="build", name=table.name, days=f"{FIRST}..{THIRD}", run_id="run-1")
    day_column = "_day" if table.contract.source else table.contract.day
    return Outcome(request, table, made, day_column, Judgement(counts, verdicts or [], {}), **more)


# which days are published


def test_a_day_that_is_held_or_put_to_a_person_is_not_published_and_the_others_are(tables: dict[str, Table]) -> None:
    rulings = Rulings(held={SECOND: [TOO_MANY]}, questions=[question(THIRD)])
    found = outcome(tables["silver.sales"], batch(FIRST, SECOND, THIRD), good(FIRST, SECOND, THIRD), rulings=rulings)
    assert (found.passed, found.good, found.is_settled) == ([FIRST], {FIRST: 2}, True)
    entries = found.entries(7, 1.5)
    assert [(entry.day, entry.state, entry.version) for entry in entries] == [(FIRST, "published", 7), (SECOND, "held", None), (THIRD, "held", None)]
    result = found.result(7, entries)
    assert (result.status, result.facts["days"], result.facts["held"]) == ("asks", [FIRST], {SECOND: [TOO_MANY]})
    assert result.facts["asks"] == {THIRD: ["not_cheap: found 3.0."]}
    assert result.facts["version"] == 7


def test_a_held_day_keeps_the_version_and_the_cleanness_of_its_published_rows(tables: dict[str, Table]) -> None:
    table = tables["silver.sales"]
    before = {FIRST: published(table, FIRST, 3), SECOND: published(table, SECOND, 4, clean=False)}
    rulings = Rulings(held={FIRST: [TOO_MANY], SECOND: [TOO_MANY]})
    found = outcome(table, batch(FIRST, SECOND, THIRD), good(FIRST, SECOND, THIRD), [verdict(FIRST)], before=before, rulings=rulings)
    assert [(entry.day, entry.state, entry.version, entry.clean) for entry in found.entries(7, 1.5)] == [
        (FIRST, "held", 3, True),
        (SECOND, "held", 4, False),
        (THIRD, "published", 7, True),
    ]


def test_where_every_day_is_held_the_files_are_looked_at_again_by_the_next_run(tables: dict[str, Table]) -> None:
    table, held = tables["silver.sales"], Rulings(held={FIRST: [TOO_MANY]})
    assert not outcome(table, batch(FIRST), good(FIRST), rulings=held).is_settled
    assert outcome(table, batch(FIRST, SECOND), good(FIRST, SECOND), rulings=held).is_settled
    assert outcome(table, batch(), {}).is_settled, "a file of nothing but refused rows"


def test_a_day_that_no_file_touches_any_more_may_be_empty_and_is_published_so(tables: dict[str, Table]) -> None:
    made = batch(FIRST, SECOND, emptied=frozenset({FIRST}))
    assert made.with_rows == [SECOND]
    found = outcome(tables["silver.sales"], made, good(SECOND))
    assert found.good == {FIRST: 0, SECOND: 2}
    assert [(entry.day, entry.state, entry.rows_out) for entry in found.entries(7, 1.5)] == [(FIRST, "published", 0), (SECOND, "published", 2)]


def test_a_batch_without_days_of_its_own_passes_as_a_whole(tables: dict[str, Table]) -> None:
    table = tables["silver.shops"]
    assert outcome(table, batch(ALL), good(ALL, rows=3)).good == {ALL: 3}
    assert outcome(table, batch(FIRST, SECOND), good(ALL), rulings=Rulings(held={ALL: [TOO_MANY]})).passed == []
    asked = outcome(table, batch(FIRST, SECOND), good(ALL), rulings=Rulings(questions=[question(ALL)]))
    assert asked.passed == []
    assert list(asked.result(None, asked.entries(None, 1.5)).facts["asks"]) == [FIRST, SECOND]


# what the ledger notes


def test_a_days_entry_says_what_it_was_made_from_and_by_whom(tables: dict[str, Table]) -> None:
    table = tables["silver.sales"]
    (entry,) = outcome(table, batch(FIRST), good(FIRST)).entries(7, 1.5)
    code = (table.contract_hash, table.logic_hash)
    assert entry == DayEntry("silver.sales", FIRST, "published", 7, "run-1", *code, MADE_FROM, rows_in=2, rows_out=2, seconds=1.5)


def test_the_rows_of_a_day_are_those_that_the_gate_counted_and_those_that_left_before_it(tables: dict[str, Table]) -> None:
    aside = Aside(discarded={FIRST: 3}, unscored={FIRST: 5})
    (entry,) = outcome(tables["silver.sales"], batch(FIRST), {FIRST: DayCounts(20, 12, 7, 1)}, aside=aside).entries(7, 1.5)
    assert (entry.rows_in, entry.rows_out, entry.rows_quarantined, entry.rows_dropped) == (28, 12, 12, 4)


def test_rows_that_do_not_parse_are_counted_once_with_the_arrival_or_else_with_the_first_day(tables: dict[str, Table]) -> None:
    refused = {"bronze.sales": {FIRST: 1, SECOND: 2}}
    of_days = outcome(tables["silver.sales"], batch(FIRST, SECOND, refused=refused), good(FIRST, SECOND))
    assert [entry.rows_quarantined for entry in of_days.entries(7, 1.5)] == [3, 0]
    arrivals = tuple(Arrival("silver.sales", "bronze.sales", day, 0, "code", [day]) for day in (FIRST, SECOND))
    of_files = outcome(tables["silver.sales"], batch(FIRST, SECOND, refused=refused, arrivals=arrivals), good(FIRST, SECOND))
    assert [entry.rows_quarantined for entry in of_files.entries(7, 1.5)] == [0, 0]
    assert [(arrival.arrival_day, arrival.refused) for arrival in of_files.arrivals()] == [(FIRST, 1), (SECOND, 2)]
    for found in (of_days, of_files):
        assert found.result(7, found.entries(7, 1.5)).facts["rows_quarantined"] == 3


def test_an_arrival_counts_its_rows_that_are_late_discarded_or_without_a_day(tables: dict[str, Table]) -> None:
    arrivals = tuple(Arrival("silver.sales", "bronze.sales", day, 0, "code", [day]) for day in (FIRST, SECOND))
    aside = Aside(late={SECOND: 4}, arrived={(FIRST, FIRST): 16, (THIRD, SECOND): 8, (THIRD, None): 32}, discarded={FIRST: 16, THIRD: 40})
    counts = {**good(FIRST, SECOND), NO_DAY: DayCounts(1, 0, 1, 0)}
    found = outcome(tables["silver.sales"], batch(FIRST, SECOND, arrivals=arrivals), counts, aside=aside)
    assert [(arrival.arrival_day, arrival.refused) for arrival in found.arrivals()] == [(FIRST, 1), (SECOND, 12)]
    assert found.result(7, found.entries(7, 1.5)).facts["rows_quarantined"] == 5, "of the days that are made and of none; who gave a row up knows of it"


def test_bronze_notes_how_many_of_its_rows_do_not_parse(tables: dict[str, Table]) -> None:
    found = outcome(tables["bronze.sales"], batch(FIRST, SECOND), good(FIRST, SECOND), [verdict(SECOND, str(PARSES.name), broken=2)])
    entries = found.entries(0, 1.5)
    assert [(entry.rows_out, entry.rows_quarantined, entry.clean) for entry in entries] == [(2, 0, True), (2, 2, False)]
    assert found.result(0, entries).message == f"bronze.sales: 4 rows of {FIRST}..{SECOND} published as version 0, 2 do not parse"


def test_a_batch_without_days_of_its_own_is_counted_once(tables: dict[str, Table]) -> None:
    aside = Aside(discarded={ALL: 1})
    found = outcome(tables["silver.shops"], batch(FIRST, SECOND), {ALL: DayCounts(5, 3, 1, 1)}, aside=aside)
    entries = [(entry.rows_in, entry.rows_out, entry.rows_quarantined, entry.rows_dropped) for entry in found.entries(7, 1.5)]
    assert entries == [(6, 3, 1, 2), (0, 0, 0, 0)]


def test_a_day_is_clean_where_no_warning_was_given_and_nothing_let_through(tables: dict[str, Table]) -> None:
    verdicts = [verdict(FIRST), replace(verdict(SECOND), success=True), verdict(SECOND, on_fail="quarantine")]
    rulings = Rulings(let_through={THIRD: ["not_cheap, let through by ann: a small shop"]})
    found = outcome(tables["silver.sales"], batch(FIRST, SECOND, THIRD), good(FIRST, SECOND, THIRD), verdicts, rulings=rulings)
    entries = found.entries(7, 1.5)
    assert [(entry.state, entry.clean) for entry in entries] == [("published", False), ("published", True), ("published", False)]
    facts = found.result(7, entries).facts
    assert (facts["warnings"], facts["let_through"]) == ({"enough": 1}, {THIRD: ["not_cheap, let through by ann: a small shop"]})
    whole = outcome(tables["silver.shops"], batch(FIRST), good(ALL), [verdict(ALL)])
    assert [entry.clean for entry in whole.entries(7, 1.5)] == [False]


def test_profiles_of_published_days_are_history_and_that_of_an_emptied_day_is_empty(tables: dict[str, Table]) -> None:
    made, rulings = batch(FIRST, SECOND, THIRD, emptied=frozenset({FIRST})), Rulings(held={THIRD: [TOO_MANY]})
    counts: dict[str, dict[str, int]] = {FIRST: {}, SECOND: {"=tea": 2}, THIRD: {"=pie": 2}}
    profiles = [Profile("silver.sales", day, "item", "run-1", found) for day, found in counts.items()]
    found = outcome(tables["silver.sales"], made, good(SECOND, THIRD), rulings=rulings)
    assert found.profiles(profiles) == profiles[:2]


# what is said


@pytest.mark.parametrize(
    ("counts", "rulings", "status", "message"),
    [
        (good(FIRST, rows=1200), Rulings(), "done", f"silver.sales: 1,200 rows of {FIRST} published as version 7"),
        ({FIRST: DayCounts(3, 2, 1, 0)}, Rulings(), "done", f"silver.sales: 2 rows of {FIRST} published as version 7, 1 quarantined"),
        (
            good(FIRST),
            Rulings(held={FIRST: [TOO_MANY, "grain: 2 of 4 rows."]}),
            "held",
            f"silver.sales: held {FIRST}, whose published rows stay as they were: {FIRST}: {TOO_MANY} grain: 2 of 4 rows. "
            f"Once that is mended, run {FIRST}..{THIRD} again (on Airflow's page: clear the task).",
        ),
        (
            good(FIRST),
            Rulings(held={FIRST: ["not_cheap: found 3.0. Held by ann: leftovers."]}, held_by_people={FIRST}),
            "held",
            f"silver.sales: held {FIRST}, whose published rows stay as they were: {FIRST}: not_cheap: found 3.0. Held by ann: leftovers. "
            f"To be asked again, run {FIRST}..{THIRD} with Rebuild (--force).",
        ),
        (
            good(FIRST),
            Rulings(questions=[question(FIRST, "not_cheap: found 3.0."), question(FIRST, "enough: found 1.")]),
            "asks",
            f"silver.sales: asks whether to publish {FIRST}, held until somebody answers: {FIRST}: not_cheap: found 3.0. enough: found 1.",
        ),
    ],
)
def test_the_result_is_one_sentence(tables: dict[str, Table], counts: dict[str, DayCounts], rulings: Rulings, status: str, message: str) -> None:
    found = outcome(tables["silver.sales"], batch(FIRST), counts, rulings=rulings)
    version = 7 if found.passed else None
    result = found.result(version, found.entries(version, 1.5))
    assert (result.status, result.message, result.facts["version"]) == (status, message, version)


def test_a_file_of_nothing_but_refused_rows_is_said_to_have_some(tables: dict[str, Table]) -> None:
    arrivals = (Arrival("silver.sales", "bronze.sales", FIRST, 0, "code", []),)
    found = outcome(tables["silver.sales"], batch(refused={"bronze.sales": {FIRST: 1}}, arrivals=arrivals), {}, aside=Aside(late={FIRST: 1}))
    assert found.result(None, []).message == "silver.sales: 2 quarantined"
    assert outcome(tables["silver.sales"], batch(), {}).result(None, []).message == "silver.sales: no rows"


def test_a_day_that_is_held_is_not_asked_about(tables: dict[str, Table]) -> None:
    rulings = Rulings(held={FIRST: [TOO_MANY]}, questions=[question(FIRST)])
    found = outcome(tables["silver.sales"], batch(FIRST), good(FIRST), rulings=rulings)
    result = found.result(None, found.entries(None, 1.5))
    assert (result.status, list(result.facts["held"]), result.facts["asks"]) == ("held", [FIRST], {})


# whether rows have to be judged before they are published

WARNS = Rule.model_validate({"expect": "expect_table_row_count_to_be_between", "min_value": 1, "on_fail": "warn"})
STOPS = WARNS.model_copy(update={"on_fail": "stop"})


@pytest.mark.parametrize(
    ("rules", "more", "waits", "is_safe"),
    [
        ([], {}, False, True),
        ([WARNS], {}, False, True),
        ([WARNS, STOPS], {}, False, False),
        ([WARNS], {}, True, False),
        ([WARNS], {"refused": {"bronze.sales": {FIRST: 0}}}, False, True),
        ([WARNS], {"refused": {"bronze.sales": {FIRST: 0, SECOND: 1}}}, False, False),
        ([WARNS], {"late": "a column that tells late rows"}, False, False),
        ([WARNS], {"is_whole": True}, False, False),
    ],
)
def test_rows_are_judged_before_they_are_published_wherever_something_can_be_refused(
    tables: dict[str, Table], rules: list[Rule], more: dict[str, Any], waits: bool, is_safe: bool
) -> None:
    assert nothing_can_be_refused(tables["gold.totals"].contract, rules, batch(FIRST, **more), something_waits=waits) is is_safe


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (GOLD_TOTALS, "columns:", "quarantine_limit: {rows: 1}\ncolumns:"),
        (GOLD_TOTALS, "columns:", "over_time: [{check: row_count, on_fail: stop}]\ncolumns:"),
        (GOLD_TOTALS, "day: sold_on", "write: merge\norder_by: cents"),
        (GOLD_TOTALS, "day: sold_on", "write: append"),
    ],
)
def test_a_limit_a_check_over_time_and_a_batch_that_joins_what_is_there_are_judged_before(tmp_path: Any, path: str, old: str, new: str) -> None:
    write_lake(tmp_path, {path: (old, new)})
    assert not nothing_can_be_refused(load_lake(tmp_path).table("gold.totals").contract, [WARNS], batch(FIRST), something_waits=False)


def test_of_several_held_days_the_message_says_which_ones_a_person_holds(tables: dict[str, Table]) -> None:
    rulings = Rulings(held={FIRST: [TOO_MANY], SECOND: ["Held by ann: leftovers."]}, held_by_people={SECOND})
    found = outcome(tables["silver.sales"], batch(FIRST, SECOND), good(FIRST, SECOND), rulings=rulings)
    assert found.result(None, []).message.endswith(
        f"{TOO_MANY} Once that is mended, run {FIRST}..{THIRD} again (on Airflow's page: clear the task). "
        f"To be asked again about {SECOND}, run {FIRST}..{THIRD} with Rebuild (--force)."
    )
