"""What the models are compared with: the same search, the same forest and the same scoring as a data scientist writes them in one process."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import skops.io
from deltalake import DeltaTable
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from expectations.settings import load_settings
from spark_jobs.lake.learning.engines.estimators import build_estimator, for_contract
from spark_jobs.lake.learning.examples import DAY
from spark_jobs.lake.learning.splitting import split_days, time_folds

if TYPE_CHECKING:
    from datetime import date

    from expectations.lake import Model
    from expectations.ledger import ModelEntry

KEYS = ["flight_date", "carrier", "flight", "origin"]


@dataclass(frozen=True)
class Found:
    """What a plain search gave: its best mean score and parameters."""

    seconds: float
    score: float
    parameters: dict[str, Any]


def search_plainly(model: Model, entry: ModelEntry, estimator: Any = None) -> Found:
    """scikit-learn's own search with a job a core, over the same candidates, folds and rows, which are in memory."""
    contract = model.contract
    rows = _frozen(entry)
    days = rows[DAY].astype(str)
    split = split_days(contract.training, days.unique(), contract.split, contract.folds)
    folds = [(np.arange(fold.first, fold.learned), np.arange(fold.learned, fold.judged)) for fold in time_folds(split, contract.folds, days.tolist(), 1)]
    learned = rows[days.isin(split.learned)]
    estimator = for_contract(contract, build_estimator(model)) if estimator is None else estimator
    started = time.monotonic()
    found = GridSearchCV(estimator, contract.search, scoring=contract.score, cv=folds, n_jobs=os.cpu_count())
    found.fit(learned[list(contract.inputs)], learned[contract.target])
    return Found(time.monotonic() - started, float(found.best_score_), dict(found.best_params_))


def forest() -> Pipeline:
    """Like the forest of Spark ML: missing numbers by their mean, 100 trees, 8 deep."""
    trees = RandomForestClassifier(n_estimators=100, max_depth=8, random_state=7)
    return Pipeline([("known", SimpleImputer(keep_empty_features=True)), ("trees", trees)])


def score_plainly(model: Model, entry: ModelEntry, first: date, file: str) -> tuple[float, np.ndarray[Any, Any]]:
    """Read the features from `first` on by pyarrow, ask the model once with all of the machine's threads, write keys and answers by pyarrow."""
    figures = entry.figures
    estimator = skops.io.load(f"{load_settings().models_path}/{figures['file']}", trusted=list(model.contract.trusted_types))
    started = time.monotonic()
    features = DeltaTable(load_settings().table_path(model.contract.features)).to_pyarrow_dataset()
    columns = list(dict.fromkeys([*KEYS, *figures["inputs"]]))
    rows = features.to_table(columns=columns, filter=ds.field("flight_date") >= first)
    seen = rows.select(figures["inputs"]).to_pandas()
    for name in seen.columns:
        if not pd.api.types.is_object_dtype(seen[name]) or name not in {"carrier", "origin", "dest"}:
            seen[name] = seen[name].astype("float64")
    chances = estimator.predict_proba(seen)[:, 1]
    pq.write_table(rows.select(KEYS).append_column("probability", pa.array(chances)), file)
    return time.monotonic() - started, chances


def importances(model: Model, entry: ModelEntry) -> dict[str, float]:
    """Input to the loss of ROC AUC on the test days where its values are shuffled (20,000 rows, 3 times), the greatest first."""
    rows = _frozen(entry)
    contract = model.contract
    days = rows[DAY].astype(str)
    split = split_days(contract.training, days.unique(), contract.split, contract.folds)
    test = rows[days.isin(split.test)].sample(20_000, random_state=7)
    estimator = skops.io.load(f"{load_settings().models_path}/{entry.figures['file']}", trusted=list(contract.trusted_types))
    found = permutation_importance(estimator, test[list(contract.inputs)], test[contract.target], scoring="roc_auc", n_repeats=3, random_state=7)
    ranked = sorted(zip(contract.inputs, found.importances_mean, strict=True), key=lambda pair: -pair[1])
    return {name: round(float(value), 4) for name, value in ranked}


def _frozen(entry: ModelEntry) -> pd.DataFrame:
    return pd.read_parquet(f"{load_settings().models_path}/{entry.figures['training_set']}")
