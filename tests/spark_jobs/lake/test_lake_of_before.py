"""A lake that was built before goes on: no day is made again, its champion scores, and from now on its modules count."""

from __future__ import annotations

import importlib
import shutil
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.lakes.of_1785ade.make import ARCHIVE, FOLDER
from tests.spark_jobs.lake.conftest import use_lake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
DAYS = "2024-05-01..2024-05-16"
MODULES = ("call_names", "call_names.kinds")


@pytest.fixture
def before(spark: SparkSession, spark_remote: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LittleLake]:
    """The lake as the engine of commit 1785ade left it, where it left it."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(FOLDER, filter="data")
    monkeypatch.syspath_prepend(str(FOLDER))
    yield use_lake(FOLDER, spark, spark_remote, monkeypatch)
    shutil.rmtree(FOLDER)
    forget_modules()


def forget_modules() -> None:
    """As another process would import them."""
    for name in MODULES:
        sys.modules.pop(name, None)
    importlib.invalidate_caches()


def test_a_lake_of_an_earlier_engine_goes_on_and_no_day_of_it_is_made_again(before: LittleLake) -> None:
    versions = {table: before.ledger.versions(table) for table in ("bronze.calls", "silver.calls")}
    for table in versions:
        assert before.build(table, DAYS, "later").status == "unchanged"
    assert {table: before.ledger.versions(table) for table in versions} == versions
    scored = before.run("score", "answers", run_id="later")
    assert (scored.status, scored.facts["days"], scored.facts["model_version"]) == ("done", ["2024-05-15", "2024-05-16"], 1), scored.message

    module = (FOLDER / "call_names/kinds.py").read_text()
    before.write("call_names/kinds.py", module.replace("F.col(column)", "F.lower(column)"))
    forget_modules()
    assert before.build("silver.calls", "2024-05-16", "later still").facts["days"] == ["2024-05-16"], "its modules count from now on"
