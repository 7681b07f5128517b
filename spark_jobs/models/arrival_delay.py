"""How many minutes late will this flight arrive? Gradient boosted trees for the median, which a few very late flights do not move."""

from __future__ import annotations

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

NAMES = ["carrier", "origin", "dest"]


def build_estimator() -> Pipeline:
    """The unfitted pipeline. Names become codes; one never seen is treated like one that is missing, and so are nulls of numbers."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"), encoded_missing_value=float("nan"))
    columns = ColumnTransformer([("names", codes, NAMES)], remainder="passthrough", verbose_feature_names_out=False)
    # No early stopping: it would hold out flights at random, and those of one day are alike.
    trees = HistGradientBoostingRegressor(loss="absolute_error", categorical_features=list(range(len(NAMES))), early_stopping=False, max_iter=60)
    return Pipeline([("columns", columns), ("trees", trees)])
