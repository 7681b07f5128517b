"""Enters a trained model in MLflow and the ledger."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from expectations.days import in_words
from expectations.errors import TransientError
from expectations.ledger import ModelEntry
from expectations.model_contract import SMALLER_IS_BETTER
from spark_jobs.lake.learning.lesson import learning_code
from spark_jobs.lake.learning.registry.model_store import ModelStore, Registration
from spark_jobs.lake.learning.registry.promotion import question_on, tell_mlflow
from spark_jobs.lake.learning.registry.provenance import provenance

if TYPE_CHECKING:
    from expectations.model_contract import Metric
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.learning.evaluation.judging import Judgement
    from spark_jobs.lake.learning.lesson import Lesson
    from spark_jobs.lake.learning.trained import Trained


def register(job: Job, lesson: Lesson, trained: Trained, judgement: Judgement) -> ModelEntry:
    """Keep the model and what it learned from, record it, and crown it where it may serve, or ask whether it may.

    Raises TransientError where another version became champion since the one that it was compared with.
    """
    now, rival = job.ledger.champion(lesson.model.name), lesson.champion.version if lesson.champion else None
    if (now.version if now else None) != rival:  # told here before anything is uploaded, and by the ledger for good
        raise TransientError(f"{lesson.model.name}: another version became champion during the training; train again, the finished fits are kept.")
    model, days, contract, verdict = lesson.model, lesson.days, lesson.model.contract, judgement.verdict
    store, dataset, made = ModelStore(job.settings, model), _dataset(job, lesson), provenance(job, lesson)
    registered = store.register(
        Registration(
            run_id=job.request.run_id,
            estimator=trained.fitted.estimator,
            examples=trained.examples,
            seen=trained.examples[list(contract.inputs)].head(100),
            parameters={**trained.fitted.best.parameters, "seed": contract.seed, "threshold": contract.threshold},
            metrics=_metrics(contract.score, trained, judgement),
            facts=_tags(lesson, dataset, judgement),
            datasets={contract.training: dataset},
            provenance=made,
            pages=judgement.pages,
            kept=trained.fitted.kept,
        )
    )
    entry = ModelEntry(
        model=model.name,
        version=registered.version,
        run_id=job.request.run_id,
        champion=verdict.promoted,
        first_day=days.days[0],
        last_day=days.days[-1],
        inputs=lesson.inputs,
        figures={**asdict(registered), **_figures(lesson, trained, judgement), "provenance": made},
        trained_at=datetime.now(UTC),
    )
    job.ledger.record_model(entry, [question_on(model, entry, lesson.champion)] if verdict.outcome == "asks" else (), instead_of=rival)
    if verdict.promoted:
        tell_mlflow(store, job.ledger)
    return entry


def _dataset(job: Job, lesson: Lesson) -> dict[str, Any]:
    """What was read: MLflow's own look-up of a Delta version needs a classic session."""
    days = lesson.versions
    sha256 = hashlib.sha256(repr(sorted(days.items())).encode()).hexdigest()
    path = job.settings.table_path(lesson.model.contract.training)
    return {"path": path, "delta_table_version": max(days.values()), "days": in_words(days), "sha256": sha256}


def _tags(lesson: Lesson, dataset: dict[str, Any], judgement: Judgement) -> dict[str, str]:
    return {
        "lake.code": learning_code(lesson.model),
        "lake.training_table": lesson.model.contract.training,
        "lake.delta_version": str(dataset["delta_table_version"]),
        "lake.learned_days": in_words(lesson.days.learned),
        "lake.test_days": in_words(lesson.days.test),
        "lake.promoted": str(judgement.verdict.promoted).lower(),
    }


def _metrics(score: Metric, trained: Trained, judgement: Judgement) -> dict[str, float]:
    """Metrics as MLflow shows them."""
    figures = {f"test_{name}": value for name, value in judgement.figures.items()}
    beside = {**judgement.baselines, "champion": judgement.champion or {}}
    figures |= {f"{rival}_{name}": value for rival, theirs in beside.items() for name, value in theirs.items()}
    best = trained.fitted.best.mean
    return figures | {f"search_{score}": -best if score in SMALLER_IS_BETTER else best} | {f"seconds_{name}": value for name, value in trained.seconds.items()}


def _figures(lesson: Lesson, trained: Trained, judgement: Judgement) -> dict[str, Any]:
    days = lesson.days
    return {
        "code": learning_code(lesson.model),
        "kind": lesson.model.contract.kind,
        "inputs": list(lesson.model.contract.inputs),
        "score": lesson.model.contract.score,
        "parameters": trained.fitted.best.parameters,
        "search": [{"parameters": c.parameters, "scores": list(c.scores), "mean": c.mean, "part": c.part} for c in trained.fitted.candidates],
        **judgement.recorded(),
        "learned_days": in_words(days.learned),
        "test_days": in_words(days.test),
        "rows": trained.rows,
        "seconds": {name: round(value, 3) for name, value in trained.seconds.items()},
    }
