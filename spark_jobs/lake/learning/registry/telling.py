"""What a training says of itself: one line for people, and the facts of its asset event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from expectations.jobs import JobRequest, JobResult
from spark_jobs.lake.learning.evaluation.baselines import NAMES

if TYPE_CHECKING:
    from expectations.ledger import ModelEntry
    from expectations.model_contract import ModelContract

TOLD = ("promoted", "outcome", "reason", "metrics", "baseline", "history", "champion", "worse", "parameters", "rows", "seconds", "mlflow_run")
"""What of a version's figures the asset event carries."""


def training_result(request: JobRequest, contract: ModelContract, entry: ModelEntry, status: Literal["done", "unchanged", "asks"]) -> JobResult:
    """The result of a training that registered `entry`, or found that there is nothing to learn since."""
    figures = entry.figures
    beside = f"{scores_in_words(contract, figures)} on {figures['test_days']}"
    message = f"{entry.model} v{entry.version} {_title(entry, status)}: {beside}, {figures['rows']:,} rows of {entry.first_day}..{entry.last_day}"
    if status == "unchanged":
        message = f"{entry.model}: nothing changed since v{entry.version} was trained; {beside}"
    facts: dict[str, Any] = {"model": entry.model, "version": entry.version, **{name: figures.get(name) for name in TOLD}}
    facts["days"] = sorted({day for days in entry.inputs.values() for day in days})
    return JobResult(request=request, status=status, message=message, facts=facts)


def scores_in_words(contract: ModelContract, figures: dict[str, Any]) -> str:
    """`roc_auc 0.612 against 0.500 (the majority class), 0.551 (the history of the same keys), 0.601 (the champion)`."""
    score = str(figures["score"])
    rivals = [("baseline", NAMES[contract.kind]), ("history", "the history of the same keys"), ("champion", "the champion")]
    told = [f"{figures[key][score]:.3f} ({name})" for key, name in rivals if score in (figures.get(key) or {})]
    own = f"{figures['metrics'][score]:.3f}" if score in figures["metrics"] else "undefined"
    return f"{score} {own} against {', '.join(told)}" if told else f"{score} {own}"


def _title(entry: ModelEntry, status: str) -> str:
    if entry.champion:
        return "is champion"
    if status == "asks":
        return "passed, and waits for a person to say whether it serves"
    return f"is registered but does not serve, because {entry.figures['reason'] or 'another version does'}"
