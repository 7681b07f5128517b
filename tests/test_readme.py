"""What the README shows: its targets, the first own table, the row that comes back, and the way back in time. tests/end_to_end uses `make`."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from expectations.__main__ import main as expectations_main
from launcher.layout import REPOSITORY
from tests.readme import README, blocks, job_lines, rows, write_lake

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture
def my_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the README names, in a folder, and the environment that it exports."""
    folder = write_lake(tmp_path)
    for name in ("LAKE_ENV", "LAKE_STATE", "LAKE_ROOT", "LAKE_LANDING", "LAKE_LEDGER_URL", "LAKE_METASTORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAKE_PROJECT", str(folder))
    monkeypatch.setenv("LAKE_METASTORE", "off")
    return folder


def test_make_help_lists_every_target_that_the_readme_and_the_page_for_contributors_name() -> None:
    shown = subprocess.run(["make", "--no-print-directory", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"^  make ([a-z-]+)", shown, flags=re.MULTILINE))
    named, contributors = (
        set(re.findall(r"(?:^|`)make ([a-z-]+)", text, flags=re.MULTILINE)) for text in (README, (REPOSITORY / "CONTRIBUTING.md").read_text())
    )
    assert {"demo", "test", "up", "down", "clean", "help", "check-lake", "job"} <= named
    assert {"check", "test", "test-all", "test-changed", "test-fast", "planted"} == contributors
    assert named | contributors <= listed


def test_the_contracts_of_the_readme_are_well(my_lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert expectations_main(["check"]) == 0
    assert capsys.readouterr().out == f"{my_lake}: 3 tables, 0 models, 1 pipelines: all well.\n"


def test_every_command_of_the_readme_is_a_job() -> None:
    from spark_jobs.run import parse

    asked = [parse([*words_of(line), "--run", "by-hand"])[0] for lines in job_lines() for line in lines]
    assert [(job.verb, job.name, job.days, job.review.action if job.review else None) for job in asked] == [
        *[("build", table, "2024-05-01", None) for table in ("bronze.sales", "silver.sales", "gold.daily_sales")],
        *[("quarantine", "silver.sales", None, action) for action in ("look", "edit", "replay")],
        ("build", "gold.daily_sales", "2024-05-01", None),
    ]
    edit = asked[4].review
    assert edit
    assert (edit.values, edit.reason) == ({"price": "2.50"}, "asked the baker")
    consoles = sum(text.count("\n") for text in blocks("console"))
    assert consoles == len(asked)


def test_the_first_own_table_is_published_the_pie_comes_back_and_earlier_versions_are_read(
    spark_remote: str, spark: SparkSession, my_lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = job_lines()
    for line in first:
        said_by(line, spark_remote, capsys)
    assert rows(my_lake, "gold/daily_sales") == [{"sold_on": "2024-05-01", "sales": 2, "takings": Decimal("7.50")}]
    assert [(row["item"], row["price"]) for row in rows(my_lake, "silver/sales")] == [("cake", Decimal("4.50")), ("tea", Decimal("3.00"))]
    (pie,) = rows(my_lake, "_quarantine/silver/sales")
    assert (pie["_rules"], pie["_source_line"], pie["_state"]) == (["type(price)"], 4, "waiting")
    assert pie["_source_file"].endswith("sales/2024-05-01.csv")
    assert json.loads(pie["_values"]) == {"sold_on": "2024-05-01", "item": "pie", "price": "free"}

    said = [said_by(line, spark_remote, capsys) for line in second]
    assert "silver.sales: 1 row waits in quarantine, 0 discarded" in said[0]
    assert rows(my_lake, "gold/daily_sales") == [{"sold_on": "2024-05-01", "sales": 3, "takings": Decimal("10.00")}]
    assert rows(my_lake, "_quarantine/silver/sales") == []

    shown = as_shown(spark, my_lake / "data_lake" / "gold" / "daily_sales")
    assert [[row["sales"] for row in rows.collect()] for rows in shown] == [[3], [2], [2]]


def words_of(line: str) -> list[str]:
    """What `make job` makes of the words in quotes: the shell takes the quotes away twice."""
    return shlex.split(shlex.split(line)[0])


def said_by(line: str, remote: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Runs a command of the README on the tests' Spark server, and returns what it said."""
    from spark_jobs.run import main

    code = main([*words_of(line), "--run", f"by-hand-{datetime.now(UTC):%H%M%S%f}", "--remote", remote])
    said = capsys.readouterr()
    assert code == 0, said.err
    return said.out


def as_shown(spark: SparkSession, table: Path) -> list[Any]:
    """The table now, and as its first commit left it by version and by time: by the README's lines, which are for another table and another time."""
    from deltalake import DeltaTable

    first = min(DeltaTable(table).history(), key=lambda commit: commit["version"])
    ours = {"gold.daily_flights": "gold.daily_sales", "data_lake/gold/daily_flights": str(table), "at=3": "at=0"}
    load, _, *lines = blocks("python")[-1].splitlines()
    known: dict[str, Any] = {"spark": spark}
    exec(load, known)  # noqa: S102 - a line of our own README
    found = []
    for line in lines:
        moved = re.sub(r'"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"', f'"{second_after(first["timestamp"])}"', line)
        for shown, meant in ours.items():
            moved = moved.replace(shown, meant)
        assert moved != line
        found.append(eval(moved, known))  # noqa: S307 - as above
    return found


def second_after(milliseconds: int) -> str:
    """The first full second after a commit, in UTC, as the README writes a time."""
    return f"{datetime.fromtimestamp(milliseconds // 1000 + 1, UTC):%Y-%m-%d %H:%M:%S}"
