"""Versions of the little lake's model, registered by the real registry without a training on Spark."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from expectations.jobs import JobRequest
from expectations.ledger import DayEntry, ModelEntry
from expectations.loader import load_lake
from expectations.settings import load_settings
from spark_jobs.lake.job import Job
from spark_jobs.lake.learning.answering import with_answers
from spark_jobs.lake.learning.engines.estimators import build_estimator, with_parameters
from spark_jobs.lake.learning.engines.fitting import Fitted
from spark_jobs.lake.learning.engines.search import Candidate
from spark_jobs.lake.learning.engines.search_folder import SearchFolder
from spark_jobs.lake.learning.evaluation.judging import Judgement
from spark_jobs.lake.learning.evaluation.verdicts import Outcome, Verdict
from spark_jobs.lake.learning.examples import DAY
from spark_jobs.lake.learning.lesson import Lesson, lesson_of
from spark_jobs.lake.learning.registry.registering import register
from spark_jobs.lake.learning.trained import Trained

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

LEARNED = "2024-05-01..2024-05-14"
CONTRACT = "expectations/models/answers.yaml"
OTHER = 7
"""A version that nobody trained here: the first one's entry, with other figures."""
BEST = Candidate({"trees__max_leaf_nodes": 3}, (0.6, 0.7, 0.8), 1.0)
JUDGEMENT = Judgement(
    figures={"roc_auc": 0.7, "calibration_error": 0.1},
    baselines={"majority": {"roc_auc": 0.5}, "history": {"roc_auc": 0.55}},
    slices={"kind": {"home": {"roc_auc": 0.65, "rows": 60}}},
    champion={"roc_auc": 0.69},
    worse=["kind mobile: roc_auc 0.600, the champion 0.700 (60 rows)"],
    verdict=Verdict("promoted"),
    pages={"slices.json": b"{}"},
)
"""What was found out about a version."""


def change(lake: LittleLake, path: str, old: str, new: str) -> None:
    """Write a file of the project anew."""
    text = (lake.project / path).read_text()
    assert old in text
    lake.write(path, text.replace(old, new))


def champion(lake: LittleLake) -> ModelEntry:
    """The version that serves."""
    found = lake.ledger.champion("answers")
    assert found is not None
    return found


def crowned_in_mlflow(lake: LittleLake) -> int:
    """The version under MLflow's alias."""
    from mlflow import MlflowClient

    return int(MlflowClient(f"sqlite:///{lake.project}/.lake/mlflow.db").get_model_version_by_alias("answers", "champion").version)


def versions_in_mlflow(lake: LittleLake) -> list[int]:
    """Those that MLflow has, the newest first."""
    from mlflow import MlflowClient

    found = MlflowClient(f"sqlite:///{lake.project}/.lake/mlflow.db").search_model_versions("name = 'answers'")
    return sorted((int(version.version) for version in found), reverse=True)


def serves(lake: LittleLake, **figures: Any) -> None:
    """Let OTHER be champion in the first one's place."""
    first = champion(lake)
    lake.ledger.record_model(replace(first, version=OTHER, run_id="elsewhere", figures={**first.figures, **figures}), instead_of=first.version)


def publish_by_hand(lake: LittleLake, table: str, versions: dict[str, int], inputs: dict[str, dict[str, dict[str, int]]] | None = None) -> None:
    """Let the ledger say that these days are published at these versions, made from these inputs (else from bronze)."""
    entries = []
    for day, version in versions.items():
        made_from = (inputs or {}).get(day, {"bronze.calls": {day: 0}} if table == "silver.calls" else {})
        entries.append(DayEntry(table, day, "published", version, "build", "contract", "logic", made_from))
    lake.ledger.record(entries, [])


def job_of(lake: LittleLake, verb: str, days: str | None = None, run_id: str = "run-1", **more: Any) -> Job:
    """A job that has no session."""
    no_spark: Any = None
    request = JobRequest.model_validate({"verb": verb, "name": "answers", "days": days, "run_id": run_id, **more})
    return Job(no_spark, load_settings(), load_lake(), lake.ledger, request)


def examples() -> pd.DataFrame:
    """What a training reads of the learned calls."""
    from tests.spark_jobs.lake.learning.conftest import DAYS, calls_of

    rows = [line.split(",") for day in DAYS[:14] for line in calls_of(day)]
    frame = pd.DataFrame(rows, columns=[DAY, "call", "kind", "hour", "answered"])
    kinds = frame["kind"].where(frame["kind"] != "", None)
    numbers = {"call": frame["call"].astype("int32"), "hour": pd.to_numeric(frame["hour"]), "answered": (frame["answered"] == "true").astype("int64")}
    return frame.assign(kind=kinds, called_on=pd.to_datetime(frame[DAY]).dt.date, **numbers)


def trained(lesson: Lesson) -> Trained:
    """The model's estimator, fitted on the learned calls."""
    model, rows = lesson.model, examples()
    learned, test = (rows[rows[DAY].isin(days)] for days in (lesson.days.learned, lesson.days.test))
    inputs = list(model.contract.inputs)
    estimator = with_parameters(build_estimator(model), BEST.parameters).fit(learned[inputs], learned["answered"])
    folder = SearchFolder(f"{load_settings().models_path}/answers/_search/1")
    fitted = Fitted(estimator, BEST, [BEST], folder, {"search": 2.0, "fit": 0.5})
    answers = with_answers(model.contract, estimator, test, inputs)
    return Trained(fitted, rows, len(rows), learned, None, answers, None, {"read": 0.25, "search": 2.0, "fit": 0.5})


def register_version(lake: LittleLake, run_id: str, outcome: Outcome = "promoted", reason: str = "") -> ModelEntry:
    """Register one more version of which this was found."""
    job = job_of(lake, "train", LEARNED, run_id, force=True)
    lesson = lesson_of(job, job.lake.model("answers"))
    return register(job, lesson, trained(lesson), replace(JUDGEMENT, verdict=Verdict(outcome, reason)))
