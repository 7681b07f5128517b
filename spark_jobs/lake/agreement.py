"""`python -m spark_jobs.lake.agreement`: whether a Spark Connect server, its Python workers and this Python are of one version, for `make doctor`.

LAKE_SPARK_REMOTE is the server's address. One line; exit code 0 = they are, 1 = not.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from expectations.errors import LakeError
from expectations.surroundings import sentence
from spark_jobs.lake.session import open_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd


def agreement(remote: str) -> str:
    """The server's version and its workers', in words. Raises RequestError or TransientError where they are not ours, or do not answer."""
    with open_session(remote, "doctor") as spark:
        [worker] = spark.range(1).mapInPandas(_python, "python string").collect()
        return f"Spark {spark.version}, workers on Python {worker.python}"


def _python(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """The worker's own Python."""
    import sys

    for batch in batches:
        yield batch.assign(python=sys.version.split()[0])[["python"]]


def main() -> int:
    """The command line."""
    try:
        said, code = agreement(os.environ["LAKE_SPARK_REMOTE"]), 0
    except LakeError as error:
        said, code = str(error), 1
    except Exception as error:
        unknown = f"Spark refused the smallest of jobs ({type(error).__name__}); the log of its server says why."
        said, code = (sentence(str(error)) or (unknown, False))[0], 1
    sys.stdout.write(f"{said}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
