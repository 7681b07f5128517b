"""A registered version can be made again, and is told apart from one that cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from expectations.errors import ModelError, RequestError
from expectations.settings import load_settings
from spark_jobs.lake.learning.registry.provenance import made_with
from spark_jobs.lake.learning.registry.rebuilding import Reread, fit_again, rebuild, rebuilt, rows_differing
from tests.spark_jobs.lake.learning.conftest import ESTIMATOR
from tests.spark_jobs.lake.learning.versions import CONTRACT, OTHER, champion, change, examples, job_of

if TYPE_CHECKING:
    from expectations.jobs import JobResult
    from tests.spark_jobs.lake.conftest import LittleLake


@pytest.mark.spark
def test_a_version_is_made_again_from_its_frozen_set_and_from_the_tables_history_as_long_as_that_is_kept(calls: LittleLake) -> None:
    lines = (calls.project / "landing/calls/2024-05-03.csv").read_text().splitlines()
    calls.land("calls/2024-05-03.csv", *lines[:40])
    for table in ("bronze.calls", "silver.calls"):
        calls.build(table, "2024-05-03", "corrected")
    old = list((Path(calls.path("silver.calls")) / "called_on=2024-05-03").glob("*.parquet"))
    assert (calls.version("silver.calls"), len(old)) == (1, 2)

    result = calls.run("rebuild", "answers", run_id="rebuild-1", version=1)
    assert result.status == "done", result.message
    assert "answers v1 is what a new fit gives: its frozen training set of 1,120 rows is the registered one" in result.message
    assert "; the same rows are in silver.calls at version 0; the predictions for 2024-05-12..2024-05-14 differ by" in result.message
    assert (result.facts["rows_differing"], result.facts["same_predictions"], result.facts["changed"]) == (0, True, {})
    assert result.facts["largest_difference"] <= 1e-9
    assert len(calls.ledger.model_versions("answers")) == 1

    for file in old:  # as VACUUM would, of which one is that of today
        file.unlink()
    result = calls.run("rebuild", "answers", run_id="rebuild-2", version=1)
    assert result.status == "done", result.message
    assert "version 0 of silver.calls cannot be read any more (silver.calls keeps 30 days of history)" in result.message
    assert result.facts["rows_differing"] is None


def told(lake: LittleLake, reread: Reread, difference: float, **made: Any) -> JobResult:
    """What is said of version 1, where this was found; it was made with what there is now, but for `made`."""
    job, entry = job_of(lake, "rebuild", version=1), champion(lake)
    model = job.lake.model("answers")
    recorded = {"provenance": {**entry.figures["provenance"], "made_with": {**made_with(model), **made}}}
    return rebuilt(job.request, model, replace(entry, figures={**entry.figures, **recorded}), 1120, reread, difference)


def test_a_version_that_is_the_same_is_told_from_one_that_is_not(registered: LittleLake) -> None:
    same = told(registered, Reread(), 1e-10)
    assert (same.status, same.message) == (
        "done",
        "answers v1 is what a new fit gives: its frozen training set of 1,120 rows is the registered one; the same rows are in silver.calls at "
        "version 0; the predictions for 2024-05-12..2024-05-14 differ by 1e-10 at most; contract, code, lock and packages are those of then",
    )
    assert (same.facts["rows_differing"], same.facts["same_predictions"], same.facts["changed"]) == (0, True, {})
    other_rows = told(registered, Reread(differing=3), 0.0)
    assert (other_rows.status, other_rows.facts["rows_differing"]) == ("failed_terminal", 3)
    assert "answers v1 is NOT what a new fit gives" in other_rows.message and "; 3 of its rows differ in; " in other_rows.message
    other_fit = told(registered, Reread(), 0.01)
    assert (other_fit.status, other_fit.facts["same_predictions"]) == ("failed_terminal", False)
    unread = told(registered, Reread(why_not="version 0 cannot be read any more"), 0.0)
    assert (unread.status, unread.facts["rows_differing"], unread.facts["not_read_again"]) == ("done", None, "version 0 cannot be read any more")


def test_other_code_is_told(registered: LittleLake) -> None:
    result = told(registered, Reread(), 0.2, code="another", numpy="0.1")
    assert result.message.endswith("made with another code, numpy than then")
    assert list(result.facts["changed"]) == ["code", "numpy"]
    assert result.facts["changed"]["numpy"]["then"] == "0.1"


def test_a_new_fit_on_the_learned_days_answers_for_the_test_days_as_the_registered_file_does(registered: LittleLake) -> None:
    def difference() -> float:
        job = job_of(registered, "rebuild", version=1)
        return fit_again(job, job.lake.model("answers"), champion(registered), examples())

    assert difference() == 0.0
    registered.write("spark_jobs/models/answers.py", ESTIMATOR.replace("max_iter=20", "max_iter=19"))
    assert difference() > 1e-9


def test_a_rebuild_ends_as_one_that_is_not_the_same_where_a_new_fit_answers_otherwise(registered: LittleLake) -> None:
    first = champion(registered)
    # nobody knows its days any more, so its rows are not read again, which takes Spark
    registered.ledger.record_model(replace(first, version=OTHER, run_id="elsewhere", inputs={}), instead_of=first.version)
    same = rebuild(job_of(registered, "rebuild", version=OTHER))
    assert (same.status, same.facts["largest_difference"], same.facts["changed"]) == ("done", 0.0, {}), same.message
    assert "; its rows cannot be read again: silver.calls is not what it was; " in same.message
    registered.write("spark_jobs/models/answers.py", ESTIMATOR.replace("max_iter=20", "max_iter=19"))
    other = rebuild(job_of(registered, "rebuild", version=OTHER))
    assert (other.status, other.facts["same_predictions"]) == ("failed_terminal", False)
    assert other.message.startswith("answers v7 is NOT what a new fit gives: ")
    assert other.message.endswith("made with another code than then")
    assert list(other.facts["changed"]) == ["code"]


def test_rows_that_are_not_the_same_are_counted() -> None:
    frozen = pd.DataFrame({"_day": ["d1", "d1", "d2"], "kind": ["home", None, "office"], "hour": [8.0, float("nan"), 9.0]})
    assert rows_differing(frozen, frozen.copy()) == 0
    assert rows_differing(frozen, frozen.assign(kind=["home", "home", None], hour=[8.0, 7.0, 9.0])) == 2
    assert (rows_differing(frozen, frozen.head(2)), rows_differing(frozen.head(1), frozen)) == (1, 2)


def test_a_training_set_that_somebody_changed_or_that_is_gone_is_refused(registered: LittleLake) -> None:
    figures = champion(registered).figures
    file = Path(load_settings().models_path) / figures["training_set"]
    changed = file.read_bytes()[:-1] + b"!"
    file.unlink()  # other copies of the lake have the same file
    file.write_bytes(changed)
    with pytest.raises(ModelError, match=f"{figures['training_set_sha256']} was registered; find out who changed it"):
        rebuild(job_of(registered, "rebuild", version=1))
    file.unlink()
    with pytest.raises(ModelError, match="is gone; bring it back"):
        rebuild(job_of(registered, "rebuild", version=1))


def test_a_version_that_is_none_or_was_trained_for_another_contract_cannot_be_made_again(registered: LittleLake) -> None:
    unknown = registered.run("rebuild", "answers", run_id="rebuild-4", version=2)
    assert (unknown.status, unknown.message) == ("failed_terminal", "answers has no version 2; registered is 1. Choose one of these.")
    with pytest.raises(RequestError, match=r"which version\? Add --version"):
        rebuild(job_of(registered, "rebuild"))
    change(registered, CONTRACT, "target: answered", "target: predicted_by")
    change(registered, "expectations/silver/calls.yaml", "answered: {type: boolean}", "answered: {type: boolean}\n  predicted_by: {type: boolean}")
    with pytest.raises(ModelError, match="v1 was trained for another contract: its training set has no predicted_by"):
        rebuild(job_of(registered, "rebuild", version=1))
