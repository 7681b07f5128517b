"""A run of the real engine, and what its report says of it."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from expectations.settings import load_settings

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake


def page(lake: LittleLake, name: str, run_id: str = "run-1") -> str:
    """A page of the report of a run, as it is read."""
    result = lake.run("report", "silver.sales", run_id=run_id)
    assert result.status == "done", result.message
    folder = result.facts["report"].removesuffix("/index.html")
    assert folder.startswith(f"{load_settings().root}/_reports/")
    with open(f"{folder}/{name}") as file:
        body = re.sub(r"<style>.*?</style>", "", file.read(), flags=re.DOTALL)
    words = " ".join(re.sub(r"<[^>]+>", " ", body).split())
    return re.sub(r" ([,:])", r"\1", html.unescape(words))


def test_a_run_that_published_a_day_and_held_another_is_reported_as_it_was(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", "sold_on,item,cents", "2024-05-01,tea,300", "2024-05-01,cake,2000")
    shop.land("sales/2024-05-02.csv", "sold_on,item,cents", *(f"2024-05-02,{item},1" for item in ("tea", "cake", "pie", "jam")))
    shop.build("bronze.sales", "2024-05-01..2024-05-02")
    assert shop.run("build", "silver.sales", "2024-05-01..2024-05-02").status == "held"
    run, table = page(shop, "index.html"), page(shop, "silver.sales.html")
    assert "bronze.sales done 2024-05-01..2024-05-02 6 0 0 of 2" in run
    assert "silver.sales held 2024-05-01 2024-05-02 1 1 2 of 10 1 rows of 2024-05-01 published" in run
    assert "2024-05-01: published, 2 rows judged, 1 good, 1 quarantined, 0 dropped, 1 of 5 rules broken" in table
    assert "2024-05-02: held, 4 rows judged, 4 good, 0 quarantined, 0 dropped, 1 of 5 rules broken not_too_many: found 4, expected" in table
    assert "fair_price cents values must be greater than or equal to 0 and less than or equal to 1000. quarantine 1 of 2" in table
    assert "grain Values for given compound columns must be unique together: sold_on, item stop 0 of 2" in table
