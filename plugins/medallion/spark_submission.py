"""spark-submit by the provider's operator. Imported by a running task alone: the provider loads Kubernetes' clients, half a second that no DAG file needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk.bases.operator import ExecutorSafeguard

from medallion.submission import application_of, driver_variables, submission_conf
from medallion.yarn_application import is_shipped

if TYPE_CHECKING:
    from airflow.sdk import Connection, Context

    from expectations.jobs import JobRequest


def submission(task_id: str, connection: Connection, request: JobRequest, properties_file: str | None, files: str | None) -> SparkSubmitOperator:
    """The provider's operator for one job of a running task. Raises RequestError where the job cannot be submitted there."""
    return SparkSubmitOperator(
        task_id=task_id,
        name=request.name,
        conn_id=connection.conn_id,
        application=application_of(connection),
        application_args=request.to_arguments(),
        conf=submission_conf(connection, request),
        env_vars=driver_variables(connection),
        properties_file=properties_file,
        files=files,
        yarn_track_via_rm_api=is_shipped(connection),
        durable=False,  # a job that is run twice does no harm, so nothing is gained by looking for a lost one
    )


def submit(operator: SparkSubmitOperator, context: Context) -> None:
    """Returns when the application has ended. Raises what the provider does where it failed."""
    # Airflow asks for this word where an operator is called by another one.
    called_by_a_task: dict[str, Any] = {f"{type(operator).__name__}__sentinel": ExecutorSafeguard.sentinel_value}
    operator.execute(context, **called_by_a_task)
