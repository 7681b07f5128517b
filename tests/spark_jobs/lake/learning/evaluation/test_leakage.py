"""What was known only afterwards is refused by what it gives away, whatever it is called."""

from __future__ import annotations

import random

import pandas as pd
import pytest

from expectations.errors import ModelError
from expectations.model_contract import ModelContract
from spark_jobs.lake.learning.evaluation.leakage import alone, refuse_leaks, require_learnable
from tests.spark_jobs.lake.learning.evaluation.contracts import contract_of

BINARY = contract_of()
DICE = random.Random(1)  # noqa: S311
FLIGHTS = pd.DataFrame({"arr_delay": [DICE.gauss(5, 40) for _ in range(600)]})
FLIGHTS["late"] = (FLIGHTS["arr_delay"] > 15).astype(int)
FLIGHTS["hour"] = [float(DICE.randrange(24)) for _ in range(600)]
FLIGHTS["carrier"] = [DICE.choice(["AA", "B6", "UA"]) for _ in range(600)]


def seen(contract: ModelContract, column: list[object] | pd.Series, target: str = "late") -> float:
    return alone(contract, pd.Series(column, index=FLIGHTS.index), FLIGHTS[target])


def test_a_column_that_is_known_only_after_the_flight_is_refused_with_what_to_do() -> None:
    with pytest.raises(ModelError) as refused:
        refuse_leaks("flight_delay", contract_of(inputs=["hour", "carrier", "arr_delay"]), FLIGHTS)
    assert str(refused.value) == (
        "flight_delay: the input 'arr_delay' alone orders the learned rows by 'late' with ROC AUC 1.000, the limit is 0.98, so it was probably known only "
        "afterwards; take it out of the inputs, or, if it is known in time, raise leak_limit (1 switches this check off)."
    )
    refuse_leaks("flight_delay", contract_of(inputs=["hour", "carrier", "arr_delay"], leak_limit=1.0), FLIGHTS)
    refuse_leaks("flight_delay", BINARY, FLIGHTS)


def test_a_leak_is_seen_backwards_in_texts_and_in_what_is_null() -> None:
    assert seen(BINARY, -FLIGHTS["arr_delay"]) == 1.0
    assert seen(BINARY, FLIGHTS["late"].map({1: "LATE", 0: "OK"})) == 1.0
    assert seen(BINARY, FLIGHTS["hour"].where(FLIGHTS["late"] == 0)) == 1.0


def test_what_is_known_in_time_gives_nothing_away_and_a_text_of_its_own_for_each_row_neither() -> None:
    assert seen(BINARY, FLIGHTS["hour"]) < 0.6
    assert seen(BINARY, FLIGHTS["carrier"]) < 0.6
    assert seen(BINARY, [f"row {position}" for position in range(600)]) == 0.5
    assert seen(BINARY, [None] * 600) == 0.5


def test_a_few_sentences_that_come_again_and_again_are_no_leak() -> None:
    sentences = pd.Series([f"sentence {position}" for position in range(600)], index=FLIGHTS.index)
    every_fifth = FLIGHTS.index % 5 == 0
    assert 0.5 < seen(BINARY, sentences.where(~every_fifth, FLIGHTS["late"].map({1: "where is it?", 0: "thank you"}))) < 0.7


def test_a_leak_is_seen_in_a_number_and_in_one_of_several_classes() -> None:
    number, several = contract_of(kind="regression", score="mae"), contract_of(kind="multiclass", score="accuracy")
    assert seen(number, FLIGHTS["arr_delay"] ** 3, "arr_delay") == pytest.approx(1.0)
    assert seen(number, FLIGHTS["hour"], "arr_delay") < 0.2
    FLIGHTS["how"] = ["late" if late else DICE.choice(["early", "in time"]) for late in FLIGHTS["late"]]
    assert seen(several, FLIGHTS["arr_delay"], "how") == 1.0
    assert seen(several, FLIGHTS["hour"], "how") < 0.6


@pytest.mark.parametrize(
    ("learned", "test", "sentence"),
    [
        (FLIGHTS[:0], FLIGHTS, "m: the days to learn from have no row; take more days."),
        (
            FLIGHTS[FLIGHTS["late"] == 1],
            FLIGHTS,
            "m: on the days to learn from the target 'late' is always 1, which teaches and tells nothing; take more days.",
        ),
        (FLIGHTS, FLIGHTS[FLIGHTS["late"] == 0], "m: on the test days the target 'late' is always 0, which teaches and tells nothing; take more days."),
        (
            FLIGHTS.assign(hour=None),
            FLIGHTS,
            "m: on the days to learn from the input 'hour' is null in every row, which teaches nothing; look at how gold.training is made, or take what is "
            "null out of the inputs.",
        ),
        (
            FLIGHTS.assign(hour=None, carrier=None),
            FLIGHTS,
            "m: on the days to learn from the inputs 'hour', 'carrier' are null in every row, which teaches nothing; look at how gold.training is made, or "
            "take what is null out of the inputs.",
        ),
        (
            FLIGHTS.assign(hour=FLIGHTS["hour"].where(FLIGHTS.index > 1, float("inf"))),
            FLIGHTS,
            "m: the input 'hour' is infinite in 2 rows of the days to learn from, which no estimator takes; look at how gold.training is made.",
        ),
        (
            FLIGHTS,
            FLIGHTS.assign(hour=FLIGHTS["hour"].where(FLIGHTS.index > 0, float("-inf"))),
            "m: the input 'hour' is infinite in 1 row of the test days, which no estimator takes; look at how gold.training is made.",
        ),
    ],
)
def test_rows_that_teach_nothing_are_refused_before_the_search(learned: pd.DataFrame, test: pd.DataFrame, sentence: str) -> None:
    with pytest.raises(ModelError) as refused:
        require_learnable("m", BINARY, learned, test)
    assert str(refused.value) == sentence
