"""Trains a model: read, search, fit, evaluate, compare with the champion, register."""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from expectations.days import in_words
from expectations.errors import ContractError, ModelError
from expectations.jobs import JobResult
from expectations.ledger import ModelEntry
from spark_jobs.lake.learning.evaluation import Figures, Verdict, evaluate, evaluate_baseline, judge
from spark_jobs.lake.learning.examples import DAY, read_examples
from spark_jobs.lake.learning.model_store import ModelStore, Registration
from spark_jobs.lake.learning.search import Candidate, best_of, search, seeded, with_parameters
from spark_jobs.lake.learning.splitting import DaySplit, split_days, time_folds
from spark_jobs.lake.logic import load_module
from spark_jobs.lake.storage import Place

if TYPE_CHECKING:
    import pandas as pd

    from expectations.lake import Model
    from expectations.ledger.entries import Inputs
    from spark_jobs.lake.job import Job


@dataclass(frozen=True)
class Lesson:
    """What a model learns from: days, and the version at which each last changed."""

    model: Model
    days: DaySplit
    inputs: Inputs


@dataclass(frozen=True)
class Trained:
    """A fitted estimator with its figures on the test days, those of the baseline, and those of the champion where there is one."""

    estimator: Any
    best: Candidate
    candidates: list[Candidate]
    figures: Figures
    baseline: Figures
    champion: Figures | None
    seconds: dict[str, float]


def train(job: Job) -> JobResult:
    """Learn from the days published now. The same run twice, and the same days and code twice, register one version."""
    model = job.lake.model(job.request.name)
    days = split_days(model.contract.training, _available(job, model), model.contract.split, model.contract.folds)
    lesson = Lesson(model, days, {model.contract.training: job.ledger.versions(model.contract.training, days.days)})
    known = _recorded(job, lesson)
    if known is not None:
        return known
    trained, examples = _learn(job, lesson)
    verdict = judge(model.contract.score, model.contract.gates, trained.figures, trained.baseline, trained.champion)
    entry = _register(job, lesson, trained, examples, verdict)
    return _result(job, entry, "done")


def learning_code(model: Model) -> str:
    """sha256 of what a model is made by: its contract, without words and schedule, and its file."""
    facts = model.contract.model_dump_json(exclude={"description", "owner", "train"})
    return hashlib.sha256(facts.encode() + model.logic.read_bytes()).hexdigest()[:16]


def build_estimator(model: Model) -> Any:
    """The model's unfitted estimator, seeded. Raises ContractError where the file does not give one."""
    estimator = load_module(model.logic).build_estimator()
    if not hasattr(estimator, "fit") or not hasattr(estimator, "predict_proba"):
        found = type(estimator).__name__
        raise ContractError(f"{model.logic}: build_estimator() returned {found}, which has no fit and predict_proba; return a scikit-learn classifier.")
    return seeded(estimator, model.contract.seed)


def _available(job: Job, model: Model) -> list[str]:
    wanted = job.request.day_range
    days = job.ledger.versions(model.contract.training, needs=model.contract.needs)
    return [day for day in days if wanted is None or day in set(wanted.keys)]


def _recorded(job: Job, lesson: Lesson) -> JobResult | None:
    """The result of this run where it was recorded before; else, unless forced, that of the newest version where nothing changed since."""
    model = lesson.model
    versions = job.ledger.model_versions(model.name)
    for entry in versions:
        if entry.run_id == job.request.run_id:
            if entry.champion:
                ModelStore(job.settings, model).crown(entry.version)
            return _result(job, entry, "done")
    newest = versions[0] if versions else None
    if newest and not job.request.force and (newest.inputs, newest.figures["code"]) == (lesson.inputs, learning_code(model)):
        return _result(job, newest, "unchanged")
    return None


def _learn(job: Job, lesson: Lesson) -> tuple[Trained, pd.DataFrame]:
    model, days, contract, started = lesson.model, lesson.days, lesson.model.contract, time.monotonic()
    examples = read_examples(job, model, lesson.inputs[contract.training], _columns(job, model))
    read = time.monotonic()
    estimator = build_estimator(model)
    candidates = _search(job, lesson, estimator, examples)
    searched = time.monotonic()
    best = best_of(candidates)
    is_test = examples[DAY].isin(days.test)
    learned, test = examples[~is_test], examples[is_test]
    final = with_parameters(estimator, best.parameters)
    try:
        # OpenMP's threads wait by spinning: two of them on cores that Spark is using made this fit ten times slower
        with threadpool_limits(limits=1):
            final.fit(learned[list(contract.inputs)], learned[contract.target])
        figures = evaluate(test[contract.target], final.predict_proba(test[list(contract.inputs)])[:, 1], contract.threshold)
    except ValueError as error:
        raise ModelError(f"{model.name}: the fit on {in_words(days.learned)}, tested on {in_words(days.test)}, failed: {str(error)[:500]}") from error
    baseline = evaluate_baseline(learned[contract.target], test[contract.target], contract.threshold)
    seconds = {"read": read - started, "search": searched - read, "fit": time.monotonic() - searched}
    champion = _champion_figures(job, model, test)
    extra = [name for name in _columns(job, model) if name not in contract.inputs]
    return Trained(final, best, candidates, figures, baseline, champion, seconds), examples.drop(columns=extra)


def _columns(job: Job, model: Model) -> list[str]:
    """The contract's inputs, and those of the champion that the training table still has: it is judged on the same days."""
    champion = job.ledger.champion(model.name)
    known = job.lake.table(model.contract.training).contract.columns
    others = [name for name in champion.figures["inputs"] if name in known] if champion else []
    return list(dict.fromkeys([*model.contract.inputs, *others]))


def _search(job: Job, lesson: Lesson, estimator: Any, examples: pd.DataFrame) -> list[Candidate]:
    model = lesson.model
    folder = f"{job.settings.models_path}/{model.name}/_search/{job.request.run_key}"
    folds = time_folds(lesson.days, model.contract.folds, examples[DAY].tolist())
    try:
        # On shared storage the workers read it themselves: once a task, not once in each task's closure.
        seen = examples[[*model.contract.inputs, model.contract.target]]
        ModelStore(job.settings, model).keep_examples(seen, f"{folder}/examples.parquet")
        return search(job.spark, model.contract, estimator, f"{folder}/examples.parquet", folds)
    finally:
        Place.of(folder).delete_folder()


def _champion_figures(job: Job, model: Model, test: pd.DataFrame) -> Figures | None:
    """The champion's figures on the same test days. One that cannot be asked any more, because its file or columns are gone, is no rival."""
    champion = job.ledger.champion(model.name)
    if champion is None:
        return None
    columns = champion.figures["inputs"]
    if not set(columns) <= set(test.columns):
        return None
    try:
        estimator = ModelStore(job.settings, model).load(champion.figures["file"], champion.figures["sha256"])
        return evaluate(test[model.contract.target], estimator.predict_proba(test[columns])[:, 1], model.contract.threshold)
    except (ModelError, ValueError):
        return None


def _register(job: Job, lesson: Lesson, trained: Trained, examples: pd.DataFrame, verdict: Verdict) -> ModelEntry:
    model, days, contract = lesson.model, lesson.days, lesson.model.contract
    store, dataset = ModelStore(job.settings, model), _dataset(job, lesson)
    registered = store.register(
        Registration(
            run_id=job.request.run_id,
            estimator=trained.estimator,
            examples=examples,
            seen=examples[list(contract.inputs)].head(100),
            parameters={**trained.best.parameters, "seed": contract.seed, "threshold": contract.threshold},
            metrics=_named_metrics(contract.score, trained),
            facts=_tags(lesson, dataset, verdict),
            datasets={contract.training: dataset},
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
        figures={**asdict(registered), **_figures(lesson, trained, verdict, len(examples))},
        trained_at=datetime.now(UTC),
    )
    job.ledger.record_model(entry)
    if verdict.promoted:
        store.crown(entry.version)
    return entry


def _dataset(job: Job, lesson: Lesson) -> dict[str, Any]:
    """What was read: MLflow's own look-up of a Delta version needs a classic session."""
    table = lesson.model.contract.training
    days = lesson.inputs[table]
    sha256 = hashlib.sha256(repr(sorted(days.items())).encode()).hexdigest()
    return {"path": job.settings.table_path(table), "delta_table_version": max(days.values()), "days": in_words(days), "sha256": sha256}


def _tags(lesson: Lesson, dataset: dict[str, Any], verdict: Verdict) -> dict[str, str]:
    return {
        "lake.code": learning_code(lesson.model),
        "lake.training_table": lesson.model.contract.training,
        "lake.delta_version": str(dataset["delta_table_version"]),
        "lake.learned_days": in_words(lesson.days.learned),
        "lake.test_days": in_words(lesson.days.test),
        "lake.promoted": str(verdict.promoted).lower(),
    }


def _named_metrics(score: str, trained: Trained) -> dict[str, float]:
    """Metrics as MLflow shows them."""
    figures = {f"test_{name}": value for name, value in trained.figures.items()}
    figures |= {f"baseline_{name}": value for name, value in trained.baseline.items()}
    figures |= {f"champion_{name}": value for name, value in (trained.champion or {}).items()}
    return figures | {f"search_{score}": trained.best.mean} | {f"seconds_{name}": value for name, value in trained.seconds.items()}


def _figures(lesson: Lesson, trained: Trained, verdict: Verdict, rows: int) -> dict[str, Any]:
    days = lesson.days
    return {
        "code": learning_code(lesson.model),
        "inputs": list(lesson.model.contract.inputs),
        "score": lesson.model.contract.score,
        "parameters": trained.best.parameters,
        "search": [{"parameters": c.parameters, "scores": list(c.scores), "mean": c.mean} for c in trained.candidates],
        "metrics": trained.figures,
        "baseline": trained.baseline,
        "champion": trained.champion,
        "reason": verdict.reason,
        "promoted": verdict.promoted,
        "learned_days": in_words(days.learned),
        "test_days": in_words(days.test),
        "rows": rows,
        "seconds": {name: round(value, 3) for name, value in trained.seconds.items()},
    }


def _result(job: Job, entry: ModelEntry, status: str) -> JobResult:
    figures = entry.figures
    score = figures["score"]
    beside = f"{score} {figures['metrics'][score]:.3f} against {figures['baseline'][score]:.3f} (majority class) on {figures['test_days']}"
    title = "is champion" if figures["promoted"] else f"is registered but does not serve, because {figures['reason']}"
    message = f"{entry.model} v{entry.version} {title}: {beside}, {figures['rows']:,} rows of {entry.first_day}..{entry.last_day}"
    if status == "unchanged":
        message = f"{entry.model}: nothing changed since v{entry.version} was trained; {beside}"
    facts = {
        "model": entry.model,
        "version": entry.version,
        "promoted": figures["promoted"],
        "metrics": figures["metrics"],
        "baseline": figures["baseline"],
        "champion": figures["champion"],
        "parameters": figures["parameters"],
        "days": sorted({day for days in entry.inputs.values() for day in days}),
        "rows": figures["rows"],
        "seconds": figures["seconds"],
    }
    return JobResult.model_validate({"request": job.request, "status": status, "message": message, "facts": facts})
