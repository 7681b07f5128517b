"""A person decides: the two tasks behind a table whose contract says `ask`."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowSkipException

from expectations.days import in_words
from expectations.errors import DataError
from expectations.settings import load_settings
from medallion.run_name import run_name

if TYPE_CHECKING:
    from airflow.sdk import Context

    from expectations.lake import Table
    from expectations.ledger import Ledger, Question

log = logging.getLogger(__name__)
PUBLISH, HOLD = "Publish", "Hold"
ANSWERS: dict[str, Literal["publish", "hold"]] = {PUBLISH: "publish", HOLD: "hold"}
ASKED = "asked"
"""The XCom that keeps which questions a person was shown: day, rule, candidate."""
PATIENCE = timedelta(hours=12)
"""How long a question waits. A daily DAG runs one run at a time: the next day's must not wait for ever."""


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
    """Shows what the run's job has asked about `table`, waits for a person, and writes the answer into the ledger.

    One answer is for all days and rules that this run asks about; to answer days differently, run them one by one. Skipped where
    nothing is asked. Raises DataError where nobody has answered within PATIENCE: the days stay held.
    """

    def __init__(self, *, table: str, **kwargs: Any) -> None:
        super().__init__(
            subject=f"Publish {table}?",
            options=[PUBLISH, HOLD],
            response_timeout=PATIENCE,
            **kwargs,
        )
        self.table = table

    def execute(self, context: Context) -> None:
        """Ask."""
        run = run_name(context["dag_run"])
        questions = _ledger().decisions.open_questions(self.table, run)
        if not questions:
            raise AirflowSkipException(f"{self.table}: nothing is asked")
        if {_key(question) for question in _ledger().decisions.questions(self.table, run)} != {_key(question) for question in questions}:
            # Airflow keeps the page of a task that is cleared: it would show the evidence of other rows
            raise DataError(f"{self.table}: this run has asked about other rows of these days before; trigger a new run for them, which asks about these.")
        context["ti"].xcom_push(ASKED, [list(_key(question)) for question in questions])
        self.subject = f"Publish {self.table} of {in_words(question.day for question in questions)}?"
        self.body = "\n\n".join(map(evidence_text, questions))
        log.info("%s\n%s", self.subject, self.body)
        super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Write down who answered what."""
        payload = super().execute_complete(context, event)
        answer = payload["chosen_options"][0]
        who = (payload["responded_by_user"] or {}).get("name") or "somebody"
        reason = str(payload["params_input"].get("reason") or "no reason given")
        shown = {tuple(key) for key in context["ti"].xcom_pull(task_ids=self.task_id, key=ASKED) or ()}
        # whichever run has asked about these rows last: what a person has seen is what she has answered
        questions = [question for question in _ledger().decisions.questions(self.table) if _key(question) in shown]
        if not questions:
            raise DataError(f"{self.table}: the ledger does not know what this task has asked; run the days again to be asked again.")
        for question in questions:
            _ledger().decisions.answer(question, ANSWERS[answer], who, reason)
            log.info("%s, %s, %s: %s by %s (%s)", self.table, question.day, question.rule, answer, who, reason)
        return {"answer": answer, "who": who, "reason": reason}

    def process_trigger_event_error(self, event: dict[str, Any]) -> None:
        """Nobody answered: the days stay held."""
        if event["error_type"] == "timeout":
            hours = int(PATIENCE.total_seconds() // 3600)
            raise DataError(f"{self.table}: nobody answered within {hours} hours, so its days stay held; run them again to be asked again.")
        super().process_trigger_event_error(event)


def decision_task(table: str) -> DecisionOperator:
    """The task `<table>.decision`."""
    return DecisionOperator(
        task_id=decision_id(table),
        table=table,
        params={"reason": Param("", type="string", maxLength=500, title="Reason", description="Why; kept in the ledger with your name.")},
        doc_md=f"Skipped, unless a rule of {table} asks a person whether to publish.",
    )


def evidence_text(question: Question) -> str:
    """What a person has to know, as Markdown."""
    evidence = question.evidence
    lines = [
        f"**{question.day}**, rule `{question.rule}`: {_plain(evidence['sentence'])}",
        _counts(evidence),
        f"- examples: {'; '.join(_plain(example) for example in evidence['examples'])}" if evidence["examples"] else "",
        f"- before: {'; '.join(_plain(entry) for entry in evidence['trend'])}" if evidence["trend"] else "- before: never judged",
        f"- answered before: {'; '.join(_plain(entry) for entry in evidence['earlier_answers'])}" if evidence.get("earlier_answers") else "",
        f"- rows asked about: `{question.candidate}`; if they change, you are asked again",
    ]
    return "\n".join(filter(None, lines))


def _key(question: Question) -> tuple[str, str, str]:
    return question.day, question.rule, question.candidate


def _counts(evidence: dict[str, Any]) -> str:
    observed = f", observed {_plain(evidence['observed'])}" if evidence["observed"] else ""
    return f"- {evidence['broken']:,} of {evidence['judged']:,} rows break it{observed}"


def _plain(text: str) -> str:
    """Values come from data: nothing of them is Markdown."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|" else char for char in " ".join(text.split()))


def _ledger() -> Ledger:
    from expectations.ledger import Ledger

    return Ledger(load_settings().ledger_url)
