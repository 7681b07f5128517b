"""One Spark job: what it was asked, and what it works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from expectations.jobs import JobRequest
    from expectations.lake import Lake
    from expectations.ledger import Ledger
    from expectations.settings import Settings


@dataclass(frozen=True)
class Job:
    """A request with the Spark session, the lake's contracts and the ledger it works with."""

    spark: SparkSession
    settings: Settings
    lake: Lake
    ledger: Ledger
    request: JobRequest
