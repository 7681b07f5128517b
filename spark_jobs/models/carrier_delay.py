"""Will this flight arrive more than 15 minutes late? A logistic regression, small enough to be learned from one carrier's flights."""

from __future__ import annotations

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NAMES = ["carrier", "origin", "weekday"]


def build_estimator() -> Pipeline:
    """The unfitted pipeline. A name never seen is none of those that were; a number that is missing is the median of its kind."""
    numbers = Pipeline([("filled", SimpleImputer(strategy="median", keep_empty_features=True)), ("scaled", StandardScaler())])
    columns = ColumnTransformer([("names", OneHotEncoder(handle_unknown="ignore"), NAMES)], remainder=numbers)
    return Pipeline([("columns", columns), ("chance", LogisticRegression(max_iter=300))])
