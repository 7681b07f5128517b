"""Spark on EMR: a job is a step of a cluster, which is there for a long time or made for one run of a DAG.

The settings are the extra of an Airflow connection of the type `emr`. Its key `lake` is ours (see LakeOnEmr); all else is the request
RunJobFlow, as the Amazon provider has it. With `cluster` in `lake` jobs go to that cluster and nothing is made.

A cluster of a run is made by the first task that needs it and ended by the task `quality_reports`, whatever became of the tables; EMR itself
ends it where no step has run for a while, so that it costs nothing where Airflow is gone.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook
from pydantic import BaseModel, ConfigDict, ValidationError

from expectations.errors import RequestError, TransientError
from expectations.settings import load_settings
from medallion.lake_ledger import open_ledger
from medallion.shipping import open_variables, project_in
from medallion.submission import ENGINE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.providers.amazon.aws.hooks.emr import EmrHook
    from airflow.sdk import Connection

    from expectations.jobs import JobRequest

log = logging.getLogger(__name__)

ALIVE = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"]
POLL_SECONDS = 15
LONGEST_STEP_SECONDS = 6 * 3600


class LakeOnEmr(BaseModel):
    """What a lake says of its cluster beside EMR's own request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cluster: str = ""
    """The id (j-...) or the name of a long-running cluster; empty: one is made for each run."""
    aws_connection: str = "aws_default"
    """The Airflow connection with the right to ask EMR."""
    bundle: str = ""
    """Where the lake's bundle is on S3; the bootstrap action unpacks it on every node."""
    bootstrap: str = ""
    """Where launcher/emr-bootstrap.sh is on S3."""
    pgpass: str = ""
    """Where a file with the ledger's password is on S3, in the format of PGPASSFILE; the cluster's role may read it, nobody else."""
    home: str = "/opt/medallion-lake"
    """Where the bundle is on the nodes."""
    master: str = "yarn"
    idle_seconds: int = 600
    """After so long without a step EMR ends the cluster of a run."""
    conf: dict[str, str] = {}
    """More settings of Spark."""
    environment: dict[str, str] = {}
    """More variables of a step; everybody who sees the cluster sees them."""


class Emr:
    """The EMR that a connection names. Raises RequestError where it cannot be meant."""

    def __init__(self, connection: Connection) -> None:
        extra = dict(connection.extra_dejson)
        try:
            self.lake = LakeOnEmr.model_validate(extra.pop("lake", {}))
        except ValidationError as error:
            fault = error.errors()[0]
            raise RequestError(
                f"the Airflow connection {connection.conn_id!r}: lake.{'.'.join(map(str, fault['loc']))}: {fault['msg']}; known are "
                f"{', '.join(LakeOnEmr.model_fields)}."
            ) from None
        self.name, self.overrides = connection.conn_id, extra
        if load_settings().ledger_url.startswith("sqlite"):
            raise RequestError("on EMR the driver runs elsewhere, where the ledger's SQLite file is not: let LAKE_LEDGER_URL name a Postgres.")
        if not self.lake.cluster and not (self.lake.bundle and self.lake.bootstrap):
            raise RequestError(f"the Airflow connection {self.name!r} needs lake.cluster, or lake.bundle and lake.bootstrap for a cluster of each run.")

    @cached_property
    def hook(self) -> EmrHook:
        """The provider's. Raises RequestError where it is not installed."""
        try:
            from airflow.providers.amazon.aws.hooks.emr import EmrHook
        except ImportError:
            raise RequestError("Spark on EMR needs the extra aws: install apache-airflow-providers-amazon beside Airflow.") from None
        return EmrHook(emr_conn_id=None, aws_conn_id=self.lake.aws_connection)

    def require_reached(self) -> str:
        """In words, that EMR answers to this connection. Raises TransientError where it does not."""
        with asking_aws("EMR"):
            if self.lake.cluster.startswith("j-"):
                state = self.hook.conn.describe_cluster(ClusterId=self.lake.cluster)["Cluster"]["Status"]["State"]
                return f"EMR's cluster {self.lake.cluster} is {state}"
            return f"EMR answers, with {len(self.hook.conn.list_clusters(ClusterStates=ALIVE)['Clusters'])} clusters that are alive"

    def add_step(self, request: JobRequest) -> tuple[str, str]:
        """The ids of the cluster and of the step that does the job. Raises TransientError where EMR refuses."""
        with asking_aws("EMR"):
            cluster = self._cluster_of(request)
            [step] = self.hook.add_job_flow_steps(cluster, [self.step(request)])
        log.info("step %s of the cluster %s", step, cluster)
        return cluster, step

    def wait(self, cluster: str, step: str) -> str:
        """How the step ended, in words."""
        from botocore.exceptions import WaiterError

        waiting = {"Delay": POLL_SECONDS, "MaxAttempts": LONGEST_STEP_SECONDS // POLL_SECONDS}
        try:
            with asking_aws("EMR"):
                self.hook.conn.get_waiter("step_complete").wait(ClusterId=cluster, StepId=step, WaiterConfig=waiting)
        except WaiterError:
            state = self.hook.conn.describe_step(ClusterId=cluster, StepId=step)["Step"]["Status"]["State"]
            return f"the step {step} of {cluster} ended as {state}"
        return f"the step {step} of {cluster} ended well"

    def cancel(self, cluster: str, step: str) -> None:
        """End a step: a retry must not meet it."""
        self.hook.conn.cancel_steps(ClusterId=cluster, StepIds=[step], StepCancellationOption="TERMINATE_PROCESS")

    def end(self, run_key: str) -> None:
        """End the cluster of a run, if it has one of its own."""
        if self.lake.cluster:
            return
        with asking_aws("EMR"):
            cluster = self.hook.get_cluster_id_by_name(_cluster_name(run_key), ALIVE)
            if cluster:
                self.hook.conn.terminate_job_flows(JobFlowIds=[cluster])
                log.info("ended the cluster %s of this run", cluster)

    def job_flow(self, run_key: str) -> dict[str, Any]:
        """The request RunJobFlow for the cluster of a run: the connection's, and what a lake needs."""
        bundle = {"Path": self.lake.bootstrap, "Args": [self.lake.bundle, self.lake.home, *([self.lake.pgpass] if self.lake.pgpass else [])]}
        return {
            "Applications": [{"Name": "Hadoop"}],
            "StepConcurrencyLevel": 4,
            **self.overrides,
            "Name": _cluster_name(run_key),
            "Instances": {**self.overrides.get("Instances", {}), "KeepJobFlowAliveWhenNoSteps": True, "TerminationProtected": False},
            "BootstrapActions": [{"Name": "the lake's bundle", "ScriptBootstrapAction": bundle}, *self.overrides.get("BootstrapActions", [])],
            "AutoTerminationPolicy": {"IdleTimeout": self.lake.idle_seconds},
        }

    def step(self, request: JobRequest) -> dict[str, Any]:
        """One job as a step. It runs the bundle's own Spark, whatever EMR's is; one that fails leaves the cluster to the others."""
        home = self.lake.home
        conf = {
            **ENGINE,
            "spark.driver.extraClassPath": f"{home}/.lake/jars/*",
            "spark.executor.extraClassPath": f"{home}/.lake/jars/*",
            "spark.executorEnv.PYTHONPATH": self._search_path,
            "spark.pyspark.python": f"{home}/.venv/bin/python",
            **load_settings().metastore.open_settings,
            **self.lake.conf,
        }
        variables = [f"{name}={value}" for name, value in self._environment().items()]
        submit = [f"{home}/.venv/bin/spark-submit", "--master", self.lake.master, "--deploy-mode", "client"]
        submit += [part for name, value in conf.items() for part in ("--conf", f"{name}={value}")]
        arguments = ["env", "-u", "SPARK_HOME", "-u", "SPARK_CONF_DIR", *variables, *submit, f"{home}/spark_jobs/run.py", *request.to_arguments()]
        jar = {"Jar": "command-runner.jar", "Args": arguments}
        return {"Name": f"{request.verb} {request.name}", "ActionOnFailure": "CONTINUE", "HadoopJarStep": jar}

    def _environment(self) -> dict[str, str]:
        """No secret is in it: whoever sees the cluster sees its steps. The ledger's password is in the file that `pgpass` names."""
        from sqlalchemy import make_url

        settings = load_settings()
        ledger = make_url(settings.ledger_url)._replace(password=None).render_as_string()
        return {
            "HADOOP_CONF_DIR": "/etc/hadoop/conf",
            "PYTHONPATH": self._search_path,
            "LAKE_PROJECT": project_in(self.lake.home),
            "PGPASSFILE": f"{self.lake.home}/pgpass",
            **open_variables(),
            "LAKE_LEDGER_URL": ledger,
            **self.lake.environment,
        }

    @property
    def _search_path(self) -> str:
        return ":".join(dict.fromkeys((self.lake.home, project_in(self.lake.home))))

    def _cluster_of(self, request: JobRequest) -> str:
        if self.lake.cluster.startswith("j-"):
            return self.lake.cluster
        name = self.lake.cluster or _cluster_name(request.run_key)
        if self.lake.cluster:
            found = self.hook.get_cluster_id_by_name(name, ALIVE)
            if not found:
                raise TransientError(f"there is no cluster {name!r} on EMR that takes steps; start it, or mend the Airflow connection {self.name!r}.")
            return found
        # tables of one layer start together: one of them makes the cluster
        with open_ledger().lease(name, request.run_id):
            return self.hook.get_cluster_id_by_name(name, ALIVE) or str(self.hook.create_job_flow(self.job_flow(request.run_key))["JobFlowId"])


def end_cluster(connection: str, run_key: str) -> None:
    """End the cluster of a run where the connection is EMR's and makes one for each."""
    try:
        found = BaseHook.get_connection(connection)
    except AirflowNotFoundException:  # a report needs no connection
        return
    if found.conn_type == "emr":
        Emr(found).end(run_key)


@contextmanager
def asking_aws(what: str) -> Iterator[None]:
    """Says in one sentence why AWS did not answer as asked. Raises TransientError."""
    from botocore.exceptions import BotoCoreError, ClientError, WaiterError

    try:
        yield
    except WaiterError:
        raise
    except ClientError as error:
        facts = error.response.get("Error", {})
        words = str(facts.get("Message")).partition("\n")[0][:200]
        raise TransientError(f"{what} refuses: {facts.get('Code')}: {words}; mend the connection or its rights.") from None
    except BotoCoreError as error:
        raise TransientError(f"{what} is not reached: {str(error).splitlines()[0][:200]}; check network, region and connection.") from None


def _cluster_name(run_key: str) -> str:
    return f"medallion-lake-{run_key}"
