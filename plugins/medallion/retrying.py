"""Which failures are worth another try, and what every task has in common."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.definitions.retry_policy import RetryDecision

from expectations.errors import LayerError, TerminalError, TransientError

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

RETRIES = 2
RETRY_DELAY = timedelta(seconds=20)
"""Twice this outlasts a restart of the local Spark server."""
TASK_TIMEOUT = timedelta(hours=2)
TRAINING_TIMEOUT = timedelta(hours=6)
LIGHT_TIMEOUT = timedelta(minutes=10)
"""Of tasks that need no Spark."""


class SayingRetryPolicy(ExceptionRetryPolicy):
    """Airflow logs a decision's reason as the last line of a failed try: here it says which kind of failure it was, and what follows."""

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None) -> RetryDecision:
        """The rules' decision, with a sentence of which only the end depends on how many tries are left."""
        # Airflow's page folds what is logged after a task; the decision is to be seen, so the fold ends here.
        log.info("::endgroup::")
        decision = super().evaluate(exception, try_number, max_tries, context)
        if isinstance(exception, LayerError):
            return RetryDecision(decision.action, reason="not tried again: the tables' own tasks say why; see to those and clear them")
        if decision.action is RetryAction.FAIL:
            return RetryDecision(decision.action, reason="data failure: not tried again; the data, a contract or the request has to change first")
        kind = "the surroundings failed, not the data" if decision.action is RetryAction.RETRY else "a failure of a kind that is not known here"
        if try_number > max_tries:
            follows = f"this was the last of {try_number} tries; see to the cause, then clear the task"
        else:
            follows = f"tried again in {RETRY_DELAY.seconds} s, this was try {try_number} of {max_tries + 1}"
        return RetryDecision(decision.action, decision.retry_delay, f"{kind}: {follows}")


RETRY_POLICY = SayingRetryPolicy(
    rules=[
        RetryRule(exception=TerminalError, action=RetryAction.FAIL),
        RetryRule(exception=[TransientError, ConnectionError], action=RetryAction.RETRY, retry_delay=RETRY_DELAY),
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
