"""What each verb of a request does. Imports only what the verb needs: scikit-learn and MLflow cost seconds."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, cast

from pyspark import errors

if TYPE_CHECKING:
    from expectations.jobs import JobRequest, JobResult
    from expectations.lake import Lake
    from expectations.ledger import Ledger
    from expectations.settings import Settings
    from spark_jobs.lake.job import Job

VERBS = {
    "build": ("spark_jobs.lake.build", "build"),
    "train": ("spark_jobs.lake.learning.training", "train"),
    "score": ("spark_jobs.lake.learning.scoring", "score"),
    "watch": ("spark_jobs.lake.learning.watching.watch", "watch"),
    "rebuild": ("spark_jobs.lake.learning.registry.rebuilding", "rebuild"),
    "restore": ("spark_jobs.lake.maintenance", "restore"),
    "adopt": ("spark_jobs.lake.maintenance", "adopt"),
    "maintain": ("spark_jobs.lake.maintenance", "maintain"),
    "reconcile": ("spark_jobs.lake.reconciliation", "reconcile"),
    "quarantine": ("spark_jobs.lake.quarantine.actions", "act"),
}
VERBS_WITHOUT_SPARK = {
    "report": ("spark_jobs.lake.reports", "report"),
    "promote": ("spark_jobs.lake.learning.registry.promotion", "promote"),
    "examine": ("spark_jobs.lake.learning.examining", "examine"),
}
DATA_FAULTS = (
    errors.ArithmeticException,
    errors.ArrayIndexOutOfBoundsException,
    errors.DateTimeException,
    errors.NumberFormatException,
    errors.PythonException,
)
"""What Spark says of values; they may hold any words, those of a failed network, too."""
SPARK_FAULTS = (*DATA_FAULTS, errors.AnalysisException, errors.IllegalArgumentException, errors.ParseException, errors.PySparkValueError)
"""What Spark says of a table's logic and its data; all else may be the surroundings."""


OF_THE_SYSTEM = re.compile(r"^(OSError|TimeoutError|\w*ConnectionError): ", re.MULTILINE)
"""How the traceback of a Python worker ends that met no fault of values."""


def do(job: Job) -> JobResult:
    """Do what the request asks."""
    module, function = VERBS[job.request.verb]
    return cast("JobResult", getattr(import_module(module), function)(job))


def do_without_spark(settings: Settings, lake: Lake, ledger: Ledger, request: JobRequest) -> JobResult:
    """Do what a request asks that needs no session."""
    module, function = VERBS_WITHOUT_SPARK[request.verb]
    return cast("JobResult", getattr(import_module(module), function)(settings, lake, ledger, request))


def is_of_the_data(error: Exception) -> bool:
    """Whether an error speaks of values, whose words say nothing of the surroundings; a Python worker's own disk and network are those, too."""
    return isinstance(error, DATA_FAULTS) and not OF_THE_SYSTEM.search(str(error))


def is_terminal(error: Exception) -> bool:
    """Whether the same request would fail again: a fault in a table's logic, not of the surroundings."""
    return isinstance(error, (*SPARK_FAULTS, ArithmeticError, TypeError, ValueError, KeyError, AttributeError, ImportError))
