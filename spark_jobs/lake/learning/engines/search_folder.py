"""Where a search keeps its examples and the outcome of each fit, so that a search that was killed goes on where it ended."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark_jobs.lake.storage import Place

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = "examples.parquet"
FORGOTTEN_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class SearchFolder:
    """A folder on shared storage, known by what is fitted: the same examples and code give the same folder."""

    location: str

    @property
    def examples(self) -> str:
        """The Parquet file of what is learned from and judged on; the workers read it themselves, so no task carries it."""
        return f"{self.location}/{EXAMPLES}"

    def outcome(self, key: str) -> str:
        """The file for the outcome of a fit."""
        return f"{self.location}/{key}.json"

    def outcomes(self, keys: list[str]) -> dict[str, dict[str, Any]]:
        """The outcomes kept of these fits, by key: `score` and `seconds`. A file that is not whole is no outcome."""
        there, found = {name.removesuffix(".json") for name in Place.of(self.location).file_names()}, {}
        for key in there.intersection(keys):
            try:
                found[key] = json.loads(b"".join(Place.of(self.outcome(key)).chunks()))
            except ValueError:
                continue
        return found

    def delete(self) -> None:
        """Forget this search, and those of the same model that nobody went on with for a week."""
        Place.of(self.location).delete_folder()
        Place.of(self.location.rpartition("/")[0]).delete_folders_older_than(FORGOTTEN_SECONDS)


def keep_search(parent: str, code: str, examples: pd.DataFrame) -> SearchFolder:
    """The folder, under `parent`, of the search over these examples by this code; the examples are in it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as draft:
        file = Place.of(f"{draft}/{EXAMPLES}")
        pq.write_table(pa.Table.from_pandas(examples, preserve_index=False), file.path, compression="zstd")
        key = hashlib.sha256(f"{file.fingerprint()[0]} {code}".encode()).hexdigest()[:16]
        folder = SearchFolder(f"{parent}/{key}")
        file.copy_to(Place.of(folder.examples))
    return folder
