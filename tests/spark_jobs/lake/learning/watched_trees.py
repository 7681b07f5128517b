"""Trees that note with how many threads they are fitted. Loaded as a model's file is, so that they travel to workers by value."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_info


class WatchedTrees(HistGradientBoostingClassifier):  # type: ignore[misc]
    """Thirty trees. `fault`: what becomes of a fit instead: `raises`, `dies`. `notes`: the folder for a note of each fit."""

    def __init__(self, max_leaf_nodes: int = 31, learning_rate: float = 0.1, fault: str = "", notes: str = "") -> None:
        super().__init__(max_iter=30, max_leaf_nodes=max_leaf_nodes, learning_rate=learning_rate, random_state=7)
        self.fault, self.notes = fault, notes

    def fit(self, X: Any, y: Any) -> Any:
        if self.fault == "dies":
            os._exit(1)
        if self.fault == "raises":
            raise ValueError("no trees grow here")
        Path(self.notes, f"{most_threads()} {uuid.uuid4().hex}.note").touch()
        return super().fit(X, y)


def most_threads() -> int:
    """The threads of this process's largest pool."""
    return max(pool["num_threads"] for pool in threadpool_info())


def noted(folder: Path) -> list[int]:
    """The threads of each fit."""
    return [int(file.name.split()[0]) for file in folder.glob("*.note")]
