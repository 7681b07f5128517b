"""The gate: judges a candidate day by day and parts good rows from bad."""

from spark_jobs.lake.gate.judgement import DayCounts, Judgement, judge
from spark_jobs.lake.gate.rules import gate_rules

__all__ = ["DayCounts", "Judgement", "gate_rules", "judge"]
