"""One estimator a group answers as that estimator alone would; groups that have none are answered by the one over all rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import get_scorer

from spark_jobs.lake.learning.engines.grouped import Grouped

INPUTS = ["carrier", "hour"]


def rows(carrier: str | None, count: int, slope: float) -> pd.DataFrame:
    hours = np.linspace(0.0, 23.0, count)
    return pd.DataFrame({"carrier": carrier, "hour": hours, "delay": slope * hours, "late": (slope * hours > 20).astype(int)})


FLIGHTS = pd.concat([rows("AA", 40, 1.0), rows("UA", 60, -2.0), rows("ZZ", 5, 9.0), rows(None, 3, 9.0)], ignore_index=True)


class Hourly:
    """Mixed in: looks at the hour alone, as a pipeline would that drops the carrier."""

    def fit(self, seen: pd.DataFrame, truth: object) -> object:
        return super().fit(seen[["hour"]], truth)  # type: ignore[misc]

    def predict(self, seen: pd.DataFrame) -> object:
        return super().predict(seen[["hour"]])  # type: ignore[misc]


class HourlyLine(Hourly, LinearRegression):  # type: ignore[misc]
    """A line over the hour."""


class HourlyChance(LogisticRegression):  # type: ignore[misc]
    """A chance by the hour."""

    def fit(self, seen: pd.DataFrame, truth: object) -> object:
        return super().fit(seen[["hour"]], truth)

    def predict_proba(self, seen: pd.DataFrame) -> object:
        return super().predict_proba(seen[["hour"]])


def test_each_group_is_answered_by_its_own_and_others_by_the_one_over_all_rows() -> None:
    model = Grouped(HourlyLine(), "carrier").fit(FLIGHTS[INPUTS], FLIGHTS["delay"])
    assert sorted(model.own) == ["AA", "UA"]
    asked = pd.DataFrame({"carrier": ["UA", "AA", "ZZ", "never seen", None], "hour": 10.0}, index=[7, 7, 3, 2, 1])
    found = model.predict(asked)
    assert found[:2] == pytest.approx([-20.0, 10.0])
    assert found[2:] == pytest.approx(list(model.rest.predict(asked.iloc[2:])))
    assert get_scorer("neg_mean_absolute_error")(model, FLIGHTS[:100], FLIGHTS["delay"][:100]) == pytest.approx(0.0, abs=1e-9)


def test_a_group_with_one_class_has_no_model_of_its_own() -> None:
    model = Grouped(HourlyChance(), "carrier").fit(FLIGHTS[INPUTS], FLIGHTS["late"])
    assert list(model.own) == ["AA"]
    assert model.predict_proba(FLIGHTS[40:]) == pytest.approx(model.rest.predict_proba(FLIGHTS[40:]))
    assert get_scorer("roc_auc")(model, FLIGHTS[:40], FLIGHTS["late"][:40]) == 1.0


def test_a_class_that_a_group_never_saw_has_no_chance_there() -> None:
    truth = pd.Series(["early" if delay < 0 else "late" if delay > 15 else "in time" for delay in FLIGHTS["delay"]])
    model = Grouped(HourlyChance(), "carrier").fit(FLIGHTS[INPUTS], truth)
    shares = model.predict_proba(FLIGHTS[:40])
    assert list(model.classes_) == ["early", "in time", "late"]
    assert (shares[:, 0] == 0).all()
    assert shares.sum(axis=1) == pytest.approx(1.0)


def test_it_is_kept_as_a_plain_dict_that_needs_no_trust_in_types_of_this_project() -> None:
    seen = FLIGHTS[["hour"]].assign(carrier=FLIGHTS["hour"].round())
    model = Grouped(LinearRegression(), "carrier").fit(pd.concat([seen] * 30, ignore_index=True), pd.concat([FLIGHTS["delay"]] * 30, ignore_index=True))
    data = skops.io.dumps(model.parts)
    assert skops.io.get_untrusted_types(data=data) == []
    assert "3.0" in model.own
    again = Grouped.of(skops.io.loads(data))
    assert np.array_equal(again.predict(seen), model.predict(seen))
