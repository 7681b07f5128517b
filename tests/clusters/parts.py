"""What became of each part of `make test-clusters`, as a small table: a part that was skipped is not one that works."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

COUNTED = {"passed": "passed", "skipped": "skipped", "failed": "failed", "error": "failed"}
"""Pytest's words to the table's."""


def table(outcomes: Mapping[str, list[Any]]) -> Iterator[str]:
    """A line for each part, sorted, of pytest's reports by outcome; none where no test of a cluster ran."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: dict[str, dict[str, None]] = defaultdict(dict)
    for outcome, counted in COUNTED.items():
        for report in outcomes.get(outcome, ()):
            if "cluster" in report.keywords:
                part = Path(report.nodeid.partition("::")[0]).stem.removeprefix("test_")
                counts[part][counted] += 1
                if outcome == "skipped":
                    reasons[part][str(report.longrepr[2]).removeprefix("Skipped: ")] = None
    if counts:
        yield f"{'part':12}{'passed':>8}{'skipped':>9}{'failed':>8}  why skipped"
    for part, found in sorted(counts.items()):
        yield f"{part:12}{found['passed']:>8}{found['skipped']:>9}{found['failed']:>8}  {'; '.join(reasons[part])}".rstrip()
