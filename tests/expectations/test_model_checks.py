"""One fault a lake, and the sentence that the loader says of it: models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expectations.loader import load_lake
from tests.expectations.conftest import (
    GOLD_GUESSES,
    GOOD,
    MODEL,
    MODEL_LOGIC,
    SILVER_SHOPS,
    Change,
    Refusal,
    write_lake,
)

if TYPE_CHECKING:
    from pathlib import Path

MODELS = [
    pytest.param(
        {MODEL_LOGIC: None},
        ("expectations/models/dear.yaml:1: the model dear has no spark_jobs/models/dear.py; write it with a function build_estimator()."),
        id="no file",
    ),
    pytest.param({MODEL_LOGIC: "x = 1\n"}, "spark_jobs/models/dear.py:1: it has no function build_estimator(); write it.", id="no build_estimator"),
    pytest.param(
        {MODEL_LOGIC: "def build_estimator(depth):\n    return depth\n"},
        ("spark_jobs/models/dear.py:1: build_estimator takes (depth), but it is called without arguments; take them away."),
        id="a build_estimator with arguments",
    ),
    pytest.param(
        {MODEL: ("training: silver.sales", "training: silver.sale")},
        ('expectations/models/dear.yaml:3: there is no table silver.sale. Did you mean "silver.sales"? Its contract would be expectations/silver/sale.yaml.'),
        id="an unknown table",
    ),
    pytest.param(
        {MODEL: ("- cents", "- cent")}, "expectations/models/dear.yaml:9: silver.sales has no column 'cent'. Did you mean \"cents\"?", id="an unknown input"
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: deer")},
        "expectations/models/dear.yaml:6: silver.sales has no column 'deer'. Did you mean \"dear\"?",
        id="an unknown target",
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: item")},
        ("expectations/models/dear.yaml:6: the target 'item' is string; for kind binary it must be a boolean, or a number that is 0 or 1."),
        id="a target that is a text",
    ),
    pytest.param(
        {MODEL: ("- cents", "- dear")}, "expectations/models/dear.yaml:9: the target 'dear' is among the inputs; take it out.", id="the target among the inputs"
    ),
    pytest.param({MODEL: ("- cents", "- item")}, "expectations/models/dear.yaml:9: the input 'item' is listed twice; keep one.", id="an input listed twice"),
    pytest.param(
        {MODEL: ("- cents", "- sold_on")},
        (
            "expectations/models/dear.yaml:9: the input 'sold_on' is date, a model takes string, int, bigint, double, "
            "boolean; make a number of it in silver.sales."
        ),
        id="an input that is a date",
    ),
    pytest.param(
        {
            MODEL: ("features: silver.sales", "features: silver.shops"),
            SILVER_SHOPS: ("  shop: {type: string, nullable: false}", "  shop: {type: string}\n  item: {type: string}\n  cents: {type: string}"),
        },
        (
            "expectations/models/dear.yaml:9: the input 'cents' is int in silver.sales and string in silver.shops, so a model would learn from one and be "
            "asked about the other; let both be a string, or both a number."
        ),
        id="an input that is learned as a number and asked as a text",
    ),
    pytest.param(
        {MODEL: ("split: {", "folds: 4\nsplit: {training_days: 4, ")},
        (
            "expectations/models/dear.yaml:11: 4 folds need at least 5 training days, but the split takes at most 4; "
            "write training_days: 5 or more, or fewer folds."
        ),
        id="too few training days for the folds",
    ),
    pytest.param(
        {MODEL: ("[1, 2]", "[]")},
        ("expectations/models/dear.yaml:11: the search names no value for 'depth'; name one, or take the parameter away."),
        id="a search over no values",
    ),
    pytest.param(
        {MODEL: (", at_least: 0.6", "")},
        ("expectations/models/dear.yaml:12: gates.0: the gate on roc_auc has no threshold; add at_least or at_most."),
        id="a gate without threshold",
    ),
    pytest.param(
        {MODEL: ("roc_auc", "auc")},
        (
            "expectations/models/dear.yaml:12: gates.0.metric: Input should be 'accuracy', 'roc_auc', 'average_precision', "
            "'log_loss', 'brier', 'precision', 'recall', 'f1_macro', 'mae', 'rmse' or 'r2' (found 'auc'). Did you mean \"roc_auc\"?"
        ),
        id="an unknown metric",
    ),
    pytest.param(
        {MODEL: ("roc_auc", "mae")},
        (
            "expectations/models/dear.yaml:12: mae does not measure a model of kind binary; choose from accuracy, roc_auc, average_precision, log_loss, "
            "brier, precision, recall."
        ),
        id="a metric of another kind of model",
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: dear\nlabels: silver.sales")},
        "expectations/models/dear.yaml:10: the input 'cents' is a label of silver.sales, so it is known only afterwards; take it out.",
        id="an input that is a label",
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: dear\nslices: [itme]")},
        "expectations/models/dear.yaml:7: silver.sales has no column 'itme'. Did you mean \"item\"?",
        id="a slice by an unknown column",
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: dear\nhistory: {keys: [itme]}")},
        "expectations/models/dear.yaml:7: silver.sales has no column 'itme'. Did you mean \"item\"?",
        id="a history by an unknown column",
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: dear\nengine: per_group")},
        "expectations/models/dear.yaml:7: group_by goes with engine: per_group; name both, or neither.",
        id="a model per group without a group",
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: dear\nengine: per_group\ngroup_by: sold_on")},
        "expectations/models/dear.yaml:8: 'sold_on' (group_by) is not among the inputs; add it.",
        id="a group that is no input",
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: dear\nengine: spark_ml\nsearch_on: ray")},
        "expectations/models/dear.yaml:8: ray searches for engine: sklearn only; write spark, or leave it out.",
        id="a search on Ray for another engine",
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: dear\ntrain: {alarms: [{psi: 0.25, days: 8}]}")},
        "expectations/models/dear.yaml:7: train.alarms.0: 8 of 7 days can never be; days must be at most of.",
        id="an alarm that can never ring",
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: dear\ntrain: {alarms: [{days: 2}]}")},
        "expectations/models/dear.yaml:7: train.alarms.0: the alarm has no limit; add psi, or a metric with at_least or at_most.",
        id="an alarm without a limit",
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: dear\ntrain: {alarms: [{metric: accuracy, at_least: 0.5, columns: [a]}]}")},
        "expectations/models/dear.yaml:7: train.alarms.0: columns goes with psi; name both.",
        id="an alarm on the decay of columns",
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: dear\ntrain: {alarms: [{psi: 0.25, columns: [itme]}]}")},
        "expectations/models/dear.yaml:7: an alarm names 'itme', which is no input and not the answer. Did you mean \"item\"?",
        id="an alarm on an unknown column",
    ),
    pytest.param(
        {
            MODEL: (
                "target: dear\n",
                "target: item\nkind: multiclass\nscore: accuracy\ntrain: {alarms: [{metric: log_loss, at_most: 1}]}\n",
            )
        },
        "expectations/models/dear.yaml:9: log_loss of several classes cannot be told from predictions; choose another metric for the alarm.",
        id="an alarm that watching cannot measure",
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: dear\nthreshold: 0.2\nscore: recall")},
        "expectations/models/dear.yaml:8: scikit-learn searches recall at a probability of 0.5, not at threshold 0.2; "
        "write score: roc_auc, average_precision, log_loss or brier.",
        id="a search by another threshold than the model's",
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: dear\nthreshold: 1.5")},
        "expectations/models/dear.yaml:7: threshold: Input should be less than 1 (found 1.5).",
        id="a threshold beyond one",
    ),
    pytest.param(
        {
            MODEL: ("features: silver.sales", "features: silver.shops"),
            SILVER_SHOPS: (
                "  shop: {type: string, nullable: false}",
                "  shop: {type: string}\n  item: {type: string}\n  cents: {type: int}\n  dear: {type: boolean}",
            ),
        },
        ("expectations/models/dear.yaml:4: silver.shops has no `day`, so it cannot be split by time; name its day column in expectations/silver/shops.yaml."),
        id="features without days",
    ),
    pytest.param(
        {GOLD_GUESSES: ("  scored_at: {type: timestamp}\n", "")},
        (
            "expectations/gold/guesses.yaml:7: dear fills gold.guesses with 'scored_at' as timestamp, the contract has no "
            "such column; write sold_on: {type: date}, item: {type: string}, probability: {type: double}, predicted: "
            "{type: boolean}, model_name: {type: string}, model_version: {type: int}, features_version: {type: bigint}, "
            "scored_at: {type: timestamp}."
        ),
        id="predictions without a column",
    ),
    pytest.param(
        {GOLD_GUESSES: ("probability: {type: double}", "probability: {type: int}")},
        (
            "expectations/gold/guesses.yaml:7: dear fills gold.guesses with 'probability' as double, the contract has int; "
            "write sold_on: {type: date}, item: {type: string}, probability: {type: double}, predicted: {type: boolean}, "
            "model_name: {type: string}, model_version: {type: int}, features_version: {type: bigint}, scored_at: {type: "
            "timestamp}."
        ),
        id="a probability that is whole",
    ),
    pytest.param(
        {GOLD_GUESSES: ("  scored_at:", "  more: {type: int}\n  scored_at:")},
        (
            "expectations/gold/guesses.yaml:7: dear fills gold.guesses with 'more' as no column, the contract has int; "
            "write sold_on: {type: date}, item: {type: string}, probability: {type: double}, predicted: {type: boolean}, "
            "model_name: {type: string}, model_version: {type: int}, features_version: {type: bigint}, scored_at: {type: "
            "timestamp}."
        ),
        id="predictions with another column",
    ),
    pytest.param(
        {GOLD_GUESSES: ("write: append", "write: replace_days")},
        (
            "expectations/gold/guesses.yaml:1: gold.guesses keeps the predictions of dear, so it needs write: append, day: "
            "sold_on and grain: [sold_on, item, model_version]."
        ),
        id="predictions that are replaced",
    ),
    pytest.param(
        {GOLD_GUESSES: (", model_version]", "]")},
        (
            "expectations/gold/guesses.yaml:1: gold.guesses keeps the predictions of dear, so it needs write: append, day: "
            "sold_on and grain: [sold_on, item, model_version]."
        ),
        id="predictions of one version only",
    ),
    pytest.param(
        {MODEL: ("predictions: gold.guesses", "predictions: gold.guesses\ncomparisons: gold.guesses")},
        "expectations/models/dear.yaml:6: gold.guesses is filled by dear already; give dear a table of its own for its comparisons.",
        id="comparisons among the predictions",
    ),
    pytest.param(
        {"expectations/models/also_dear.yaml": GOOD[MODEL], "spark_jobs/models/also_dear.py": GOOD[MODEL_LOGIC]},
        "expectations/models/also_dear.yaml:5: gold.guesses is filled by dear already; give also_dear a table of its own for its predictions.",
        id="two models and one table of predictions",
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: dear\ntrain: {every: monthly}")},
        "expectations/models/dear.yaml:7: train.every: it is no period like '28 days' (found 'monthly').",
        id="a period in words",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), MODELS)
def test_a_fault_of_a_model_is_told_in_one_sentence(refusal: Refusal, changes: dict[str, Change], sentence: str) -> None:
    assert refusal(changes) == sentence


def test_a_whole_number_may_be_wider_where_it_is_asked_and_as_many_days_as_folds_need_are_enough(tmp_path: Path) -> None:
    model = GOOD[MODEL].replace("features: silver.sales", "features: gold.totals").replace("          - item\n", "")
    model = model.replace("split: {", "split: {training_days: 4, ")
    guesses = (
        GOOD[GOLD_GUESSES]
        .replace("[sold_on, item, model_version]", "[sold_on, model_version]")
        .replace("          item: {type: string, nullable: false}\n", "")
    )
    write_lake(tmp_path, {MODEL: model, GOLD_GUESSES: guesses})
    lake = load_lake(tmp_path)
    types = [lake.table(name).contract.columns["cents"].type for name in ("silver.sales", "gold.totals")]
    contract = lake.model("dear").contract
    assert (contract.inputs, types, contract.folds, contract.split.training_days) == (("cents",), ["int", "bigint"], 3, 4)
