"""The README's first own table by its commands, as a user types them. tests/test_readme.py runs the same jobs without `make` and a running lake."""

from __future__ import annotations

import shlex
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.readme import job_lines, rows, write_lake

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.running_lake import RunningLake


@pytest.mark.end_to_end
@pytest.mark.timeout(900)
def test_the_first_own_table_is_published_and_the_pie_comes_back_by_the_commands_of_the_readme(lake: RunningLake, tmp_path: Path) -> None:
    my_lake = write_lake(tmp_path)
    mine = {"LAKE_PROJECT": str(my_lake), "LAKE_STATE": "", "LAKE_ROOT": "", "LAKE_LANDING": ""}
    checked = lake.make("check-lake", **mine)
    assert (checked.returncode, checked.stdout) == (0, f"{my_lake}: 3 tables, 0 models, 1 pipelines: all well.\n"), checked.stderr
    first, second = job_lines()
    for lines, takings in ((first, Decimal("7.50")), (second, Decimal("10.00"))):
        for line in lines:
            ended = lake.make("job", f"DO={shlex.split(line)[0]}", **mine)
            assert ended.returncode == 0, ended.stdout + ended.stderr
        assert [row["takings"] for row in rows(my_lake, "gold/daily_sales")] == [takings]
    assert rows(my_lake, "_quarantine/silver/sales") == []
