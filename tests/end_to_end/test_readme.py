"""What the README shows, done as it says: the first own table, the commands, the way back in time."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from launcher.layout import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.running_lake import RunningLake

README = (REPOSITORY / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for found, _, text in BLOCKS if found == language]


@pytest.fixture(scope="module")
def my_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the README names, in a folder."""
    home = tmp_path_factory.mktemp("readme")
    files = [(place, text) for _, place, text in BLOCKS if place]
    assert len(files) == 7
    for place, text in files:
        (home / place).parent.mkdir(parents=True, exist_ok=True)
        (home / place).write_text(text)
    return home / "my-lake"


def test_make_help_lists_every_target_that_the_readme_names() -> None:
    shown = subprocess.run(["make", "--no-print-directory", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"^  make ([a-z-]+)", shown, flags=re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, flags=re.MULTILINE))
    assert {"demo", "test", "up", "down", "clean", "help", "check-lake", "job"} <= named
    assert named <= listed


@pytest.mark.end_to_end
@pytest.mark.timeout(900)
def test_the_first_own_table_is_published_by_the_commands_of_the_readme(lake: RunningLake, my_lake: Path) -> None:
    mine = {"LAKE_PROJECT": str(my_lake), "LAKE_STATE": "", "LAKE_ROOT": "", "LAKE_LANDING": ""}
    checked = lake.make("check-lake", **mine)
    assert (checked.returncode, checked.stdout) == (0, f"{my_lake}: 3 tables, 0 models, 1 pipelines: all well.\n"), checked.stderr
    for command in blocks("console")[0].splitlines():
        words = re.fullmatch(r'make job DO="(.*)"', command)
        assert words, command
        ended = lake.make("job", f"DO={words[1]}", **mine)
        assert ended.returncode == 0, ended.stdout + ended.stderr

    assert rows(my_lake, "gold/daily_sales") == [{"sold_on": "2024-05-01", "sales": 2, "takings": Decimal("7.50")}]
    assert [(row["item"], row["price"]) for row in rows(my_lake, "silver/sales")] == [("cake", Decimal("4.50")), ("tea", Decimal("3.00"))]
    (pie,) = rows(my_lake, "_quarantine/silver/sales")
    assert (pie["_rules"], pie["_source_line"], pie["_state"]) == (["type(price)"], 4, "waiting")
    assert pie["_source_file"].endswith("sales/2024-05-01.csv")
    assert json.loads(pie["_values"]) == {"sold_on": "2024-05-01", "item": "pie", "price": "free"}


@pytest.mark.end_to_end
@pytest.mark.timeout(900)
def test_the_pie_comes_back_by_the_commands_of_the_readme(lake: RunningLake, my_lake: Path) -> None:
    mine = {"LAKE_PROJECT": str(my_lake), "LAKE_STATE": "", "LAKE_ROOT": "", "LAKE_LANDING": ""}
    said = []
    for command in [*blocks("console")[0].splitlines(), *blocks("console")[1].splitlines()]:
        _, _, words = shlex.split(command)
        ended = lake.make("job", words, **mine)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        said.append(ended.stdout)
    assert "silver.sales: 1 row waits in quarantine, 0 discarded" in said[3]
    assert rows(my_lake, "gold/daily_sales") == [{"sold_on": "2024-05-01", "sales": 3, "takings": Decimal("10.00")}]
    assert rows(my_lake, "_quarantine/silver/sales") == []


def rows(my_lake: Path, table: str) -> list[dict[str, Any]]:
    """The table's rows, sorted, as any Delta reader gives them; days as texts."""
    from deltalake import DeltaTable

    found = DeltaTable(my_lake / "data_lake" / table).to_pyarrow_table().to_pylist()
    texts = [{name: str(value) if name == "sold_on" else value for name, value in row.items()} for row in found]
    return sorted(texts, key=lambda row: str(row.get("item")))


@pytest.mark.end_to_end
@pytest.mark.timeout(1800)
def test_earlier_versions_are_read_as_the_readme_shows(published: RunningLake) -> None:
    from deltalake import DeltaTable
    from pyspark.sql import SparkSession

    table = published.root / "gold" / "daily_flights"
    first = min(DeltaTable(table).history(), key=lambda commit: commit["version"])
    by_version, by_time = blocks("python")[-1].splitlines()
    spark = SparkSession.builder.remote(published.spark_address).create()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        for line, shown, meant in ((by_version, r'"3"', '"0"'), (by_time, r'"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"', f'"{written_by(first["timestamp"])}"')):
            moved, changed = re.subn(shown, meant, line.replace("data_lake/gold/daily_flights", str(table)))
            assert changed == 1, line
            earlier = eval(moved, {"spark": spark})  # noqa: S307 - a line of our own README
            assert earlier.count() == 31
    finally:
        spark.stop()


def written_by(milliseconds: int) -> str:
    """The first full second after a commit, in UTC, as the README writes a time."""
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(milliseconds // 1000 + 1, UTC):%Y-%m-%d %H:%M:%S}"
