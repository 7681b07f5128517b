"""From January to the summer with real flights: a model learns, is watched, rings, is trained anew, and hands over."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from expectations.settings import REPOSITORY
from medallion.model_dags import champion_is_new, time_to_train
from medallion.watching import alarm_rings
from tests.spark_jobs.lake.conftest import use_lake
from tests.watched_year.real_flights import KNOWN, WEATHER, known_flights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = [pytest.mark.spark, pytest.mark.timeout(1800)]  # on a machine half as fast
MODEL, EVERY = "flight_delay", 10
FIRST, LAST = date(2013, 1, 1), date(2013, 7, 12)
TYPES = {
    "flight_date": "date",
    "carrier": "string",
    "flight": "int",
    "origin": "string",
    "dest": "string",
    "weekday": "int",
    "scheduled_hour": "int",
    "distance_miles": "int",
    **dict.fromkeys([*KNOWN, *WEATHER.values()], "double"),
}
LABELS = {"arr_delay_minutes": "double", "is_late": "boolean"}
GRAIN = ["flight_date", "carrier", "flight", "origin"]


def contract(columns: dict[str, str], **facts: Any) -> str:
    known = {name: {"type": kind, "nullable": name not in GRAIN} if "source" not in facts else {"type": kind} for name, kind in columns.items()}
    return yaml.safe_dump({"contract": 1, "description": "Real flights, each tenth.", **facts, "columns": known}, sort_keys=False)


def write_contracts(lake: LittleLake) -> None:
    """The sample's model and the tables that it writes; the features as they were landed, and the labels that come behind them."""
    lake.write("expectations/bronze/known_flights.yaml", contract({**TYPES, **LABELS}, source={"folder": "flights", "format": "csv", "nulls": [""]}))
    facts = {"grain": GRAIN, "day": "flight_date"}
    lake.write("expectations/silver/flight_features.yaml", contract(TYPES, inputs=["bronze.known_flights"], **facts))
    lake.write("expectations/gold/delay_training.yaml", contract({**TYPES, **LABELS}, inputs=["bronze.known_flights"], **facts))
    lake.write("spark_jobs/silver/flight_features.sql", f"SELECT {', '.join(TYPES)}, _row FROM bronze_known_flights\n")  # noqa: S608
    labelled = ", ".join([*TYPES, *LABELS])
    lake.write("spark_jobs/gold/delay_training.sql", f"SELECT {labelled} FROM bronze_known_flights\n")  # noqa: S608
    for path in ("expectations/gold/delay_predictions.yaml", "expectations/gold/model_health.yaml", f"spark_jobs/models/{MODEL}.py"):
        lake.write(path, (REPOSITORY / path).read_text())
    model = yaml.safe_load((REPOSITORY / f"expectations/models/{MODEL}.yaml").read_text())
    # three months are not old here: what trains is an alarm
    model["train"]["every"] = "180 days"
    smaller = {"inputs": [name for name in model["inputs"] if name in TYPES], "search": {"trees__max_leaf_nodes": [7], "trees__min_samples_leaf": [50, 200]}}
    absent = ("labels", "comparisons")
    lake.write(f"expectations/models/{MODEL}.yaml", yaml.safe_dump({**{key: model[key] for key in model if key not in absent}, **smaller, "folds": 2}))


@pytest.fixture
def year(tmp_path: Path, spark: SparkSession, spark_remote: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LittleLake]:
    """A lake whose features are published to the summer, and whose labels are to the end of March."""
    lake = use_lake(tmp_path / "lake", spark, spark_remote, monkeypatch)
    write_contracts(lake)
    for day, rows in known_flights(LAST, EVERY).groupby("flight_date"):
        lake.land(f"flights/{day:%Y-%m-%d}.csv", rows.to_csv(index=False, lineterminator="\n").rstrip("\n"))
    lake.build("bronze.known_flights", f"{FIRST}..{LAST}", "features")
    lake.build("silver.flight_features", f"{FIRST}..{LAST}", "features")
    lake.build("gold.delay_training", f"{FIRST}..2013-03-31", "labels of the spring")
    yield lake


def train(lake: LittleLake, run: SimpleNamespace, **params: bool) -> Any:
    """The tasks of the training DAG: asked whether it is time, and if so the training."""
    assert time_to_train(MODEL, params)
    result = lake.run("train", MODEL, run_id=f"{run.dag_id}/{run.run_id}")
    assert result.status == "done", result.message
    return result


def infer(lake: LittleLake, run: SimpleNamespace, days: str) -> Any:
    """The tasks of the inference DAG for some days; their labels come between scoring and watching."""
    name = f"{run.dag_id}/{run.run_id}"
    scored = lake.run("score", MODEL, days, run_id=name)
    assert scored.status == "done", scored.message
    lake.build("gold.delay_training", days, f"labels of {days}")
    watched = lake.run("watch", MODEL, days, run_id=name)
    assert watched.status == "done", watched.message
    return watched


def test_a_model_of_the_spring_is_watched_until_the_summer_rings_and_another_takes_over(year: LittleLake) -> None:
    first = SimpleNamespace(dag_id="flight_delay_training", run_id="first")
    trained = train(year, first)
    assert trained.facts["promoted"] and champion_is_new(MODEL, first), trained.message
    assert [(entry.first_day, entry.last_day) for entry in year.ledger.model_versions(MODEL)] == [("2013-01-01", "2013-03-31")]

    spring = SimpleNamespace(dag_id="flight_delay_inference", run_id="to the 23rd of June")
    infer(year, spring, "2013-04-01..2013-06-23")
    assert not alarm_rings(MODEL, spring)
    assert not time_to_train(MODEL, {})

    storms = SimpleNamespace(dag_id="flight_delay_inference", run_id="to the 28th of June")
    watched = infer(year, storms, "2013-06-24..2013-06-28")
    assert watched.facts["alarms"] == ["log_loss was above 0.65 on 4 of 7 days, the last was 2013-06-28"], watched.message
    assert alarm_rings(MODEL, storms)

    # neither its age nor anybody's force trains it, but the alarm
    assert not time_to_train(MODEL, {})
    second = SimpleNamespace(dag_id="flight_delay_training", run_id="second")
    trained = train(year, second, alarm=True)
    champion = year.ledger.champion(MODEL)
    assert champion is not None and champion_is_new(MODEL, second), trained.message
    assert (champion.version, champion.last_day, champion.figures["test_days"]) == (2, "2013-06-28", "2013-06-22..2013-06-28")
    own, rival = champion.figures["metrics"]["roc_auc"], champion.figures["champion"]["roc_auc"]
    assert own >= rival and own > champion.figures["history"]["roc_auc"]
    # what version 1 said of those days when it served, and what it was asked again for the comparison, is the same
    assert rival == pytest.approx(realised(year, "2013-06-22", "2013-06-28"), abs=1e-6)

    after = infer(year, SimpleNamespace(dag_id="flight_delay_inference", run_id="July"), f"2013-06-29..{LAST}")
    assert (after.facts["model_version"], after.facts["days"][0]) == (2, "2013-06-29")
    served = year.frame("gold.delay_predictions").groupBy("model_version").agg({"flight_date": "min"}).collect()
    assert {row[0]: str(row[1]) for row in served} == {1: "2013-04-01", 2: "2013-06-29"}
    last_days = {entry.version: entry.last_day for entry in year.ledger.model_versions(MODEL)}
    measured = year.rows("gold.model_health", "watched_on", "model_version")
    assert {version for _, version in measured} == {1, 2}
    assert all(str(day) > last_days[version] for day, version in measured), "no day is measured that its model was shown"


def realised(lake: LittleLake, first: str, last: str) -> float:
    """The ROC AUC of what was published for these days."""
    from sklearn.metrics import roc_auc_score

    days = f"flight_date BETWEEN DATE'{first}' AND DATE'{last}'"
    answers = lake.frame("gold.delay_predictions").where(days).join(lake.frame("gold.delay_training").where(days), GRAIN).toPandas()
    return float(roc_auc_score(answers["is_late"], answers["probability_late"]))
