"""The sample's models of single carriers: each learns from its own flights, and its contract trusts exactly what they are made of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import skops.io
from sklearn.metrics import roc_auc_score

from expectations.loader import load_lake
from spark_jobs.lake.learning.engines.estimators import build_estimator, for_contract
from spark_jobs.lake.learning.engines.grouped import Grouped

MODEL = load_lake().model("carrier_delay")


def flights() -> pd.DataFrame:
    """Made-up flights of two carriers and a small one; every number is null now and then, and one always is."""
    dice, rows = np.random.default_rng(7), {}
    for name in MODEL.contract.inputs:
        rows[name] = np.where(dice.random(600) < 0.05, np.nan, dice.normal(size=600))
    names = {"carrier": dice.choice(np.array(["UA"] * 20 + ["AA"] * 20 + ["HA"]), 600), "origin": dice.choice(np.array(["EWR", "JFK", "LGA"]), 600)}
    return pd.DataFrame(rows).assign(**names, weekday=dice.integers(1, 8, 600).astype(float), visibility_miles=np.nan)


def test_a_carrier_is_judged_by_its_own_flights_and_one_with_few_by_all() -> None:
    seen = flights()
    hour = seen["scheduled_hour"].fillna(0)
    late = ((hour > 0) == (seen["carrier"] == "UA")).astype(int)  # the evening is bad for UA alone
    model = for_contract(MODEL.contract, build_estimator(MODEL)).fit(seen, late)
    assert isinstance(model, Grouped)
    assert sorted(model.own) == ["AA", "UA"]
    chance = model.predict_proba(seen)[:, 1]
    assert roc_auc_score(late, chance) > 0.9
    assert roc_auc_score(late, model.rest.predict_proba(seen)[:, 1]) < 0.7
    assert np.array_equal(model.predict_proba(seen.assign(carrier="ZZ")), model.rest.predict_proba(seen.assign(carrier="ZZ")))
    assert sorted(skops.io.get_untrusted_types(data=skops.io.dumps(model.parts))) == sorted(MODEL.contract.trusted_types)
