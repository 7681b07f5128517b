"""What a person is shown, and what becomes of the answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from expectations.errors import DataError
from expectations.ledger import DayEntry, Ledger, Question
from expectations.settings import load_settings
from medallion.asking import DecisionOperator, decision_task, evidence_text
from tests.plugins.medallion.test_lake_job import context

EVIDENCE = {
    "sentence": "not_cheap: 1 of 2 rows break expect_column_values_to_be_between (column cents, min_value 100), for example cents = 2.",
    "judged": 2,
    "broken": 1,
    "observed": "",
    "examples": ["cents = 2"],
    "trend": ["2024-05-01: 0 of 1 rows"],
}


def test_the_evidence_names_rule_counts_examples_and_trend() -> None:
    shown = evidence_text(Question("silver.sales", "2024-05-02", "not_cheap", "abc", "run-1", EVIDENCE))
    assert shown.splitlines() == [
        "**2024-05-02**, rule `not_cheap`: 1 of 2 rows break expect\\_column\\_values\\_to\\_be\\_between "
        "(column cents, min\\_value 100), for example cents = 2.",
        "- before: 2024-05-01: 0 of 1 rows",
        "- your answer holds for just these rows: if they change, you are asked again",
    ]


def test_values_from_data_are_no_markdown() -> None:
    evidence = {**EVIDENCE, "sentence": "1 of 2 rows break it, for example item = [free](http://example.com) <b>\n# big.", "trend": []}
    shown = evidence_text(Question("silver.sales", "2024-05-02", "not_cheap", "abc", "run-1", evidence))
    assert "for example item = \\[free\\](http://example.com) \\<b\\> \\# big" in shown
    assert "- before: never judged" in shown


TABLE, RUN = "silver.sales", "shop_daily/manual__1"
HELD = DayEntry(TABLE, "2024-05-02", "held", None, RUN, "c", "l", {})
ASKED_FIRST = Question(TABLE, "2024-05-02", "not_cheap", "abc", RUN, EVIDENCE)
SECOND_RULE = replace(ASKED_FIRST, rule="not_dear")


@pytest.fixture
def ledger() -> Ledger:
    """A day is held, and a person is asked about two of its rules."""
    made = Ledger(load_settings().ledger_url)
    made.record([HELD], [], questions=[ASKED_FIRST, SECOND_RULE])
    return made


def shown_to(*questions: Question) -> Any:
    """The context of a task in which a person was shown these questions."""
    keys = [[question.day, question.rule, question.candidate] for question in questions]
    return {"ti": SimpleNamespace(xcom_pull=lambda task_ids, key: keys)}


def event(option: str, reason: str = "", user: str | None = "ada") -> dict[str, Any]:
    """What Airflow hands on of an answer."""
    who = {"id": "1", "name": user} if user else None
    return {"chosen_options": [option], "params_input": {"reason": reason}, "responded_at": datetime(2024, 5, 3, tzinfo=UTC), "responded_by_user": who}


def decision() -> DecisionOperator:
    return decision_task(TABLE)


def answers(ledger: Ledger) -> dict[str, tuple[str | None, str, str]]:
    """Rule to answer, who gave it, and why."""
    return {question.rule: (question.answer, question.answered_by, question.reason) for question in ledger.decisions.questions(TABLE)}


def test_a_person_is_asked_about_the_days_of_the_run_and_what_follows_is_said(ledger: Ledger) -> None:
    operator = decision()
    questions = operator.open_questions(RUN)
    assert {question.rule for question in questions} == {"not_cheap", "not_dear"}
    subject, body = operator.shown(questions)
    assert subject == "Publish silver.sales of 2024-05-02?"
    assert "rule `not_cheap`: 1 of 2 rows break expect" in body
    assert "*Hold*, or no answer within 12 hours: the table stays as it is, and the run fails." in body
    assert operator.options == ["Publish", "Hold"]
    assert operator.open_questions("shop_daily/another") == []


def test_an_answer_is_kept_for_every_question_that_was_shown_with_who_gave_it_and_why(ledger: Ledger) -> None:
    shown = decision().execute_complete(shown_to(ASKED_FIRST, SECOND_RULE), event("Hold", "is it really so?"))
    assert shown == {"answer": "Hold", "who": "ada", "reason": "is it really so?"}
    assert answers(ledger) == {"not_cheap": ("hold", "ada", "is it really so?"), "not_dear": ("hold", "ada", "is it really so?")}
    assert decision().open_questions(RUN) == []


def test_what_was_not_shown_is_not_answered(ledger: Ledger) -> None:
    decision().execute_complete(shown_to(ASKED_FIRST), event("Publish", user=None))
    assert answers(ledger) == {"not_cheap": ("publish", "somebody", "no reason given"), "not_dear": (None, "", "")}


def test_an_answer_counts_though_another_run_has_asked_the_same_since(ledger: Ledger) -> None:
    ledger.record([], [], questions=[replace(ASKED_FIRST, run_id="shop_daily/later")])
    decision().execute_complete(shown_to(ASKED_FIRST), event("Publish", "snow"))
    assert answers(ledger)["not_cheap"] == ("publish", "ada", "snow")


def test_other_rows_of_a_day_are_not_answered_by_a_page_that_shows_the_earlier_ones(ledger: Ledger) -> None:
    ledger.record([], [], questions=[replace(ASKED_FIRST, candidate="def")])
    with pytest.raises(DataError, match=r"this run has asked about other rows of these days before; trigger a new run for them, which asks about these\.$"):
        decision().open_questions(RUN)
    with pytest.raises(DataError, match=r"the ledger does not know what this task has asked; run it again to be asked again\.$"):
        decision().execute_complete(shown_to(replace(ASKED_FIRST, candidate="ghi")), event("Publish"))
    assert {answer for answer, _, _ in answers(ledger).values()} == {None}


def test_where_nobody_answers_the_days_stay_held_and_the_run_fails(ledger: Ledger) -> None:
    with pytest.raises(DataError, match=r"^silver\.sales: nobody answered within 12 hours, so its days stay held; run them again to be asked again\.$"):
        decision().execute_complete(shown_to(ASKED_FIRST), {"error": "too late", "error_type": "timeout"})
    assert len(decision().open_questions(RUN)) == 2


def test_where_nothing_is_asked_the_decision_is_skipped() -> None:
    with pytest.raises(AirflowSkipException, match=r"silver\.sales: nothing is asked"):
        decision().execute(context())  # type: ignore[arg-type]
