"""One estimator for each group of rows. Travels by value, like worker.py."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pyspark import cloudpickle

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]


class Grouped:
    """An estimator for each value of a column, and one over all rows for the others.

    A value with one class, or fewer than FEWEST_ROWS rows, has none of its own. Saved as the plain dict of `parts`, so that no type of this
    project has to be trusted.
    """

    FEWEST_ROWS = 30

    def __init__(self, estimator: Any, group_by: str) -> None:
        """An unfitted one. Every part is a copy of `estimator`; the text of `group_by`'s value tells which one answers."""
        self.estimator, self.group_by = estimator, group_by
        self.own: dict[str, Any] = {}
        self.rest: Any = None

    @classmethod
    def of(cls, parts: dict[str, Any]) -> Grouped:
        """The fitted one of what `parts` gave."""
        made = cls(parts["rest"], parts["group_by"])
        made.own, made.rest = parts["own"], parts["rest"]
        return made

    @property
    def parts(self) -> dict[str, Any]:
        """What a fitted one is made of: `group_by`, `rest`, and `own`, text to estimator."""
        return {"group_by": self.group_by, "rest": self.rest, "own": self.own}

    @property
    def classes_(self) -> Any:
        """The classes, in the order of predict_proba's columns."""
        return self.rest.classes_

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn's scorers ask, to know whether it is a classifier."""
        return self.estimator.__sklearn_tags__()

    def fit(self, seen: pd.DataFrame, truth: Any) -> Grouped:
        """Fit all parts, one after the other."""
        from sklearn.base import clone

        self.rest = clone(self.estimator).fit(seen, truth)
        for value, rows in seen.groupby(self.group_by, sort=True):
            if self.is_enough(truth.loc[rows.index]):
                self.own[str(value)] = clone(self.estimator).fit(rows, truth.loc[rows.index])
        return self

    def is_enough(self, truth: Any) -> bool:
        """Whether rows with these truths have an estimator of their own."""
        from sklearn.base import is_classifier

        return len(truth) >= self.FEWEST_ROWS and (not is_classifier(self.estimator) or truth.nunique() > 1)

    def predict(self, seen: pd.DataFrame) -> Any:
        """The answer for each row."""
        import numpy

        found = numpy.empty(len(seen), dtype=object if hasattr(self.rest, "classes_") else float)
        for model, places in self._parts_of(seen):
            found[places] = model.predict(seen.iloc[places])
        return found if found.dtype == float else found.astype(self.classes_.dtype)

    def predict_proba(self, seen: pd.DataFrame) -> Any:
        """The probability of each class for each row; 0 for a class that the row's part has not seen."""
        import numpy

        found = numpy.zeros((len(seen), len(self.classes_)))
        for model, places in self._parts_of(seen):
            found[numpy.ix_(places, numpy.searchsorted(self.classes_, model.classes_))] = model.predict_proba(seen.iloc[places])
        return found

    def _parts_of(self, seen: pd.DataFrame) -> Iterator[tuple[Any, Any]]:
        """Each part with the positions of its rows."""
        import numpy

        models = [*self.own.values(), self.rest]
        places = {text: place for place, text in enumerate(self.own)}
        which = numpy.array([places.get(str(value), len(self.own)) for value in seen[self.group_by]])
        for place in numpy.unique(which):
            yield models[place], numpy.flatnonzero(which == place)
