"""The sample's estimator: nulls and names never seen are no error, and its contract trusts exactly what it is made of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import skops.io

from expectations.loader import load_lake
from spark_jobs.lake.learning.engines.estimators import build_estimator, with_parameters
from spark_jobs.lake.learning.engines.search import candidates_of

NAMES = {"carrier": ["UA", "AA", None], "origin": ["EWR", "JFK", "LGA"], "dest": ["IAH", "MIA", "BOS"]}


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    """Six hundred made-up flights with the contract's inputs; every number is null now and then."""
    dice = np.random.default_rng(7)
    columns = {}
    for name in load_lake().model("flight_delay").contract.inputs:
        if name in NAMES:
            columns[name] = dice.choice(np.array(NAMES[name], dtype=object), 600)
        else:
            columns[name] = np.where(dice.random(600) < 0.05, np.nan, dice.normal(size=600))
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def fitted(flights: pd.DataFrame) -> object:
    """The estimator, having learned that delay grows with the scheduled hour."""
    late = (flights["scheduled_hour"].fillna(0) > 0).astype(int)
    return build_estimator(load_lake().model("flight_delay")).fit(flights, late)


def test_a_name_never_seen_is_treated_like_one_that_is_missing(fitted: object, flights: pd.DataFrame) -> None:
    unseen = fitted.predict_proba(flights.head(20).assign(carrier="ZZ"))  # type: ignore[attr-defined]
    missing = fitted.predict_proba(flights.head(20).assign(carrier=None))  # type: ignore[attr-defined]
    assert np.array_equal(unseen, missing)


def test_a_row_is_judged_the_same_alone_as_among_others(fitted: object, flights: pd.DataFrame) -> None:
    together = fitted.predict_proba(flights)[:, 1]  # type: ignore[attr-defined]
    alone = [fitted.predict_proba(flights.iloc[[row]])[0, 1] for row in range(20)]  # type: ignore[attr-defined]
    assert np.array_equal(together[:20], alone)


def test_the_contract_trusts_exactly_the_types_that_the_model_is_made_of(fitted: object) -> None:
    needed = skops.io.get_untrusted_types(data=skops.io.dumps(fitted))
    assert sorted(needed) == sorted(load_lake().model("flight_delay").contract.trusted_types)


def test_every_candidate_of_the_search_can_be_built_and_is_seeded() -> None:
    model = load_lake().model("flight_delay")
    candidates = candidates_of(model.contract)
    built = [with_parameters(build_estimator(model), parameters) for parameters in candidates]
    assert len(built) == 6
    assert {estimator.get_params()["trees__random_state"] for estimator in built} == {model.contract.seed}
