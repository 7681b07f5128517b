"""The connection type `spark`: the same table, built by spark-submit in a Java process of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from pandas.testing import assert_frame_equal

from tests.debian_packages import require_package

if TYPE_CHECKING:
    from tests.end_to_end.running_lake import RunningLake

NEEDED = (17, 21)
DAY = "2013-01-10"


def java_version() -> int:
    """The first number of the version of `java` on PATH; 0 where there is none."""
    if not shutil.which("java"):
        return 0
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0


@pytest.fixture(scope="session")
def java() -> None:
    """On PATH, for spark-submit."""
    require_package("openjdk-17-jre-headless", is_here=java_version() in NEEDED)


@pytest.mark.end_to_end
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("java")
def test_a_table_built_by_spark_submit_is_the_one_built_over_spark_connect(published: RunningLake) -> None:
    over_connect = published.frame("gold.carrier_days")
    rows = int((over_connect.flight_date.astype(str) == DAY).sum())
    before = published.versions()
    assert published.run("by_spark_submit", "local", table="gold.carrier_days", days=f"{DAY}..{DAY}") == "success"

    version = before["gold/carrier_days"] + 1
    assert published.versions() == {**before, "gold/carrier_days": version}
    entry = published.ledger.days("gold.carrier_days", [DAY])[DAY]
    assert (entry.run_id, entry.version, entry.rows_out) == ("by_spark_submit/local", version, rows)
    log = published.log("by_spark_submit", "local", "build")
    assert "spark-submit --master local[2]" in log
    assert f"gold.carrier_days: {rows} rows of {DAY} published as version {version}" in log
    sides = [frame.sort_values(["flight_date", "carrier"]).reset_index(drop=True) for frame in (published.frame("gold.carrier_days"), over_connect)]
    assert_frame_equal(*sides)
