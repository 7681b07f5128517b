"""What models cost beside plain scikit-learn, what they are worth, and what watching them through a year brings: `make bench-models`.

Nothing here asserts a time. `train_overhead`: (the whole training task) / (GridSearchCV with a job a core over the same candidates, folds
and rows in memory). `same_best_score`: both find the same best score and parameters. `inference_ratio`: rows a second of the scoring task, from
Delta to Delta through gate and publish / those of one process (pyarrow read, predict_proba with all threads, pyarrow write).
`spark_ml_ratio`: (the training task of a forest of Spark ML) / (scikit-learn's forest over the same folds). `engines`: on October to December,
learned from January to September. `year`: learned from January to March, watched to the end of September, trained anew when an alarm rang.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import time
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest
from deltalake import DeltaTable
from sklearn.metrics import log_loss, roc_auc_score

from expectations.ledger import Ledger
from expectations.loader import load_lake
from expectations.settings import load_settings
from tests.benchmarks.plain_models import forest, importances, score_plainly, search_plainly
from tests.benchmarks.server import MEMORY, jobs_of, started_server
from tests.benchmarks.year_lake import ENGINES, MANY_DELAYS, TRAINING, YEAR, build_year, do, write_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expectations.lake import Model
    from expectations.ledger import ModelEntry

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(5400)]
ROUNDS = 3
SPRING = "2013-01-01..2013-03-31"
AFTER = date(2013, 4, 1)
WATCHED_UNTIL = date(2013, 9, 30)
FILE = Path(__file__).with_name("models.json")


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own, and the lake of the year."""
    folder = tmp_path_factory.mktemp("year")
    write_project(folder)
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db", "_MLFLOW_SERVER_ARTIFACT_ROOT": f"{folder}/mlartifacts"}
    with jobs_of(LAKE_PROJECT=folder, **store), started_server(tmp_path_factory.mktemp("server")) as server:
        build_year(server.remote)
        yield server.remote


def test_what_training_costs_and_what_the_engines_are_worth(remote: str) -> None:
    trainings, entry = _rounds_of_training(remote)
    engines = {"sklearn on Spark": _worth(entry, trainings["task"][-1])}
    for words, variant in ENGINES.items():
        if words not in engines:
            started = time.monotonic()
            do(remote, "train", variant.name, YEAR, run_id=f"{variant.name} {datetime.now(UTC)}", force=True)
            engines[words] = _worth(_newest(variant.name), time.monotonic() - started)
    plain_forest = search_plainly(_model("forest"), _newest("forest"), forest())
    _report(
        train_overhead=_ratios(trainings["task"], trainings["plain"]),
        same_best_score=trainings["difference"],
        spark_ml_ratio=round(engines["spark_ml, 100 trees"]["seconds"] / plain_forest.seconds, 2),
        seconds_of_training={name: [round(one, 1) for one in trainings[name]] for name in ("task", "plain")} | {"plain forest": round(plain_forest.seconds, 1)},
        parts_of_the_task=entry.figures["seconds"],
        engines=engines,
        importances=importances(_model("on_spark"), entry),
    )
    assert max(trainings["difference"]) < 1e-9
    for words, found in engines.items():
        assert found["roc_auc"] > max(found["majority"], found["history"]), words


def test_what_scoring_costs(remote: str, tmp_path: Path) -> None:
    task, plain, rows = [], [], 0
    for variant in MANY_DELAYS:
        model = _model(variant.name)
        do(remote, "train", model.name, SPRING)
        started = time.monotonic()
        result = do(remote, "score", model.name)
        task.append(time.monotonic() - started)
        seconds, chances = score_plainly(model, _newest(model.name), AFTER, str(tmp_path / "plain.parquet"))
        plain.append(seconds)
        rows = result.facts["rows_out"]
        ours = DeltaTable(load_settings().table_path(model.contract.predictions)).to_pandas(columns=["probability_late"])["probability_late"]
        assert rows == len(chances)
        assert np.abs(np.sort(ours) - np.sort(chances)).max() < 1e-12
    inference = {"rows": rows, "task": _rounded(task[1:]), "plain": _rounded(plain[1:])}
    _report(inference_ratio=_ratios(plain[1:], task[1:]), inference=inference)  # the first round is to warm up


def test_a_model_that_is_watched_through_the_year_is_trained_anew_when_it_decays(remote: str) -> None:
    model, ledger = _model("flight_delay"), Ledger(load_settings().ledger_url)
    do(remote, "train", model.name, SPRING)
    first, trainings, day = _newest(model.name), [], AFTER
    while day <= WATCHED_UNTIL:
        week = f"{day}..{min(day + timedelta(days=6), WATCHED_UNTIL)}"
        do(remote, "score", model.name, week)
        alarms = do(remote, "watch", model.name, week).facts["alarms"]
        day += timedelta(days=7)
        if alarms:
            facts = do(remote, "train", model.name, f"2013-01-01..{week[-10:]}", force=True).facts
            trainings.append({"after": week[-10:], "because": alarms, "promoted": facts["promoted"], "version": facts["version"]})
    do(remote, "score", model.name, f"{AFTER}..{WATCHED_UNTIL}", version=first.version)
    _report(year={"trainings": trainings, "realised": _realised(model, first)})

    promoted = [one for one in trainings if one["promoted"]]
    assert promoted, trainings
    assert any("2013-06-01" <= one["after"] <= "2013-08-31" for one in trainings)
    last_days = {entry.version: entry.last_day for entry in ledger.model_versions(model.name)}
    health = DeltaTable(load_settings().table_path("gold.model_health")).to_pandas()
    assert len(health) > 0
    assert all(str(row.watched_on) > last_days[row.model_version] for row in health.itertuples()), "no day is measured that its model was shown"


def _rounds_of_training(remote: str) -> tuple[dict[str, list[float]], ModelEntry]:
    """Seconds of each, side by side; `difference` of their best scores, infinite where the parameters differ."""
    found: dict[str, list[float]] = {"task": [], "plain": [], "difference": []}
    for number in range(ROUNDS):
        started = time.monotonic()
        do(remote, "train", "on_spark", YEAR, run_id=f"on_spark {number} {datetime.now(UTC)}", force=True)
        found["task"].append(time.monotonic() - started)
        entry = _newest("on_spark")
        theirs = search_plainly(_model("on_spark"), entry)
        found["plain"].append(theirs.seconds)
        best = max(candidate["mean"] for candidate in entry.figures["search"])
        found["difference"].append(abs(best - theirs.score) if theirs.parameters == entry.figures["parameters"] else float("inf"))
    return found, entry


def _worth(entry: ModelEntry, seconds: float) -> dict[str, Any]:
    figures = entry.figures
    scores = {"roc_auc": figures["metrics"], "majority": figures["baseline"], "history": figures["history"]}
    facts = {"parameters": figures["parameters"], "inputs": figures["inputs"], "rows": figures["rows"], "test_days": figures["test_days"]}
    return {**{name: round(found["roc_auc"], 4) for name, found in scores.items()}, "seconds": round(seconds, 1), **facts}


def _realised(model: Model, first: ModelEntry) -> dict[str, dict[str, float]]:
    """What the predictions that were published were worth, beside those of the first version had it served all along."""
    days = [("flight_date", ">=", AFTER), ("flight_date", "<=", WATCHED_UNTIL)]
    keys = ["flight_date", "carrier", "flight", "origin"]
    truth = DeltaTable(load_settings().table_path(TRAINING)).to_pandas(columns=[*keys, "is_late"], filters=days)
    found = {}
    for name, table in {"watched": model.contract.predictions, "first version alone": str(model.contract.comparisons)}.items():
        said = DeltaTable(load_settings().table_path(table)).to_pandas(columns=[*keys, "probability_late", "model_version"], filters=days)
        said = said[said["model_version"] == first.version] if name != "watched" else said
        both = truth.merge(said, on=keys, validate="one_to_one")
        chance, late = both["probability_late"], both["is_late"]
        found[name] = {"rows": len(both), "log_loss": round(log_loss(late, chance), 4), "roc_auc": round(float(roc_auc_score(late, chance)), 4)}
    return found


def _model(name: str) -> Model:
    return load_lake(load_settings().project).model(name)


def _newest(name: str) -> ModelEntry:
    return Ledger(load_settings().ledger_url).model_versions(name)[0]


def _ratios(upper: list[float], lower: list[float]) -> list[float]:
    """Of each round, so that what else the machine does falls on both; median, least and most."""
    of_rounds = [one / other for one, other in zip(upper, lower, strict=True)]
    return [round(figure, 3) for figure in (statistics.median(of_rounds), min(of_rounds), max(of_rounds))]


def _rounded(seconds: list[float]) -> list[float]:
    return [round(one, 1) for one in seconds]


def _report(**figures: Any) -> None:
    """Put the figures into the file, in place of those of an earlier run."""
    known = json.loads(FILE.read_text())["figures"] if FILE.exists() else {}
    facts = {
        "date": datetime.now(tz=UTC).date().isoformat(),
        "versions": {name: version(name) for name in ("pyspark", "delta-spark", "scikit-learn", "dask", "ray")},
        "machine": {"cores": os.cpu_count(), "memory_gib": round(psutil.virtual_memory().total / 2**30), "spark_heap": MEMORY},
        "notes": os.environ.get("BENCHMARK_NOTES", "") or "Three numbers: median, least and most of the ratios of the rounds.",
        "figures": {**known, **figures},
    }
    text = re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda many: f"[{' '.join(many[1].split())}]", json.dumps(facts, indent=1))
    FILE.write_text(text + "\n")
