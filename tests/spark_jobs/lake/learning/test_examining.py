"""What a version learned from is examined on a Dask cluster that is started for real: literal rows in, literal figures out."""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from expectations.ledger import Ledger, ModelEntry
from expectations.settings import load_settings
from spark_jobs.lake.learning.engines.pipelines import folder_sha256
from spark_jobs.lake.learning.examining import worth_of_inputs
from spark_jobs.run import main

if TYPE_CHECKING:
    from pathlib import Path

INPUTS = ["carrier", "distance_miles", "scheduled_minutes", "aircraft_seats", "weekday"]
ROWS = [
    ("2013-01-01", "UA", 100.0, 20.0, None, 2.0, 1),
    ("2013-01-01", "UA", 200.0, 40.0, 100.0, 2.0, 1),
    ("2013-01-01", "UA", 300.0, 60.0, 100.0, 2.0, 1),
    ("2013-01-01", "UA", 400.0, 80.0, 100.0, 2.0, 1),
    ("2013-01-02", "B6", 100.0, 20.0, None, 2.0, 0),
    ("2013-01-02", "B6", 200.0, 40.0, 200.0, 2.0, 0),
    ("2013-01-02", None, 300.0, 60.0, 200.0, 2.0, 0),
    ("2013-01-02", "B6", 400.0, 80.0, 200.0, 2.0, 0),
    ("2013-01-03", "AA", 9e9, 0.0, None, 7.0, 1),  # a test day: no part of what was learned
]
FOUND = """\
column,missing,mean,deviation,with is_late,closest,closest_by
carrier=B6,0.125,0.428571,0.494872,-0.92582,aircraft_seats,0.75724
carrier=UA,0.125,0.571429,0.494872,0.92582,aircraft_seats,-0.75724
distance_miles,0.0,250.0,111.803399,0.0,scheduled_minutes,1.0
scheduled_minutes,0.0,50.0,22.36068,0.0,distance_miles,1.0
aircraft_seats,0.25,150.0,50.0,-0.866025,carrier=B6,0.75724
weekday,0.0,2.0,0.0,0.0,,
"""


def learned(folder: Path, *, by_spark: bool) -> ModelEntry:
    """A version whose training set is frozen in `folder`: in two files, as Spark ML's are, or in one."""
    rows = pd.DataFrame(ROWS, columns=["_day", *INPUTS, "is_late"])
    place = folder / "flight_delay" / "1" / "examples.parquet"
    place.parent.mkdir(parents=True)
    if by_spark:
        place.mkdir()
        rows[:3].to_parquet(place / "part-0.parquet")
        rows[3:].to_parquet(place / "part-1.parquet")
        (place / "_SUCCESS").touch()
    else:
        rows.to_parquet(place)
    figures = {
        "file": "flight_delay/1/model" if by_spark else "flight_delay/1/model.skops",
        "training_set": "flight_delay/1/examples.parquet",
        "training_set_sha256": folder_sha256(str(place)) if by_spark else hashlib.sha256(place.read_bytes()).hexdigest(),
        "inputs": INPUTS,
        "test_days": "2013-01-03",
    }
    return ModelEntry("flight_delay", 1, "train-1", True, "2013-01-01", "2013-01-03", {}, figures, datetime(2013, 1, 4, tzinfo=UTC))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of models of an empty lake."""
    monkeypatch.setenv("LAKE_ROOT", str(tmp_path))
    monkeypatch.setenv("LAKE_LEDGER_URL", f"sqlite:///{tmp_path}/ledger.db")
    return tmp_path / "_models"


@pytest.mark.usefixtures("dask")
def test_each_input_is_told_with_the_target_and_with_the_input_that_says_the_same(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Ledger(load_settings().ledger_url).record_model(learned(models, by_spark=True))
    assert main(["examine", "flight_delay", "--run", "look"]) == 0
    page = models / "flight_delay" / "1" / "inputs.csv"
    assert capsys.readouterr().out.endswith(f"flight_delay v1: written to {page}\n")
    assert page.read_text().splitlines() == FOUND.splitlines()
    of_one_file = learned(models / "b", by_spark=False)
    assert worth_of_inputs(f"{models}/b", of_one_file, "is_late").to_csv(index=False).splitlines() == FOUND.splitlines()
    of_one_file.figures["inputs"] = ["aircraft_seats"]
    of_a_text = worth_of_inputs(f"{models}/b", of_one_file, "carrier")
    assert of_a_text.filter(like="with").to_dict("records") == [{"with carrier=B6": 0.75724, "with carrier=UA": -0.75724}]


def test_what_cannot_be_examined_is_told_with_what_to_do(models: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def sentence(*arguments: str) -> str:
        assert main(["examine", *arguments, "--run", "look"]) == 1
        return capsys.readouterr().err

    assert sentence("flight_delay") == "flight_delay has no champion yet; name a version with --version, or train it first.\n"
    entry = learned(models, by_spark=False)
    Ledger(load_settings().ledger_url).record_model(entry)
    file = models / entry.figures["training_set"]
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert f"but {entry.figures['training_set_sha256']} was registered; find out who changed it" in sentence("flight_delay", "--version", "1")
    file.unlink()
    assert "has sha256 (it is gone)" in sentence("flight_delay")
    monkeypatch.setitem(sys.modules, "dask.dataframe", None)
    assert sentence("flight_delay") == "examine needs Dask, which is not installed here; install the extra .[dask].\n"
