"""The real year: every flight from New York in 2013 through the sample's own contracts and logic, and the models that are compared on it."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from expectations.jobs import JobRequest
from expectations.loader import load_lake
from expectations.settings import REPOSITORY, load_settings
from launcher.landing import land
from spark_jobs.run import run

if TYPE_CHECKING:
    from expectations.jobs import JobResult

FIRST, LAST = date(2013, 1, 1), date(2013, 12, 31)
YEAR = f"{FIRST}..{LAST}"
TRAINING = "gold.delay_training"
COPIES = 12
"""So many flights of silver.many_features come from each one of silver.flight_features: 3,000,000 from April to December."""
NUMBERS = [
    "scheduled_hour", "scheduled_minutes", "distance_miles", "weekday", "carrier_late_share", "origin_late_share", "route_late_share",
    "flight_late_share", "flight_mean_arr_delay_minutes", "wind_speed_mph", "precipitation_inches", "visibility_miles",
]  # fmt: skip
FOREST = f"""
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import RandomForestClassifier
    from pyspark.ml.feature import Imputer, StandardScaler, VectorAssembler

    NUMBERS = {NUMBERS!r}


    def build_estimator():
        known = Imputer(inputCols=NUMBERS, outputCols=[f"known_{{name}}" for name in NUMBERS])
        columns = VectorAssembler(inputCols=known.getOutputCols(), outputCol="columns")
        scaled = StandardScaler(inputCol="columns", outputCol="features")
        return Pipeline(stages=[known, columns, scaled, RandomForestClassifier(numTrees=100, maxDepth=8)])
"""
MANY = f"""
    from pyspark.sql import functions as F


    def transform(silver_flight_features):
        copies = F.explode(F.sequence(F.lit(0), F.lit({COPIES - 1})))
        return silver_flight_features.filter("flight_date >= DATE'2013-04-01'").withColumn("copy", copies).withColumns(
            {{"flight": F.col("flight") + 10000 * F.col("copy"), "_row": F.concat("_row", F.lit("/"), "copy")}}
        ).drop("copy")
"""


@dataclass(frozen=True)
class Variant:
    """A model like one of the sample's, with some facts of its contract changed and, it may be, with logic of its own."""

    name: str
    like: str = "flight_delay"
    logic: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


SEASONS = {"split": {"training_days": 365, "validation_days": 30, "test_days": 92}, "history": {"keys": ["carrier", "flight"], "days": 30}, "gates": []}
"""Learned from January to September, judged from October to December."""
ENGINES = {
    "sklearn on Spark": Variant("on_spark", facts=SEASONS),
    "sklearn on Dask": Variant("on_dask", facts={**SEASONS, "search_on": "dask"}),
    "sklearn on Ray, ASHA": Variant("on_ray", facts={**SEASONS, "search_on": "ray", "budget": {"method": "halving", "factor": 3}}),
    "per_group, a carrier each": Variant("a_carrier_each", like="carrier_delay", facts=SEASONS),
    "spark_ml, 100 trees": Variant("forest", logic=FOREST, facts={**SEASONS, "engine": "spark_ml", "inputs": NUMBERS, "search": {}, "folds": 2}),
}
MANY_FACTS = {"features": "silver.many_features", "search": {"trees__max_leaf_nodes": [15]}, "folds": 2, "gates": []}
MANY_DELAYS = [Variant(f"many_{number}", facts=MANY_FACTS) for number in range(4)]
"""One for each round of scoring, so that each fills an empty table."""


def write_project(folder: Path) -> None:
    """The sample's contracts and logic, and the variants."""
    for room in ("expectations", "spark_jobs"):
        for part in ("bronze", "silver", "gold", "models"):
            if (REPOSITORY / room / part).is_dir():
                shutil.copytree(REPOSITORY / room / part, folder / room / part, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    features = _read(folder, "silver/flight_features")
    _write_contract(folder, "silver/many_features", {**features, "inputs": ["silver.flight_features"], "rules": []})
    _write(folder, "spark_jobs/silver/many_features.py", MANY)
    for variant in (*ENGINES.values(), *MANY_DELAYS):
        _write_variant(folder, variant)


def build_year(remote: str) -> None:
    """Land the whole year and build what models learn from, each table at once."""
    land(Path(load_settings().landing), FIRST, LAST)
    lake = load_lake(load_settings().project)
    for table in lake.in_order(lake.tables):
        if table == TRAINING or not table.startswith("gold."):
            do(remote, "build", table, YEAR)


def do(remote: str, verb: str, name: str, days: str | None = None, **more: Any) -> JobResult:
    """A job, once for these arguments. Raises RuntimeError where it failed."""
    words = [verb, name, *([days] if days else []), *map(str, more.values())]
    result = run(JobRequest.model_validate({"verb": verb, "name": name, "days": days, "run_id": " ".join(words), **more}), remote)
    if result.status not in {"done", "unchanged"}:
        raise RuntimeError(result.message)
    return result


def _write_variant(folder: Path, variant: Variant) -> None:
    sample = _read(folder, f"models/{variant.like}")
    predictions = sample["predictions"].replace(".", "/")
    own = {"predictions": f"gold.{variant.name}_predictions", "comparisons": f"gold.{variant.name}_comparisons"}
    for table in own.values():
        features = variant.facts.get("features", "silver.flight_features")
        _write_contract(folder, table.replace(".", "/"), {**_read(folder, predictions), "inputs": [features]})
    contract = {key: value for key, value in sample.items() if key not in {"health", "train"}}
    _write_contract(folder, f"models/{variant.name}", {**contract, **own, **variant.facts})
    logic = (folder / f"spark_jobs/models/{variant.like}.py").read_text() if variant.logic is None else variant.logic
    _write(folder, f"spark_jobs/models/{variant.name}.py", logic)


def _read(folder: Path, contract: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / f"expectations/{contract}.yaml").read_text())
    return found


def _write_contract(folder: Path, contract: str, facts: dict[str, Any]) -> None:
    _write(folder, f"expectations/{contract}.yaml", yaml.safe_dump(facts, sort_keys=False))


def _write(folder: Path, path: str, text: str) -> None:
    (folder / path).write_text(textwrap.dedent(text))
