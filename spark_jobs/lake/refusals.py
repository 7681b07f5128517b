"""What a run puts into quarantine: rows that broke a rule, that came too late, or that do not parse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.days import ALL
from spark_jobs.lake import quarantine

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from expectations.lake import Table
    from spark_jobs.lake.batch import Batch
    from spark_jobs.lake.gate import Judgement
    from spark_jobs.lake.job import Job


@dataclass(frozen=True)
class Refusals:
    """The refused rows of one batch on their way to the table's quarantine."""

    job: Job
    table: Table
    batch: Batch
    day_column: str | None

    def publish(self, staged: DataFrame, on_time: DataFrame, judgement: Judgement, late: dict[str, int], passed: list[str]) -> set[str]:
        """Replace what waits by the refused rows of the days that `passed`, and return the keys under which it was replaced.

        What is written counts only once the ledger names these keys with this run.
        """
        no_day_key = self._batch_key()
        refused: list[DataFrame] = []
        if any(counts.quarantined for counts in judgement.counts.values()):
            bad = judgement.quarantined(on_time)
            day = F.col(self.day_column) if self.day_column else F.lit(None).cast("date")
            if self.day_column:
                bad = bad.filter(day.isNull() | day.cast("string").isin(passed))
            refused.append(quarantine.refused_by_rule(self.job, self.table, bad, day, no_day_key))
        if late:
            rows = staged.filter("_late").drop("_late").select("*", F.array(F.lit(quarantine.LATE_RULE)).alias("_rules"))
            refused.append(quarantine.refused_by_rule(self.job, self.table, rows, F.lit(None).cast("date"), no_day_key))
        refused += [quarantine.refused_by_type(self.job, bronze, days) for bronze, days in self.batch.refused.items() if any(days.values())]
        keys = {no_day_key, *passed, *(quarantine.arrival_key(bronze, day) for bronze, days in self.batch.refused.items() for day in days)}
        quarantine.replace(self.job, self.table, refused, None if self.table.contract.write == "replace_all" else keys)
        return keys

    def _batch_key(self) -> str:
        """What rows without a day and without a file are filed under."""
        days = sorted(self.batch.inputs) or [ALL]
        return f"{days[0]}..{days[-1]}"
