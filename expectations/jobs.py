"""What Airflow asks of Spark, and what Spark answers: the only two things that pass between them."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from expectations.days import DayRange, parse_range
from expectations.errors import DataError, LakeError, TerminalError, TransientError
from expectations.review import Review

Verb = Literal["build", "train", "score", "watch", "restore", "adopt", "maintain", "reconcile", "report", "quarantine", "promote", "rebuild", "examine"]
MODEL_VERBS: frozenset[Verb] = frozenset({"train", "score", "watch", "promote", "rebuild", "examine"})
"""Verbs whose name is a model's."""
WITHOUT_SPARK: frozenset[Verb] = frozenset({"report", "promote", "examine"})
"""Verbs that open no session."""
PUBLISHES_DAYS: frozenset[Verb] = frozenset({"build", "score", "watch", "quarantine"})
"""Verbs whose result names the days that it has published."""
REPORTS = "_reports"
"""What the ledger calls jobs that wrote a report: no name of a table or a model."""


class JobRequest(BaseModel):
    """One Spark job: `build silver.flights` for the days of a run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verb: Verb
    name: Annotated[str, Field(max_length=160)]
    """A table, or a model for the verbs of models. report: the pipeline or the table that the run was for. reconcile: a table, a pipeline, or `all`."""
    run_id: Annotated[str, Field(min_length=1, max_length=510)]
    """`dag_id/run_id`, of which Airflow allows 250 characters each; or what somebody calls a run by hand."""
    days: Annotated[str, Field(max_length=24)] | None = None
    """`2013-01-01..2013-01-31`, both included."""
    version: Annotated[int, Field(ge=0)] | None = None
    """restore: the Delta version to go back to. adopt: the newest one, which a person says is right.
    score: the model's version to ask, for comparison; None: the champion. promote: the one to serve. rebuild: the one to make again.
    examine: the one to look at; None: the champion."""
    force: bool = False
    """build: also where nothing changed. train: also where the model is young."""

    review: Review | None = None
    """quarantine: what to do with which rows; without it, look."""

    @property
    def day_range(self) -> DayRange | None:
        """The days as a range. Raises RequestError where they are none."""
        return parse_range(self.days) if self.days else None

    @property
    def run_key(self) -> str:
        """The run's id as a name that is safe in a path."""
        return hashlib.sha256(self.run_id.encode()).hexdigest()[:16]

    @property
    def record_name(self) -> str:
        """The file name of the result record under `<root>/_runs/`."""
        asked = f"{self.verb}-{self.review.action}" if self.review else self.verb
        return f"{self.run_key}/{asked}.{self.name}.json"

    def to_arguments(self) -> list[str]:
        """The command line of spark_jobs/run.py."""
        words = [self.verb, self.name, "--run", self.run_id]
        words += ["--days", self.days] if self.days else []
        words += ["--version", str(self.version)] if self.version is not None else []
        words += self.review.to_arguments() if self.review else []
        return words + (["--force"] if self.force else [])


class JobResult(BaseModel):
    """What a job did. It becomes the log line, the asset event and the choice between retry and fail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    request: JobRequest
    status: Literal["done", "unchanged", "failed_terminal", "failed_transient", "held", "asks"]
    message: str
    """One line for people."""
    facts: dict[str, Any] = {}
    """Rows in, out and quarantined, Delta version, days, verdicts, files: what the asset event carries."""
    seconds: float = 0.0

    @property
    def is_warning(self) -> bool:
        """Whether the job went well and somebody should look all the same: there are files that no run took."""
        return self.status in {"done", "unchanged"} and bool(self.facts.get("not_taken"))

    @property
    def has_published(self) -> bool:
        """Whether readers find other rows, or a model a new version: what an asset event says.

        Not so where nothing changed, and where all days are held or wait for an answer.
        """
        if self.request.verb in PUBLISHES_DAYS:
            return bool(self.facts.get("days"))
        return self.status == "done"

    def raise_if_failed(self, *, may_ask: bool = False) -> None:
        """DataError for held days and, unless somebody will be asked, for days that wait for an answer; else TerminalError or TransientError."""
        errors: dict[str, type[LakeError]] = {
            "held": DataError,
            **({} if may_ask else {"asks": DataError}),
            "failed_terminal": TerminalError,
            "failed_transient": TransientError,
        }
        if self.status in errors:
            raise errors[self.status](self.message)
