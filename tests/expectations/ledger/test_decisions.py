"""What people decide, and what the ledger makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expectations.ledger import Correction, DayEntry, Discard, Profile, Quarantine, Question

if TYPE_CHECKING:
    from expectations.ledger import Ledger

FIRST, SECOND = "2024-05-01", "2024-05-02"
HELD = DayEntry("silver.sales", FIRST, "held", None, "run-1", "c1", "l1", {})
ASKED = Question("silver.sales", FIRST, "not_cheap", "abc", "run-1", {"sentence": "too cheap"})


def test_a_question_waits_for_its_answer(ledger: Ledger) -> None:
    ledger.record([HELD], [], questions=[ASKED])
    assert ledger.decisions.open_questions("silver.sales", "run-1") == [ASKED]
    ledger.decisions.answer(ASKED, "publish", "ann", "a sale")
    assert ledger.decisions.open_questions("silver.sales", "run-1") == []
    assert ledger.decisions.questions("silver.sales") == [replace(ASKED, answer="publish", answered_by="ann", reason="a sale")]


def test_a_question_asked_again_waits_for_an_answer_anew(ledger: Ledger) -> None:
    ledger.record([HELD], [], questions=[ASKED])
    ledger.decisions.answer(ASKED, "hold", "ann", "no")
    again = replace(ASKED, run_id="run-2", evidence={"sentence": "too cheap", "earlier_answers": ["hold by ann: no"]})
    ledger.record([HELD], [], questions=[again])
    assert [(question.answer, question.evidence) for question in ledger.decisions.open_questions("silver.sales", "run-2")] == [(None, again.evidence)]


def test_of_a_day_asked_twice_in_a_run_the_last_question_is_open(ledger: Ledger) -> None:
    ledger.record([HELD], [], questions=[ASKED])
    changed = replace(ASKED, candidate="def")
    ledger.record([HELD], [], questions=[changed])
    assert ledger.decisions.open_questions("silver.sales", "run-1") == [changed]


def test_a_day_that_was_published_since_asks_nothing(ledger: Ledger) -> None:
    ledger.record([HELD], [], questions=[ASKED])
    ledger.record([replace(HELD, state="published", version=1)], [])
    assert ledger.decisions.open_questions("silver.sales", "run-1") == []


def test_a_row_is_given_up_once_and_waits_again_when_it_is_reopened(ledger: Ledger) -> None:
    ledger.decisions.discard([Discard("silver.sales", "r1", "a test", "ann")])
    ledger.decisions.discard([Discard("silver.sales", "r1", "another reason", "bob")])
    assert ledger.decisions.discards("silver.sales") == {"r1": Discard("silver.sales", "r1", "a test", "ann")}
    ledger.decisions.reopen("silver.sales", ["r1", "r2"])
    assert ledger.decisions.discards("silver.sales") == {}


def test_the_last_correction_of_a_row_counts(ledger: Ledger) -> None:
    first = Correction("bronze.sales", "r1", FIRST, {"cents": "3"}, "a typo", "ann")
    last = replace(first, values={"cents": "4", "item": None}, who="bob")
    ledger.decisions.correct([first])
    ledger.decisions.correct([last])
    assert ledger.decisions.corrections("bronze.sales", [FIRST, SECOND]) == [last]
    assert ledger.decisions.corrections("bronze.sales", [SECOND]) == []


def test_only_clean_days_have_a_version_for_those_who_need_clean_ones(ledger: Ledger) -> None:
    clean = replace(HELD, state="published", version=1)
    ledger.record([clean, replace(clean, day=SECOND, clean=False)], [])
    assert ledger.versions("silver.sales", needs="clean") == {FIRST: 1}
    assert ledger.versions("silver.sales") == {FIRST: 1, SECOND: 1}


def test_the_quarantine_that_counts_is_the_one_recorded_last(ledger: Ledger) -> None:
    ledger.record([HELD], [], quarantine=Quarantine("silver.sales", 0, [FIRST]))
    ledger.record([HELD], [], quarantine=Quarantine("silver.sales", 2, [FIRST, SECOND]))
    ledger.record([HELD], [])
    assert ledger.quarantine("silver.sales") == Quarantine("silver.sales", 2, [FIRST, SECOND])
    assert ledger.quarantine("silver.prices") is None


def test_a_profile_is_that_of_the_last_run(ledger: Ledger) -> None:
    old = Profile("silver.sales", FIRST, "item", "run-1", {"tea": 3})
    ledger.record([HELD], [], profiles=[old])
    ledger.record([HELD], [], profiles=[replace(old, run_id="run-2", counts={"tea": 2, "pie": 1})])
    assert ledger.profiles("silver.sales", "item", [FIRST, SECOND]) == {FIRST: {"tea": 2, "pie": 1}}
    ledger.record([HELD], [], profiles=[replace(old, run_id="run-3", counts={})])
    assert ledger.profiles("silver.sales", "item", [FIRST, SECOND]) == {FIRST: {}}, "the day was emptied"
