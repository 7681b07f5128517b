"""What a version of a model was made of and with: its tables, what their gates said, and the code, lock and packages of the day."""

from __future__ import annotations

import hashlib
import platform
import sys
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.days import ALL, in_words
from expectations.settings import REPOSITORY
from spark_jobs.lake.learning.lesson import learning_facts

if TYPE_CHECKING:
    from expectations.lake import Model
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.learning.lesson import Lesson

PACKAGES = ("scikit-learn", "numpy", "pandas", "pyarrow", "skops")
"""What a fit and its file depend on."""
INSTALLED_FROM = "installed-from"
"""The file in an environment that says from which lock it was made: `<name> <sha256>`."""


def provenance(job: Job, lesson: Lesson) -> dict[str, Any]:
    """`tables`: the training table and what its days were made of, with versions, days and what the gates said. `made_with`: see there."""
    training = lesson.model.contract.training
    read: dict[str, dict[str, int]] = {training: lesson.versions}
    for entry in job.ledger.days(training, lesson.versions).values():
        for name, days in entry.inputs.items():
            known = read.setdefault(name, {})
            known.update({day: max(version, known.get(day, version)) for day, version in days.items()})
    return {
        "tables": {name: _table(job, name, versions) for name, versions in read.items()},
        "first_test_day": lesson.days.test[0],
        "made_with": made_with(lesson.model),
    }


def made_with(model: Model) -> dict[str, str]:
    """What a fit depends on beside its rows: sha256 of contract, model file and lock file, the seed, and versions."""
    lock, lock_sha256 = _lock()
    return {
        "contract": hashlib.sha256(learning_facts(model)).hexdigest(),
        "code": hashlib.sha256(model.logic.read_bytes()).hexdigest(),
        "lock": lock_sha256,
        "lock_file": lock,
        "seed": str(model.contract.seed),
        "python": platform.python_version(),
        **{name: installed(name) for name in PACKAGES},
    }


def _lock() -> tuple[str, str]:
    """Name and sha256 of the lock file that this environment was installed from; where it does not say, of the one beside the code."""
    stamp = Path(sys.prefix) / INSTALLED_FROM
    words = stamp.read_text().split() if stamp.exists() else []
    if len(words) == 2:  # noqa: PLR2004 - name and sum
        return words[0], words[1]
    lock = REPOSITORY / "requirements.lock"
    return (lock.name, hashlib.sha256(lock.read_bytes()).hexdigest()) if lock.exists() else ("none", "unknown")


def _table(job: Job, name: str, versions: dict[str, int]) -> dict[str, Any]:
    """What was read of one table, and how many rules passed, warned or set rows aside in the runs that had made it, and which did."""
    entries = {day: entry for day, entry in job.ledger.days(name, versions).items() if entry.version == versions[day]}
    runs = sorted({entry.run_id for entry in entries.values()})
    verdicts = [verdict for run in runs for verdict in job.ledger.verdicts(run, name) if verdict.day == ALL or verdict.day in entries]
    broken = [verdict for verdict in verdicts if not verdict.success]
    warned = sum(verdict.on_fail == "warn" for verdict in broken)
    rules = {
        "passed": len(verdicts) - len(broken),
        "warned": warned,
        "broken": len(broken) - warned,
        "not_passed": sorted({verdict.rule for verdict in broken}),
    }
    return {"version": max(versions.values()), "days": in_words(versions), "rules": rules, "runs": runs}
