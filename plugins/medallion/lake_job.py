"""The one operator: asks Spark for one job, wherever the Airflow connection says that Spark is."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import subprocess
import sys
import threading
import warnings
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk import AssetAlias, BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from expectations.errors import LakeError, TransientError
from expectations.jobs import WITHOUT_SPARK, JobRequest, JobResult
from expectations.settings import load_settings
from medallion.assets import table_asset
from medallion.emr import Emr, end_cluster
from medallion.mlflow_link import LEARNING_VERBS, MlflowLink
from medallion.process_environment import exported
from medallion.report_links import ReportLink, report_address, reported_table
from medallion.result_record import ResultRecord
from medallion.run_name import run_name
from medallion.shipping import private_variables
from medallion.spark_connection import require_master, spark_connection, spark_remote
from medallion.storage_connection import storage_access
from medallion.submission import RUN, private_properties, search_path
from medallion.yarn_application import ApplicationLink, is_yarn, latest_application, tag_of
from medallion.yarn_queue import watched_queue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow.sdk import Context

    from expectations.jobs import Verb

INTERRUPT_SECONDS = 10.0


class LakeJobOperator(BaseOperator):
    """Runs `verb name` on Spark, and makes a log line, an asset event and the choice between retry and fail of the result.

    The type of the Airflow connection decides (a report needs none): `spark_connect` runs the job in this process against a warm server, or as a child
    of LAKE_PYTHON where the jobs have an environment of their own; `spark` runs it by spark-submit, through the provider's operator; `emr` as a
    step of a cluster of EMR. Its fields are templates; an empty one means not given.
    `may_ask`: a task behind this one asks a person about the days that wait for an answer; without one they are a failure.
    """

    template_fields: Sequence[str] = ("name", "days", "version", "force", "remark")

    def __init__(  # noqa: PLR0913 - the fields of a request
        self,
        *,
        verb: Verb,
        name: str,
        days: str = "",
        version: str = "",
        force: str = "",
        remark: str = "",
        connection: str | None = None,
        may_ask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.verb = verb
        self.name = name
        self.days = days
        self.version = version
        self.force = force
        self.remark = remark
        self.connection = connection
        self.may_ask = may_ask
        self.facts: dict[str, Any] = {}
        self._child: subprocess.Popen[str] | None = None
        self._cancel: Callable[[], None] | None = None
        self.mlflow_run = ""
        self.application_page = ""
        if verb == "report" or reported_table(self):
            self.operator_extra_links = (ReportLink(),)
        elif verb in LEARNING_VERBS:
            self.operator_extra_links = (MlflowLink(),)
        if verb not in WITHOUT_SPARK:
            self.operator_extra_links = (*self.operator_extra_links, ApplicationLink())

    def execute(self, context: Context) -> dict[str, Any]:
        """Status and message of the job. Raises DataError, TerminalError or TransientError where it failed."""
        request = self.request(context)
        connection = self.connection or load_settings().connection
        try:
            with storage_access():
                result = self._result(request, connection, context)
        finally:
            if request.verb == "report":  # the last task of a run, which comes whatever became of the others
                end_cluster(connection, request.run_key)
        facts = {**result.facts, "status": result.status, "message": result.message, "seconds": result.seconds}
        shown = facts.pop("shown", ())
        facts |= {"remark": self.remark} if self.remark else {}
        if table := reported_table(self):
            facts["report"] = report_address(context["dag_run"].dag_id, context["dag_run"].run_id, table)
        self.mlflow_run = str(result.facts.get("mlflow_run") or "")
        self.facts = facts
        for line in shown:
            self.log.info(line)
        result.raise_if_failed(may_ask=self.may_ask)
        if request.verb == "report" and result.status == "unchanged":
            raise AirflowSkipException(result.message)  # a run that came to no table has nothing to show, and is no success for it
        if result.has_published:
            self._tell(context, facts, request.name)
        else:
            self.outlets = []  # Airflow emits an event for each outlet that a task has when it ends well
        self.log.log(logging.WARNING if result.is_warning else logging.INFO, result.message)
        return {"status": result.status, "message": result.message}

    def request(self, context: Context) -> JobRequest:
        """What is asked of Spark, from the rendered fields and the run."""
        return JobRequest(
            verb=self.verb,
            name=self.name,
            run_id=run_name(context["dag_run"]),
            days=self.days or None,
            version=int(self.version) if self.version else None,
            force=self.force.lower() == "true",
        )

    def on_kill(self) -> None:
        """End what runs for this task: a retry must not meet it."""
        if self._child is not None:
            _end(self._child)
        elif self._cancel is not None:
            self._cancel()
        else:
            _interrupt_spark_connect()

    def _tell(self, context: Context, facts: dict[str, Any], name: str) -> None:
        """Put the facts onto the events of the task's assets."""
        for outlet in self.outlets:
            event = context["outlet_events"][outlet]
            if isinstance(outlet, AssetAlias):
                event.add(table_asset(name), extra=facts)
            else:
                event.extra = facts

    def _result(self, request: JobRequest, connection: str, context: Context) -> JobResult:
        needs_spark = request.verb not in WITHOUT_SPARK
        kind = spark_connection(connection).conn_type if needs_spark else ""
        if kind == "spark":
            return self._by_spark_submit(request, connection, context)
        if kind == "emr":
            return self._by_emr_step(request, connection)
        remote = spark_remote(connection) if needs_spark else ""
        python = os.environ.get("LAKE_PYTHON")
        if python:
            return self._by_child(request, python, remote)
        # Spark's client is silent by default, but Airflow's logging wakes it: each question whether a table exists would be shown as an error.
        logging.getLogger("pyspark.sql.connect.logging").disabled = True
        # skops looks through all modules that are loaded, Airflow's deprecated ones too, and each is a warning: 600 KB a task
        warnings.filterwarnings("ignore", module=r"skops\.")
        # Imported here: the jobs' libraries must not be loaded where DAGs are parsed.
        result: JobResult = importlib.import_module("spark_jobs.run").run(request, remote)
        return result

    def _by_child(self, request: JobRequest, python: str, remote: str) -> JobResult:
        record = ResultRecord(request)
        record.forget()
        environment = {**os.environ, "PYTHONPATH": search_path(), "LAKE_SPARK_REMOTE": remote}
        command = [python, str(RUN), *request.to_arguments()]
        try:
            self._child = subprocess.Popen(  # noqa: S603 - no shell, and the request's fields are checked
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
            )
        except OSError as error:
            raise TransientError(f"LAKE_PYTHON={python} cannot be started ({error}); point it to the jobs' Python.") from None
        for line in self._child.stdout or ():
            self.log.info(line.rstrip())
        return record.read(f"exit code {self._child.wait()}")

    def _by_spark_submit(self, request: JobRequest, connection: str, context: Context) -> JobResult:
        from medallion.spark_submission import submission, submit  # here, not above: it loads what no DAG file needs

        require_master(connection)
        record = ResultRecord(request)
        record.forget()
        facts = spark_connection(connection)
        ended = "spark-submit ended well"
        try:
            with private_properties(facts) as properties, private_variables(facts) as files, exported({"PYTHONPATH": search_path()}):
                operator = submission(self.task_id, facts, request, properties, files)
                self._cancel = operator.on_kill
                with watched_queue(facts, tag_of(request), operator.on_kill) if is_yarn(facts) else nullcontext():
                    submit(operator, context)
        except LakeError:
            raise
        except Exception as error:
            ended = f"{error}".splitlines()[0] if f"{error}" else type(error).__name__
        if is_yarn(facts):
            self._tell_application(latest_application(facts, tag_of(request)))
        return record.read(ended)

    def _by_emr_step(self, request: JobRequest, connection: str) -> JobResult:
        record = ResultRecord(request)
        record.forget()
        emr = Emr(spark_connection(connection))
        cluster, step = emr.add_step(request)
        self._cancel = partial(emr.cancel, cluster, step)
        return record.read(emr.wait(cluster, step))

    def _tell_application(self, application: dict[str, Any]) -> None:
        self.application_page = str(application.get("trackingUrl") or "")
        if application:
            self.log.info("%s was %s, %s: %s", application["id"], application["state"], application["finalStatus"], self.application_page)


def _end(child: subprocess.Popen[str]) -> None:
    # As from a keyboard: Python unwinds, and the job interrupts its operations on the server.
    child.send_signal(signal.SIGINT)
    try:
        child.wait(INTERRUPT_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def _interrupt_spark_connect() -> None:
    """Interrupt the operations of this process's session: its server would otherwise finish them without us."""
    sessions = sys.modules.get("pyspark.sql.connect.session")
    session = sessions.SparkSession.getActiveSession() if sessions else None
    if session is None:
        return
    # In a thread of its own: the main one may be inside the very call that is interrupted.
    interrupter = threading.Thread(target=session.interruptAll, daemon=True)
    interrupter.start()
    interrupter.join(INTERRUPT_SECONDS)
