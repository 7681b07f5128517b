"""A person decides: the two tasks behind a table whose contract says `ask`."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowSkipException

from expectations.days import in_words
from expectations.errors import DataError
from medallion.lake_ledger import open_ledger
from medallion.run_name import run_name

if TYPE_CHECKING:
    from airflow.sdk import Context

    from expectations.lake import Table
    from expectations.ledger import Question
    from expectations.ledger.entries import Answer

log = logging.getLogger(__name__)
PUBLISH, HOLD = "Publish", "Hold"
ASKED = "asked"
"""The XCom that keeps which questions a person was shown: day, rule, candidate."""
PATIENCE = timedelta(hours=12)
"""How long a question waits. A daily DAG runs one run at a time: the next day's must not wait for ever."""
WHAT_FOLLOWS = (
    f"*{PUBLISH}*: the rows enter the table as they are, and the day counts as not clean. *{HOLD}*, or no answer within "
    f"{int(PATIENCE.total_seconds() // 3600)} hours: the table stays as it is, and the run fails."
)


def decision_id(table: str) -> str:
    """The id of the task where a person decides."""
    return f"{table}.decision"


def decided_id(table: str) -> str:
    """The id of the task that runs the table again and obeys."""
    return f"{table}.decided"


def table_tasks(table: Table) -> list[str]:
    """The ids of the tasks that build a table, in their order."""
    return [table.name, *([decision_id(table.name), decided_id(table.name)] if table.contract.asks else [])]


class DecisionOperator(HITLOperator):
    """Shows what the run's job has asked about a table, waits for a person, and writes the answer into the ledger.

    One answer is for all days and rules that this run asks about; to answer days differently, run them one by one. Skipped where
    nothing is asked. Raises DataError where nobody has answered within PATIENCE: the days stay held. `about`: the table.
    """

    answers: ClassVar[dict[str, Answer]] = {PUBLISH: "publish", HOLD: "hold"}
    """What may be answered, and what the ledger calls it."""

    def __init__(self, *, about: str, **kwargs: Any) -> None:
        super().__init__(
            subject=f"{next(iter(self.answers))} {about}?",
            options=list(self.answers),
            response_timeout=PATIENCE,
            **kwargs,
        )
        self.about = about

    def execute(self, context: Context) -> None:
        """Ask."""
        run = run_name(context["dag_run"])
        questions = self.open_questions(run)
        if not questions:
            raise AirflowSkipException(f"{self.about}: nothing is asked")
        context["ti"].xcom_push(ASKED, [list(_key(question)) for question in questions])
        self.subject, self.body = self.shown(questions)
        log.info("%s\n%s", self.subject, self.body)
        super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Write down who answered what."""
        payload = super().execute_complete(context, event)
        answer = payload["chosen_options"][0]
        who = (payload["responded_by_user"] or {}).get("name") or "somebody"
        reason = str(payload["params_input"].get("reason") or "no reason given")
        shown = {tuple(key) for key in context["ti"].xcom_pull(task_ids=self.task_id, key=ASKED) or ()}
        # whichever run has asked about these last: what a person has seen is what she has answered
        questions = [question for question in open_ledger().decisions.questions(self.about) if _key(question) in shown]
        if not questions:
            raise DataError(f"{self.about}: the ledger does not know what this task has asked; run it again to be asked again.")
        for question in questions:
            self.note(question, answer, who, reason)
        return {"answer": answer, "who": who, "reason": reason}

    def process_trigger_event_error(self, event: dict[str, Any]) -> None:
        """Nobody answered."""
        if event["error_type"] == "timeout":
            raise DataError(f"{self.about}: nobody answered within {int(PATIENCE.total_seconds() // 3600)} hours, {self.unanswered()}")
        super().process_trigger_event_error(event)

    def open_questions(self, run: str) -> list[Question]:
        """What a run has asked and nobody has answered. Raises DataError where this run has asked about other rows before."""
        decisions = open_ledger().decisions
        questions = decisions.open_questions(self.about, run)
        if questions and {_key(question) for question in decisions.questions(self.about, run)} != {_key(question) for question in questions}:
            # Airflow keeps the page of a task that is cleared: it would show the evidence of other rows
            raise DataError(f"{self.about}: this run has asked about other rows of these days before; trigger a new run for them, which asks about these.")
        return questions

    def shown(self, questions: list[Question]) -> tuple[str, str]:
        """Headline, and evidence as Markdown."""
        return f"Publish {self.about} of {in_words(question.day for question in questions)}?", "\n\n".join([*map(evidence_text, questions), WHAT_FOLLOWS])

    def note(self, question: Question, answer: str, who: str, reason: str) -> None:
        """Write an answer down; a later one to the same question counts."""
        open_ledger().decisions.answer(question, self.answers[answer], who, reason)
        log.info("%s, %s, %s: %s by %s (%s)", self.about, question.day, question.rule, answer, who, reason)

    def unanswered(self) -> str:
        """The end of the sentence that nobody has answered."""
        return "so its days stay held; run them again to be asked again."


def decision_task(table: str) -> DecisionOperator:
    """The task `<table>.decision`."""
    return DecisionOperator(
        task_id=decision_id(table),
        about=table,
        params=reason_field(),
        doc_md=f"Skipped, unless a rule of {table} asks a person whether to publish.",
    )


def reason_field() -> dict[str, Param]:
    """The field of the form in which a person says why."""
    return {"reason": Param("", type="string", maxLength=500, title="Reason", description="Why; kept in the ledger with your name.")}


def evidence_text(question: Question) -> str:
    """What a person has to know, as Markdown."""
    evidence = question.evidence
    lines = [
        f"**{question.day}**, rule `{question.rule}`: {plain(evidence['sentence'].removeprefix(f'{question.rule}: '))}",
        f"- before: {'; '.join(plain(entry) for entry in evidence['trend'])}" if evidence["trend"] else "- before: never judged",
        f"- answered before: {'; '.join(plain(entry) for entry in evidence['earlier_answers'])}" if evidence.get("earlier_answers") else "",
        "- your answer holds for just these rows: if they change, you are asked again",
    ]
    return "\n".join(filter(None, lines))


def _key(question: Question) -> tuple[str, str, str]:
    return question.day, question.rule, question.candidate


def plain(text: str) -> str:
    """A text as Markdown shows it. Values come from data: nothing of them is Markdown."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|" else char for char in " ".join(text.split()))
