"""A little lake with a model: will a call be answered? Two weeks of calls to learn from, two days to predict."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs.lake.learning.engines.clusters import DASK_ADDRESS, dask_client
from tests.spark_jobs.lake.conftest import LittleLake, copy_lake, use_lake
from tests.spark_jobs.lake.learning.versions import publish_by_hand, register_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

NO_SPARK: Any = None
NOWHERE = "sc://127.0.0.1:1"
DAYS = [f"2024-05-{day:02}" for day in range(1, 17)]
LEARNED = "2024-05-01..2024-05-14"
BRONZE = """
    contract: 1
    description: Calls as they are logged, one CSV file a day.
    source: {folder: calls, format: csv, nulls: [""]}
    columns:
      called_on: {type: date}
      call: {type: int}
      kind: {type: string}
      hour: {type: int}
      answered: {type: boolean}
"""
SILVER = """
    contract: 1
    description: Calls, typed. One row a call.
    inputs: [bronze.calls]
    grain: [call]
    day: called_on
    columns:
      called_on: {type: date, nullable: false}
      call: {type: int, nullable: false}
      kind: {type: string}
      hour: {type: int}
      answered: {type: boolean}
"""
PREDICTIONS = """
    contract: 1
    description: How likely a call is to be answered. One row a call and model version.
    inputs: [silver.calls]
    grain: [call, model_version]
    day: called_on
    write: append
    columns:
      call: {type: int, nullable: false}
      called_on: {type: date, nullable: false}
      chance: {type: double, nullable: false}
      predicted: {type: boolean, nullable: false}
      model_name: {type: string, nullable: false}
      model_version: {type: int, nullable: false}
      features_version: {type: bigint, nullable: false}
      scored_at: {type: timestamp, nullable: false}
"""
HEALTH_CONTRACT = """
    contract: 1
    description: How the models are doing. One row a day, version and figure.
    inputs: [silver.calls, gold.call_predictions]
    grain: [watched_on, model_name, model_version, measure, measure_of]
    day: watched_on
    write: merge
    order_by: measured_at
    columns:
      watched_on: {type: date, nullable: false}
      model_name: {type: string, nullable: false}
      model_version: {type: int, nullable: false}
      measure: {type: string, nullable: false}
      measure_of: {type: string, nullable: false}
      value: {type: double, nullable: false}
      rows: {type: bigint, nullable: false}
      made_from: {type: string, nullable: false}
      measured_at: {type: timestamp, nullable: false}
"""
MODEL = """
    contract: 1
    description: Whether a call will be answered.
    training: silver.calls
    features: silver.calls
    predictions: gold.call_predictions
    target: answered
    probability: chance
    inputs: [kind, hour]
    split: {validation_days: 2, test_days: 3}
    search: {trees__max_leaf_nodes: [3, 7], trees__learning_rate: [0.01, 0.3]}
    folds: 2
    gates: [{metric: roc_auc, at_least: 0.6}]
    trusted_types:
      - functools.partial
      - sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor
      - sklearn.utils.validation.check_array
"""
ESTIMATOR = """
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OrdinalEncoder

    NAN = float("nan")


    def build_estimator():
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=NAN, encoded_missing_value=NAN)
        columns = ColumnTransformer([("names", codes, ["kind"])], remainder="passthrough")
        return Pipeline([("columns", columns), ("trees", HistGradientBoostingClassifier(categorical_features=[0], max_iter=20))])
"""


def calls_of(day: str) -> list[str]:
    """Eighty calls of a day: some kinds and hours are answered more often; a kind and an hour are missing here and there."""
    dice = random.Random(day)  # noqa: S311
    lines: list[str] = []
    for position in range(80):
        kind, hour = dice.choice(["office", "home", "mobile", ""]), dice.choice([*range(8, 20), ""])
        chance = {"office": 0.8, "home": 0.3}.get(kind, 0.5) + (0.2 if hour and int(hour) < 12 else -0.1)
        lines.append(f"{day},{int(day[-2:]) * 1000 + position},{kind},{hour},{str(dice.random() < chance).lower()}")
    return lines


def write_contracts(lake: LittleLake) -> None:
    """The contracts of calls, predictions and model, and what makes them."""
    lake.write("expectations/bronze/calls.yaml", BRONZE)
    lake.write("expectations/silver/calls.yaml", SILVER)
    lake.write("spark_jobs/silver/calls.sql", "SELECT called_on, call, kind, hour, answered, _row FROM bronze_calls\n")
    lake.write("expectations/gold/call_predictions.yaml", PREDICTIONS)
    lake.write("expectations/models/answers.yaml", MODEL)
    lake.write("spark_jobs/models/answers.py", ESTIMATOR)


@pytest.fixture(scope="session")
def trained_project(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, spark_remote: str) -> Path:
    """The folder of a lake whose calls are published and whose model has one version, the champion."""
    folder = tmp_path_factory.mktemp("calls") / "lake"
    with pytest.MonkeyPatch.context() as monkeypatch:
        lake = use_lake(folder, spark, spark_remote, monkeypatch)
        write_contracts(lake)
        for day in DAYS:
            lake.land(f"calls/{day}.csv", "called_on,call,kind,hour,answered", *calls_of(day))
        for table in ("bronze.calls", "silver.calls"):
            lake.build(table, f"{DAYS[0]}..{DAYS[-1]}", "build")
        before = lake.run("score", "answers", run_id="too early")
        assert (before.status, before.message) == ("unchanged", "answers: there is no champion yet; nothing to score")
        result = lake.run("train", "answers", LEARNED, run_id="train-1")
        assert result.status == "done", result.message
    return folder


@pytest.fixture
def calls(trained_project: Path, tmp_path: Path, spark: SparkSession, spark_remote: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LittleLake]:
    """A copy of that lake, for one test."""
    lake = use_lake(tmp_path / "lake", spark, spark_remote, monkeypatch)
    copy_lake(trained_project, lake.project)
    yield lake


@pytest.fixture(scope="session")
def registered_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a lake without Spark: its ledger says that all calls are published, and its model has one version, the champion."""
    folder = tmp_path_factory.mktemp("registered") / "lake"
    with pytest.MonkeyPatch.context() as monkeypatch:
        lake = use_lake(folder, NO_SPARK, NOWHERE, monkeypatch)
        write_contracts(lake)
        publish_by_hand(lake, "bronze.calls", dict.fromkeys(DAYS, 0))
        publish_by_hand(lake, "silver.calls", dict.fromkeys(DAYS, 0))
        register_version(lake, "train-1")
    return folder


@pytest.fixture
def registered(registered_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LittleLake:
    """A copy of that lake, for one test. No job of it that needs Spark can run."""
    lake = use_lake(tmp_path / "lake", NO_SPARK, NOWHERE, monkeypatch)
    copy_lake(registered_project, lake.project)
    return lake


@pytest.fixture(scope="session")
def dask_address() -> Iterator[str]:
    """The address of one Dask cluster for all tests of a worker, started as a job without an address starts its own."""
    pytest.importorskip("distributed")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.delenv(DASK_ADDRESS, raising=False)
        with dask_client() as client:
            yield client.scheduler.address


@pytest.fixture
def dask(dask_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """That cluster, where a job looks for one."""
    monkeypatch.setenv(DASK_ADDRESS, dask_address)
