"""Baselines know no more than what was known before each day."""

from __future__ import annotations

import pandas as pd
import pytest

from expectations.model_contract import History, ModelContract
from spark_jobs.lake.learning.evaluation.baselines import always, baselines_of, history, past_of
from tests.spark_jobs.lake.learning.evaluation.contracts import contract_of

OF = History(keys=("carrier", "flight"), days=2)
BINARY = contract_of(history=OF)


def rows(*found: tuple[str, str | None, int, object]) -> pd.DataFrame:
    return pd.DataFrame(list(found), columns=["_day", "carrier", "flight", "late"])


def means(contract: ModelContract, learned: pd.DataFrame, test: pd.DataFrame) -> list[float]:
    past = past_of(contract, OF, pd.concat([learned, test], ignore_index=True), "_day")
    return history(contract, OF, learned, test, "_day", past)[contract.target].tolist()


def test_the_majority_is_that_of_the_learned_days() -> None:
    learned, test = rows(*[("2024-05-01", "AA", 1, late) for late in (0, 0, 0, 1)]), rows(*[("2024-05-02", "AA", 1, late) for late in (0, 0, 1)])
    assert always(BINARY, learned, test)["late"].tolist() == [0.25, 0.25, 0.25]
    figures = baselines_of(contract_of(), learned, test, "_day")["majority"]
    assert (figures["accuracy"], figures["roc_auc"], figures["recall"]) == (pytest.approx(2 / 3, abs=1e-6), 0.5, 0.0)


def test_the_history_is_the_mean_of_the_same_keys_in_the_days_before_and_never_of_the_day_itself() -> None:
    learned = rows(
        ("2024-05-01", "AA", 1, 1),  # three days before the third: too old for it
        ("2024-05-02", "AA", 1, 0),
        ("2024-05-02", "AA", 1, 1),
        ("2024-05-02", "BB", 1, 1),
        ("2024-05-02", None, 1, 0),
    )
    test = rows(("2024-05-03", "AA", 1, 1), ("2024-05-04", "AA", 1, 0), ("2024-05-04", "AA", 2, 0), ("2024-05-04", None, 1, 0), ("2024-05-05", "AA", 1, 0))
    # AA 1: the first and second; the second and third; and then the third and fourth, both test days. AA 2 was never seen: the learned mean.
    assert means(BINARY, learned, test) == pytest.approx([2 / 3, 2 / 3, 3 / 5, 0.0, 0.5])


def test_the_history_of_a_number_is_its_mean_and_of_a_text_the_commonest() -> None:
    learned = rows(*[("2024-05-01", "AA", 1, text) for text in ("jet", "jet", "prop")], ("2024-05-01", "BB", 1, "prop"), ("2024-05-01", "BB", 1, "prop"))
    test = rows(("2024-05-02", "AA", 1, "jet"), ("2024-05-02", "BB", 1, "prop"), ("2024-05-02", "CC", 1, "glider"))
    found = baselines_of(contract_of(kind="multiclass", score="accuracy", history=OF), learned, test, "_day")
    assert found["history"]["accuracy"] == pytest.approx(2 / 3, abs=1e-6)  # CC gets the commonest of all: prop
    assert found["majority"]["accuracy"] == pytest.approx(1 / 3, abs=1e-6)
    number = contract_of(kind="regression", score="mae", history=OF)
    assert means(number, rows(("2024-05-01", "AA", 1, 10.0), ("2024-05-01", "AA", 1, 20.0)), rows(("2024-05-02", "AA", 1, 0.0))) == [15.0]
