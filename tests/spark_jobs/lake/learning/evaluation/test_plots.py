"""Each kind of model has its pictures; they need no window and no file."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from spark_jobs.lake.learning.evaluation.plots import plots_of
from tests.spark_jobs.lake.learning.evaluation.contracts import contract_of

TEXTS = ["jet", "prop"] * 20
KINDS: list[tuple[dict[str, Any], list[Any], list[Any], list[str]]] = [
    ({"kind": "binary"}, [0, 1] * 20, [False, True] * 20, ["calibration.png", "precision_recall.png", "by_carrier.png"]),
    ({"kind": "multiclass", "score": "accuracy"}, TEXTS, TEXTS[::-1], ["calibration.png", "confusion.png", "by_carrier.png"]),
    ({"kind": "regression", "score": "mae"}, [1.0, 2.0] * 20, [1.5, 1.5] * 20, ["predicted_and_actual.png", "by_carrier.png"]),
]


@pytest.mark.parametrize(("facts", "truth", "predicted", "names"), KINDS)
def test_a_model_is_shown_by_pictures_of_its_kind(facts: dict[str, Any], truth: list[Any], predicted: list[Any], names: list[str]) -> None:
    contract = contract_of(slices=["carrier"], **facts)
    answers = pd.DataFrame({"late": truth, "_predicted": predicted, "_probability": [0.2, 0.7] * 20})
    score = {"AA": {contract.score: 0.7, "rows": 30}, "BB": {"rows": 40}}
    plots = plots_of(contract, answers, {"carrier": score})
    assert list(plots) == names
    assert all(content.startswith(b"\x89PNG") for content in plots.values())
