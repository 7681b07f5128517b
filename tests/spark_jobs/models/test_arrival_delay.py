"""The sample's regression: nulls and names never seen are no error, and its contract trusts exactly what it is made of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import skops.io

from expectations.loader import load_lake
from spark_jobs.lake.learning.engines.estimators import build_estimator

MODEL = load_lake().model("arrival_delay")
NAMES = {"carrier": ["UA", "AA", None], "origin": ["EWR", "JFK", "LGA"], "dest": ["IAH", "MIA", "BOS"]}


def flights() -> pd.DataFrame:
    """Six hundred made-up flights with the contract's inputs; every number is null now and then."""
    dice, rows = np.random.default_rng(7), {}
    for name in MODEL.contract.inputs:
        if name in NAMES:
            rows[name] = dice.choice(np.array(NAMES[name], dtype=object), 600)
        else:
            rows[name] = np.where(dice.random(600) < 0.05, np.nan, dice.normal(size=600))
    return pd.DataFrame(rows)


def test_it_tells_minutes_that_a_few_very_late_flights_do_not_move() -> None:
    seen = flights()
    minutes = pd.Series(np.where(seen["scheduled_hour"] > 0, 40.0, -10.0) + np.random.default_rng(8).normal(size=600))
    minutes[::50] = 1200.0
    model = build_estimator(MODEL).fit(seen, minutes)
    found = model.predict(seen)
    evening = (seen["scheduled_hour"] > 0).to_numpy()
    assert (np.median(found[evening]), np.median(found[~evening])) == pytest.approx((40.0, -10.0), abs=2.0)
    unseen = model.predict(seen.head(20).assign(carrier="ZZ"))
    assert np.array_equal(unseen, model.predict(seen.head(20).assign(carrier=None)))
    assert sorted(skops.io.get_untrusted_types(data=skops.io.dumps(model))) == sorted(MODEL.contract.trusted_types)
