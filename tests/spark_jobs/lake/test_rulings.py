"""What becomes of a day: decided from what the gate says, from counts, and from what people have answered. Without Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from expectations.contract import QuarantineLimit
from expectations.days import ALL
from expectations.jobs import JobRequest
from expectations.ledger import Question, Verdict
from spark_jobs.lake.gate import Asked, DayCounts
from spark_jobs.lake.rulings import Put, Rulings, beyond, candidate_of, evidence_of, fates, quarantined_of, trend_before, unparsed_of

if TYPE_CHECKING:
    from expectations.ledger.entries import Answer

FIRST, SECOND, THIRD = "2024-05-01", "2024-05-02", "2024-05-03"
CHEAP = Asked("not_too_cheap", '{"min_value": 100}', "not_too_cheap: found 3.0, expected 100.", 2, 0, "3.0", ())
SOLD = "silver.sales"


def request(run_id: str = "run-1", **more: Any) -> JobRequest:
    return JobRequest(verb="build", name=SOLD, run_id=run_id, **more)


def question(answer: Answer | None, run_id: str = "run-1", **evidence: Any) -> Question:
    """What the ledger has of the question about SECOND."""
    who = "ann" if answer else ""
    return Question(SOLD, SECOND, "not_too_cheap", "c", run_id, evidence, answer, who, "leftovers" if answer else "")


def put(known: Question | None = None, day: str = SECOND, asked: Asked = CHEAP) -> Put:
    return Put(day, asked, "c", known)


def ruled(*asked: Put, **more: Any) -> Rulings:
    return fates(SOLD, {}, {}, asked, request(**more))


# the fate of a day


def test_a_day_that_nothing_speaks_against_may_be_published() -> None:
    assert ruled() == Rulings({}, [], {})


def test_a_day_is_held_by_the_gate_and_by_its_limit_and_every_reason_is_told() -> None:
    rulings = fates(SOLD, {FIRST: ["a.", "b."], SECOND: ["c."]}, {SECOND: "too many.", THIRD: "far too many."}, [], request())
    assert rulings.held == {FIRST: ["a.", "b."], SECOND: ["c.", "too many."], THIRD: ["far too many."]}
    assert (rulings.questions, rulings.open, rulings.let_through) == ([], set(), {})


def test_the_gate_s_own_lists_are_left_as_they_are() -> None:
    held = {FIRST: ["a."]}
    fates(SOLD, held, {FIRST: "too many."}, [], request())
    assert held == {FIRST: ["a."]}


def test_a_rule_that_nobody_was_asked_about_is_a_question_of_this_run() -> None:
    rulings = ruled(put())
    (asked,) = rulings.questions
    assert (asked.table, asked.day, asked.rule, asked.candidate, asked.run_id, asked.answer) == (SOLD, SECOND, "not_too_cheap", "c", "run-1", None)
    assert (rulings.open, rulings.held, rulings.let_through) == ({SECOND}, {}, {})


def test_a_question_that_nobody_has_answered_is_asked_again_by_the_next_run() -> None:
    rulings = ruled(put(question(None, "run-1")), run_id="run-2")
    assert [(asked.run_id, asked.evidence["earlier_answers"]) for asked in rulings.questions] == [("run-2", [])]


def test_an_answer_to_publish_lets_the_day_through_and_says_who_and_why() -> None:
    rulings = ruled(put(question("publish")))
    assert (rulings.let_through, rulings.held, rulings.questions) == ({SECOND: ["not_too_cheap, let through by ann: leftovers"]}, {}, [])


@pytest.mark.parametrize("force", [False, True])
def test_an_answer_to_publish_holds_for_a_forced_run_of_the_same_rows_too(*, force: bool) -> None:
    assert ruled(put(question("publish", "run-1")), run_id="run-2", force=force).let_through == {SECOND: ["not_too_cheap, let through by ann: leftovers"]}


@pytest.mark.parametrize(
    ("run_id", "force", "becomes"),
    [("run-1", False, "held"), ("run-2", False, "held"), ("run-1", True, "held"), ("run-2", True, "asked")],
)
def test_an_answer_to_hold_is_obeyed_until_another_run_is_forced(*, run_id: str, force: bool, becomes: str) -> None:
    rulings = ruled(put(question("hold", "run-1")), run_id=run_id, force=force)
    reason = "not_too_cheap: found 3.0, expected 100. Held by ann: leftovers."
    assert rulings.held == ({SECOND: [reason]} if becomes == "held" else {})
    assert rulings.open == ({SECOND} if becomes == "asked" else set())
    assert rulings.held_by_people == set(rulings.held)


def test_of_two_broken_rules_of_a_day_one_answer_is_not_enough() -> None:
    other = Asked("not_too_dear", "{}", "not_too_dear: found 3.0.", 2, 0, "3.0", ())
    rulings = ruled(put(question("publish")), put(asked=other))
    assert (list(rulings.let_through), [asked.rule for asked in rulings.questions]) == ([SECOND], ["not_too_dear"])
    assert rulings.open == {SECOND}


def test_a_day_that_is_let_through_by_a_person_may_be_held_by_the_gate() -> None:
    rulings = fates(SOLD, {SECOND: ["a."]}, {}, [put(question("publish"))], request())
    assert (rulings.held, list(rulings.let_through)) == ({SECOND: ["a."]}, [SECOND])


def test_a_day_that_the_gate_holds_too_is_not_held_by_people_alone() -> None:
    rulings = fates(SOLD, {SECOND: ["a."]}, {}, [put(question("hold", "run-1"))], request())
    assert (len(rulings.held[SECOND]), rulings.held_by_people) == (2, set())


def test_a_batch_without_days_is_one_question() -> None:
    assert ruled(put(day=ALL)).open == {ALL}


# what an answer holds for


def test_an_answer_holds_for_the_rule_as_it_was_and_for_the_rows_as_they_were() -> None:
    same = candidate_of(CHEAP, "2 10 -3")
    assert (len(same), candidate_of(CHEAP, "2 10 -3")) == (32, same)
    changed_rule = Asked("not_too_cheap", '{"min_value": 120}', CHEAP.sentence, 2, 0, "3.0", ())
    assert len({same, candidate_of(CHEAP, "2 11 -3"), candidate_of(changed_rule, "2 10 -3")}) == 3


def test_what_was_found_this_time_does_not_change_what_an_answer_holds_for() -> None:
    reworded = Asked("not_too_cheap", CHEAP.terms, "in other words.", 2, 0, "3.00", ("cents = 2",))
    assert candidate_of(reworded, "2 10 -3") == candidate_of(CHEAP, "2 10 -3")


# what a person is shown


def test_a_person_is_shown_what_was_found_with_examples_and_the_days_before() -> None:
    asked = Asked("not_cheap", "{}", "not_cheap: 1 of 2 rows break it.", 2, 1, "", ("cents = 2",))
    assert evidence_of(Put(SECOND, asked, "c", None, ("2024-05-01: 0 of 1 rows",))) == {
        "sentence": "not_cheap: 1 of 2 rows break it.",
        "judged": 2,
        "broken": 1,
        "observed": "",
        "examples": ["cents = 2"],
        "trend": ["2024-05-01: 0 of 1 rows"],
        "earlier_answers": [],
    }


def test_who_is_asked_again_is_shown_all_earlier_answers() -> None:
    known = question("hold", earlier_answers=["publish by bob: why not"])
    assert evidence_of(put(known))["earlier_answers"] == ["publish by bob: why not", "hold by ann: leftovers"]
    assert evidence_of(put(question(None, earlier_answers=["publish by bob: why not"])))["earlier_answers"] == ["publish by bob: why not"]


def verdict(day: str, broken: int = 0, observed: str = "") -> Verdict:
    return Verdict(SOLD, day, "r", "ask", broken == 0, 2000, broken, observed)


def test_the_trend_is_how_the_rule_last_judged_each_of_the_days_before() -> None:
    latest_first = [verdict(SECOND, 7), verdict(THIRD, 5), verdict(FIRST, 1200), verdict(FIRST, 3), verdict("2024-04-30", observed="3.5")]
    assert trend_before(SECOND, latest_first) == ("2024-05-01: 1,200 of 2,000 rows", "2024-04-30: 3.5")
    assert trend_before(FIRST, latest_first) == ("2024-04-30: 3.5",)
    assert trend_before(FIRST, []) == ()


def test_the_trend_of_a_batch_without_days_is_all_that_there_is() -> None:
    assert trend_before(ALL, [verdict(ALL, 7), verdict(ALL, 3)]) == ("all: 7 of 2,000 rows",)


def test_the_trend_has_ten_days() -> None:
    days = [f"2024-04-{day:02}" for day in range(30, 10, -1)]
    assert trend_before(FIRST, map(verdict, days)) == tuple(f"{day}: 0 of 2,000 rows" for day in days[:10])


# the limit of the quarantine


@pytest.mark.parametrize(
    ("limit", "quarantined", "rows", "sentence"),
    [
        ({"rows": 1}, 0, 3, ""),
        ({"rows": 1}, 1, 3, ""),
        ({"rows": 1}, 2, 3, "quarantine_limit: 2 of 3 rows would go to quarantine, at most 1 may."),
        ({"rows": 0}, 1, 1, "quarantine_limit: 1 of 1 rows would go to quarantine, at most 0 may."),
        ({"rows": 0}, 0, 0, ""),
        ({"share": 0.3}, 3, 10, ""),
        ({"share": 0.3}, 4, 12, "quarantine_limit: 4 of 12 rows would go to quarantine, at most 30.0% may."),
        ({"share": 0.0}, 1, 9, "quarantine_limit: 1 of 9 rows would go to quarantine, at most 0.0% may."),
        ({"share": 0.5}, 0, 0, ""),
        ({"share": 0.5, "rows": 1000}, 1200, 9000, "quarantine_limit: 1,200 of 9,000 rows would go to quarantine, at most 1,000 may."),
        ({"share": 0.5, "rows": 1000}, 6, 10, "quarantine_limit: 6 of 10 rows would go to quarantine, at most 50.0% may."),
    ],
)
def test_a_day_is_held_where_more_rows_go_to_quarantine_than_its_limit(limit: dict[str, Any], quarantined: int, rows: int, sentence: str) -> None:
    assert beyond(QuarantineLimit.model_validate(limit), quarantined, rows) == sentence


def test_rows_that_left_before_the_gate_are_among_the_day_s_rows_and_its_quarantine() -> None:
    assert quarantined_of(DayCounts(rows=10, good=7, quarantined=2, dropped=1), 4) == (6, 14)
    assert quarantined_of(DayCounts(rows=10, good=7, quarantined=2, dropped=1), 0) == (2, 10)
    assert quarantined_of(None, 4) == (4, 4)


BRONZE = "bronze.sales"


@pytest.mark.parametrize(
    ("read", "refused", "newest", "rows"),
    [
        # read anew: what the readers found counts, not what the ledger has of an older attempt
        ({BRONZE: {SECOND: 3}}, {BRONZE: {SECOND: 4}}, {SECOND: SECOND}, 4),
        ({BRONZE: {SECOND: 3}}, {BRONZE: {SECOND: 0}}, {SECOND: SECOND}, 0),
        # read by an earlier run
        ({BRONZE: {SECOND: 3}}, {}, {SECOND: SECOND}, 3),
        ({BRONZE: {SECOND: 3}}, {BRONZE: {THIRD: 9}}, {SECOND: SECOND}, 3),
        ({BRONZE: {SECOND: 3}}, {"bronze.tills": {SECOND: 9}}, {SECOND: SECOND}, 3),
        # a file that touches a newer day counts there
        ({BRONZE: {SECOND: 3}}, {}, {SECOND: THIRD}, 0),
        ({BRONZE: {SECOND: 3, THIRD: 5}}, {}, {SECOND: SECOND, THIRD: FIRST}, 3),
        ({BRONZE: {SECOND: 3, THIRD: 5}}, {}, {SECOND: SECOND, THIRD: SECOND}, 8),
        # none of its rows has a day, or nobody has looked: it counts with the day that is made from it
        ({BRONZE: {SECOND: 3}}, {}, {SECOND: None}, 0),
        ({BRONZE: {SECOND: 3}}, {}, {}, 3),
        ({BRONZE: {SECOND: 3}, "bronze.tills": {SECOND: 4}}, {}, {}, 7),
        ({}, {BRONZE: {SECOND: 4}}, {SECOND: SECOND}, 0),
    ],
)
def test_rows_that_do_not_parse_count_with_the_newest_day_of_their_file(
    read: dict[str, dict[str, int]], refused: dict[str, dict[str, int]], newest: dict[str, str | None], rows: int
) -> None:
    assert unparsed_of(SECOND, read, refused, newest) == rows
