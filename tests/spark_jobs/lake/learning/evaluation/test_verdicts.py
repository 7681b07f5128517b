"""A challenger serves only if it passes its gates, beats both baselines and is not worse than the champion."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from spark_jobs.lake.learning.evaluation.slices import became_worse, slices_of, weakest
from spark_jobs.lake.learning.evaluation.verdicts import Verdict, verdict_on
from tests.spark_jobs.lake.learning.evaluation.contracts import contract_of

GOOD = {"roc_auc": 0.7, "log_loss": 0.5}
BASELINES = {"majority": {"roc_auc": 0.5, "log_loss": 0.6}, "history": {"roc_auc": 0.55, "log_loss": 0.58}}
NO_ROWS = pd.DataFrame()


def verdict(figures: dict[str, float] = GOOD, champion: dict[str, float] | None = None, **facts: Any) -> Verdict:
    return verdict_on(contract_of(**facts), NO_ROWS, figures, BASELINES, champion)


def answers(**right: tuple[int, int]) -> pd.DataFrame:
    """Carrier to how many of how many answers are right; truths are half and half."""
    rows = []
    for carrier, (hits, count) in right.items():
        for position in range(count):
            late = position % 2
            rows.append((carrier, late, float(late if position < hits else 1 - late)))
    return pd.DataFrame(rows, columns=["carrier", "late", "_probability"]).assign(_predicted=True)


def test_a_missed_gate_is_told_with_its_value() -> None:
    gates = [{"metric": "roc_auc", "at_least": 0.8}, {"metric": "log_loss", "at_most": 0.4}]
    assert verdict(gates=gates) == Verdict("kept", "roc_auc 0.700 is below the gate 0.8; log_loss 0.500 is above the gate 0.4")


def test_what_is_undefined_passes_nothing() -> None:
    found = verdict({"accuracy": 1.0}, gates=[{"metric": "roc_auc", "at_least": 0.1}])
    assert found == Verdict("kept", "roc_auc is not defined on the test days, so its gate is not passed; roc_auc is not defined on the test days")


def test_both_baselines_have_to_be_beaten() -> None:
    assert verdict({"roc_auc": 0.5}).reason == (
        "roc_auc 0.500 is no better than the majority class (0.500); roc_auc 0.500 is no better than the history of the same keys (0.550)"
    )
    assert verdict({"roc_auc": 0.55}) == Verdict("kept", "roc_auc 0.550 is no better than the history of the same keys (0.550)")
    assert verdict({"roc_auc": 0.56}).promoted


def test_a_champion_that_serves_and_cannot_be_compared_is_not_replaced() -> None:
    found = verdict_on(contract_of(), NO_ROWS, GOOD, BASELINES, None, "gold.t has no column a any more")
    assert found.outcome == "kept"
    assert found.reason == (
        "the champion could not be asked about the same days (gold.t has no column a any more); to let this version serve all the same, promote it by hand"
    )


def test_a_challenger_worse_than_the_champion_does_not_serve() -> None:
    assert verdict(champion={"roc_auc": 0.71}) == Verdict("kept", "roc_auc 0.700 is worse than the champion's 0.710 on the same days")
    assert verdict(champion={"roc_auc": 0.7}).promoted
    assert verdict(champion={"roc_auc": 0.71}, tolerance=0.02).promoted
    assert verdict(champion={"roc_auc": 0.73}, tolerance=0.02).reason.endswith("on the same days by more than 0.02")


def test_of_a_loss_the_smaller_is_the_better() -> None:
    assert verdict(champion={"log_loss": 0.55}, score="log_loss").promoted
    assert not verdict(champion={"log_loss": 0.45}, score="log_loss").promoted


@pytest.mark.parametrize(("says", "outcome"), [("promote", "promoted"), ("ask", "asks"), ("keep", "kept")])
def test_what_follows_for_a_better_challenger_is_said_by_the_contract(says: str, outcome: str) -> None:
    assert verdict(when_better=says).outcome == outcome
    assert verdict({"roc_auc": 0.4}, when_better=says).outcome == "kept"


def test_figures_are_told_by_carrier_and_those_of_few_rows_are_left_out() -> None:
    contract = contract_of(slices=["carrier"], score="accuracy")
    found = slices_of(contract, answers(AA=(30, 40), BB=(60, 60), CC=(29, 29)))["carrier"]
    assert {value: (figures["rows"], figures["accuracy"]) for value, figures in found.items()} == {"BB": (60, 1.0), "AA": (40, 0.75)}


def test_a_gate_on_a_slice_names_the_worst_value_and_spares_those_with_few_rows() -> None:
    gate = {"metric": "accuracy", "at_least": 0.8, "slice": "carrier", "min_rows": 40}
    contract = contract_of(gates=[gate])
    found = verdict_on(contract, answers(AA=(30, 40), BB=(40, 60), CC=(0, 39), DD=(50, 50)), GOOD, BASELINES, None)
    assert found.reason == "accuracy 0.667 for carrier BB (60 rows) is below the gate 0.8, and 1 more of 3 values miss it"
    assert verdict_on(contract, answers(CC=(0, 39), DD=(50, 50)), GOOD, BASELINES, None).promoted


def test_the_weakest_part_of_each_column_is_told() -> None:
    found = slices_of(contract_of(slices=["carrier"], score="accuracy"), answers(AA=(30, 40), BB=(60, 60), CC=(0, 29)))
    assert weakest("accuracy", found) == ["carrier AA: accuracy 0.750 (40 rows)"]
    assert weakest("roc_auc", {"carrier": {"AA": {"rows": 40}}}) == []
    assert weakest("mae", {"origin": {"JFK": {"mae": 20.0, "rows": 40}, "LGA": {"mae": 30.0, "rows": 31}}}) == ["origin LGA: mae 30.000 (31 rows)"]


def test_parts_for_which_the_champion_is_better_are_told_the_worst_first() -> None:
    contract = contract_of(slices=["carrier"], score="accuracy")
    ours, theirs = answers(AA=(30, 40), BB=(40, 40), CC=(35, 40)), answers(AA=(40, 40), BB=(30, 40), CC=(36, 40))
    assert became_worse(contract, slices_of(contract, ours), slices_of(contract, theirs)) == [
        "carrier AA: accuracy 0.750, the champion 1.000 (40 rows)",
        "carrier CC: accuracy 0.875, the champion 0.900 (40 rows)",
    ]
