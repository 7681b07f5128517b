"""Which failures are worth another try, and what every task has in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from expectations.errors import TerminalError, TransientError

RETRIES = 2
RETRY_DELAY = timedelta(seconds=20)
"""Twice this outlasts a restart of the local Spark server."""
TASK_TIMEOUT = timedelta(hours=2)
TRAINING_TIMEOUT = timedelta(hours=6)
LIGHT_TIMEOUT = timedelta(minutes=10)
"""Of tasks that need no Spark."""

RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=TerminalError, action=RetryAction.FAIL, reason="the data, a contract or the request has to change first"),
        RetryRule(
            exception=[TransientError, ConnectionError],
            action=RetryAction.RETRY,
            retry_delay=RETRY_DELAY,
            reason="the surroundings failed, not the data",
        ),
    ],
)


def task_defaults(owner: str) -> dict[str, Any]:
    """The `default_args` of a DAG. Spark Connect has no deadline of its own, so every task has one."""
    return {
        "owner": owner or "lake",
        "retries": RETRIES,
        "retry_delay": RETRY_DELAY,
        "retry_policy": RETRY_POLICY,
        "execution_timeout": TASK_TIMEOUT,
    }
