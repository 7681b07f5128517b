"""Where a search keeps its examples and the outcome of each fit, so that a search that was killed goes on where it ended."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from expectations.storage import Place
from spark_jobs.lake.learning.examples import drafted

if TYPE_CHECKING:
    import pandas as pd

FORGOTTEN_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class SearchFolder:
    """A folder on shared storage, known by what is fitted: the same examples and code give the same folder."""

    location: str

    @property
    def examples(self) -> str:
        """The Parquet file of what is learned from and judged on; the workers read it themselves, so no task carries it."""
        return f"{self.location}/examples.parquet"

    def outcome(self, key: str) -> str:
        """The file for the outcome of a fit."""
        return f"{self.location}/{key}.json"

    def outcomes(self, keys: list[str]) -> dict[str, dict[str, Any]]:
        """The outcomes kept of these fits, by key: `score` and `seconds`. A file that is not whole is no outcome."""
        there, found = {name.removesuffix(".json") for name in Place.of(self.location).file_names()}, {}
        for key in there.intersection(keys):
            try:
                found[key] = json.loads(Place.of(self.outcome(key)).read_bytes())
            except ValueError:
                continue
        return found

    def delete(self) -> None:
        """Forget this search, and those of the same model that nobody went on with for a week."""
        Place.of(self.location).delete_folder()
        Place.of(self.location.rpartition("/")[0]).delete_folders_older_than(FORGOTTEN_SECONDS)


def keep_search(parent: str, code: str, examples: pd.DataFrame) -> SearchFolder:
    """The folder, under `parent`, of the search over these examples by this code; the examples are in it."""
    with drafted(examples) as (draft, sha256):
        folder = SearchFolder(f"{parent}/{hashlib.sha256(f'{sha256} {code}'.encode()).hexdigest()[:16]}")
        draft.copy_to(Place.of(folder.examples))
    return folder


def outcome_key(parameters: dict[str, Any], *facts: object) -> str:
    """What a fit is known by within its folder, which stands for examples and code: its parameters, its fold, and what it is judged by."""
    return hashlib.sha256(repr((sorted(parameters.items()), *facts)).encode()).hexdigest()[:32]
