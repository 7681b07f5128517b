"""The DAG by which quarantined rows come back: a form, a look, a decision, a replay."""

from __future__ import annotations

import json
import logging
from datetime import date
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.python import ShortCircuitOperator
from airflow.sdk import DAG, AssetAlias, Param
from airflow.sdk.exceptions import AirflowSkipException

from expectations.days import resolve_days
from expectations.errors import RequestError, did_you_mean
from expectations.loader import load_lake
from expectations.review import LONGEST_REASON, LONGEST_RULE, Review
from medallion.forms import day_fields
from medallion.lake_job import LakeJobOperator
from medallion.reporting import report_task
from medallion.retrying import LIGHT_TIMEOUT, task_defaults
from medallion.run_name import run_name
from medallion.triggering import wake

if TYPE_CHECKING:
    from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
    from airflow.sdk import Context
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

    from expectations.jobs import JobRequest

log = logging.getLogger(__name__)
LONGEST_FIELD = 50_000
DECISIONS = ("edit", "discard", "reopen")
REPLAYED = ("edit", "reopen", "replay")
"""After these a row may be good; a discarded one stays out, so there is nothing to judge."""
FOLLOWS = "what_follows"
REVIEWED = AssetAlias("replayed tables", group="operations")
"""Which table was replayed is known only when it runs."""

DOC = """Shows the rows that wait in a table's quarantine, and lets them come back.

| action | what happens |
|---|---|
| `look` | the log of the task `look` shows what waits: how many rows by rule and day, and the first twenty with their ids |
| `edit` | new texts for columns of the rows that are named, as their file should have had them; then they are replayed |
| `discard` | the rows stay in quarantine, with your reason, and never enter the table; a day that they held is judged anew when its pipeline runs again |
| `reopen` | takes a `discard` back; then the rows are replayed |
| `replay` | the days of the rows are built again, through the same gate: after a rule was changed, or a contract |

Days, rule and rows narrow down which rows are meant; `discard` and `reopen` need one of them, `edit` needs rows. What is done twice is
done once. Where a replay has published something, the table's daily pipeline is woken for these days, so that what is made of the
table follows. An edit is taken back by a job: `make job DO="quarantine TABLE --action edit --rows ID --values '{}' --reason WHY"`."""

ACTIONS = "look: show what waits. edit: write the right texts. discard: give rows up. reopen: take a discard back. replay: judge again."


class ReviewOperator(LakeJobOperator):
    """Asks the quarantine of the form's table for `action`, or for the form's own action where that is one of `own`; else it is skipped.

    The texts of the form are no templates. Raises RequestError where the form lacks what its action needs.
    """

    def __init__(self, *, action: str = "", only_for: tuple[str, ...] = (), **kwargs: Any) -> None:
        self.action = action  # first: a replay has a report, which the operator asks about
        super().__init__(verb="quarantine", name="{{ params.table }}", **kwargs)
        self.only_for = only_for

    def execute(self, context: Context) -> dict[str, Any]:
        """What was found or done."""
        form = context["params"]["action"]
        if self.only_for and form not in self.only_for:
            raise AirflowSkipException(f"the form's action is {form}")
        return {**super().execute(context), **self.facts}

    def request(self, context: Context) -> JobRequest:
        """The form's fields, checked; raises RequestError."""
        form, dag_run = dict(context["params"]), context["dag_run"]
        for field in dag_run.conf or {}:
            if field not in form:  # Airflow takes any field over REST: without `rows`, `row` would mean all of them
                raise RequestError(f"the form has no field {field[:40]!r}; known are {', '.join(form)}.{did_you_mean(field, form)}")
        days = _days(form)
        values = form["values"] or None  # the page fills an empty field with {}, which must not take an edit back
        _refuse_numbers(values or {})
        texts = {name: str(form[name] or "") for name in ("rule", "rows", "reason")}
        who = dag_run.triggering_user_name or "unknown"
        whole = Review.of(form["action"], **texts, values=json.dumps(values) if values is not None else "", who=who)
        whole.require_complete(days)
        action = self.action or whole.action
        review = whole.model_copy(update={"action": action, "values": whole.values if action == "edit" else None})
        return super().request(context).model_copy(update={"days": days, "review": review, "run_id": run_name(dag_run)})


def _refuse_numbers(values: dict[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            raise RequestError(f"the new value of {name[:40]!r} is the number {value}; put it into quotes: a form does not keep how a number was written.")


def _days(form: dict[str, Any]) -> str | None:
    first, last = form["first_day"], form["last_day"]
    if not (first or last):
        return None
    from airflow.sdk import timezone

    return str(resolve_days(first_day=first, last_day=last, partition_key=None, asked_at=timezone.utcnow(), time_zone="UTC"))


def quarantine_dag() -> DAG:
    """The DAG `quarantine_replay`."""
    with DAG(
        dag_id="quarantine_replay",
        description="Rows back from quarantine: look, edit, discard, reopen, replay.",
        schedule=None,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        default_args=task_defaults("lake"),
        params=_form(),
        doc_md=DOC,
        tags=["lake", "operations"],
    ) as dag:
        look = ReviewOperator(task_id="look", action="look", doc_md="What waits: by rule and day, and the first twenty rows, in its log.")
        decide = ReviewOperator(task_id="decide", only_for=DECISIONS, doc_md="Writes an edit, a discard or its taking back into the ledger.")
        replay = ReviewOperator(
            task_id="replay",
            action="replay",
            only_for=REPLAYED,
            trigger_rule="none_failed",
            may_ask=True,  # the pipeline that is woken builds the days again, and asks
            outlets=[REVIEWED],
            doc_md="Builds the days of the rows again, through the same gate; first the bronze days with edited rows.",
        )
        follows = ShortCircuitOperator(
            task_id=FOLLOWS,
            python_callable=what_follows,
            op_kwargs={"table": "{{ params.table }}"},
            execution_timeout=LIGHT_TIMEOUT,
            doc_md="Which pipeline builds the table, and for which of its days it has to run; skips where nothing was published.",
        )
        look >> decide >> replay >> follows >> _wake_pipeline()
        # of a held replay too, but not where there was none
        replay >> report_task("{{ params.table }}", trigger_rule="none_skipped")
    return dag


def _wake_pipeline() -> TriggerDagRunOperator:
    facts = {name: f"{{{{ ti.xcom_pull(task_ids='{FOLLOWS}')['{name}'] }}}}" for name in ("dag_id", "first_day", "last_day")}
    return wake(
        facts.pop("dag_id"),
        task_id="trigger_pipeline",
        conf=facts,
        trigger_rule="all_success",
        doc="Wakes the table's daily pipeline for the days that were published, so that what is made of the table follows.",
    )


def _form() -> dict[str, Param]:
    text: dict[str, Any] = {"type": ["null", "string"], "maxLength": LONGEST_FIELD}
    return {
        "table": Param(type="string", enum=sorted(load_lake().tables), title="Table", description="Whose quarantine."),
        "action": Param("look", enum=["look", "edit", "discard", "reopen", "replay"], title="Action", description=ACTIONS),
        **day_fields("all days"),
        "rule": Param(None, title="Rule", description="Only rows that broke this rule.", **{**text, "maxLength": LONGEST_RULE}),
        "rows": Param(
            None, title="Rows", description="Only the rows with these ids, as `look` shows them; one a line. edit needs them.", format="multiline", **text
        ),
        "values": Param(
            None,
            type=["null", "object"],
            title="Values",
            description='edit: the right texts, for example {"distance": "100"}, numbers in quotes too.',
        ),
        "reason": Param(
            None, title="Reason", description="edit, discard: why; kept with the row.", format="multiline", **{**text, "maxLength": LONGEST_REASON}
        ),
    }


def what_follows(table: str, ti: RuntimeTaskInstanceProtocol) -> dict[str, str] | None:
    """The pipeline that builds `table`, and the range of its days that the replay has touched; None where nothing is to follow."""
    facts = ti.xcom_pull(task_ids="replay") or {}
    lake = load_lake()
    name = next((name for name, pipeline in lake.pipelines.items() if table in pipeline.tables), None)
    # a day of arrival may touch other tables than this one
    days = sorted(date.fromisoformat(day) for day in {*facts.get("days", ()), *facts.get("asks", ()), *facts.get("arrival_days", ())} - {"all"})
    if name is None or not days:
        log.info("%s: nothing to follow", table)
        return None
    pipeline = lake.pipeline(name)
    own = [day for day in days if pipeline.first_day <= day <= (pipeline.last_day or day)] or [pipeline.first_day]
    return {"dag_id": f"{name}_daily", "first_day": own[0].isoformat(), "last_day": own[-1].isoformat()}
