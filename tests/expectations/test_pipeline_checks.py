"""One fault a lake, and the sentence that the loader says of it: pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expectations.loader import load_lake
from expectations.pipeline_checks import waits_for_nobody
from tests.expectations.conftest import (
    PIPELINES,
    Change,
    Refusal,
    write_lake,
)

if TYPE_CHECKING:
    from pathlib import Path

PIPELINES_WRONG = [
    pytest.param(
        {PIPELINES: ("- gold.totals", "- gold.total")},
        ('expectations/pipelines.yaml:8: there is no table gold.total. Did you mean "gold.totals"? Its contract would be expectations/gold/total.yaml.'),
        id="an unknown table",
    ),
    pytest.param(
        {PIPELINES: ("America/New_York", "America/Boston")},
        "expectations/pipelines.yaml:10: 'America/Boston' is no time zone; write one like America/New_York.",
        id="an unknown time zone",
    ),
    pytest.param(
        {PIPELINES: ("America/New_York", "../etc")},
        "expectations/pipelines.yaml:10: '../etc' is no time zone; write one like America/New_York.",
        id="a time zone that is a path",
    ),
    pytest.param(
        {PIPELINES: ("America/New_York", "America")},
        "expectations/pipelines.yaml:10: 'America' is no time zone; write one like America/New_York.",
        id="half a time zone",
    ),
    pytest.param(
        {PIPELINES: ("0 6 * * *", "every morning")},
        ("expectations/pipelines.yaml:9: 'every morning' is no cron expression of five fields; write one like \"0 6 * * *\", six in the morning."),
        id="a schedule in words",
    ),
    pytest.param(
        {PIPELINES: ("0 6 * * *", "0 25 * * *")},
        ("expectations/pipelines.yaml:9: '0 25 * * *' is no cron expression of five fields; write one like \"0 6 * * *\", six in the morning."),
        id="a schedule at 25 o'clock",
    ),
    pytest.param(
        {PIPELINES: ("0 6 * * *", "0 0 6 * * *")},
        ("expectations/pipelines.yaml:9: '0 0 6 * * *' is no cron expression of five fields; write one like \"0 6 * * *\", six in the morning."),
        id="a schedule of six fields",
    ),
    pytest.param(
        {PIPELINES: ("0 6 * * *", "0 0 30 2 *")},
        ("expectations/pipelines.yaml:9: '0 0 30 2 *' never fires, for no month has such a day; write one time of the day, like \"0 6 * * *\"."),
        id="a schedule on a day that no calendar has",
    ),
    pytest.param(
        {PIPELINES: ("0 6 * * *", "@daily")},
        "expectations/pipelines.yaml:9: schedule: String should have at least 9 characters (found '@daily').",
        id="a schedule by a nickname",
    ),
    pytest.param(
        {PIPELINES: ("2024-05-31", "2024-04-30")},
        "expectations/pipelines.yaml:12: last_day 2024-04-30 is before first_day 2024-05-01.",
        id="a last day before the first",
    ),
    pytest.param(
        {PIPELINES: ("2024-05-31", "2024-02-31")},
        "expectations/pipelines.yaml:12: day is out of range for month; mend the value, or put it in quotes.",
        id="a day that no calendar has",
    ),
    pytest.param(
        {PIPELINES: ("    - silver.shops\n", "")},
        ("expectations/pipelines.yaml:6: silver.sales reads silver.shops, which no pipeline builds; add it to the tables."),
        id="a table whose input nobody builds",
    ),
    pytest.param(
        {PIPELINES: ("- gold.totals", "- silver.sales")},
        "expectations/pipelines.yaml:8: silver.sales stands twice in this pipeline; build it in one place.",
        id="a table twice",
    ),
    pytest.param(
        {PIPELINES: ("  last_day: 2024-05-31\n", "\nother:\n  tables: [bronze.sales]\n  first_day: 2024-05-01\n")},
        "expectations/pipelines.yaml:14: bronze.sales stands in the pipeline shop too; build it in one place.",
        id="a table in two pipelines",
    ),
    pytest.param(
        {PIPELINES: ("    - bronze.sales\n    - bronze.shops\n    - silver.shops\n    - silver.sales\n    - gold.totals\n", "    []\n")},
        "expectations/pipelines.yaml:3: tables: List should have at least 1 item after validation, not 0.",
        id="no tables",
    ),
    pytest.param(
        {PIPELINES: ("2024-05-31", '"2024-02-31"')},
        ("expectations/pipelines.yaml:12: last_day: Input should be a valid date or datetime, day value is outside expected range (found '2024-02-31')."),
        id="a text of a day that no calendar has",
    ),
    pytest.param(
        {PIPELINES: ("2024-05-31", "20476800")},
        "expectations/pipelines.yaml:12: last_day: it is no date; write it as YYYY-MM-DD, for example 2013-01-31 (found 20476800).",
        id="a number, which would be seconds since 1970",
    ),
    pytest.param({PIPELINES: ("  first_day: 2024-05-01\n", "")}, "expectations/pipelines.yaml:1: the key 'first_day' is missing; add it.", id="no first day"),
]


@pytest.mark.parametrize(("changes", "sentence"), PIPELINES_WRONG)
def test_a_fault_of_a_pipeline_is_told_in_one_sentence(refusal: Refusal, changes: dict[str, Change], sentence: str) -> None:
    assert refusal(changes) == sentence


@pytest.mark.parametrize(
    ("schedule", "times"),
    [
        ("0 6,18 * * *", 2),
        ("*/30 6 * * *", 2),
        ("0 * * * *", 24),
        ("0 */6 * * *", 4),
        ("15,45 6-9 * * 1-5", 8),
        ("* * * * *", 1440),
        ("0 6-6 * * *", 24),  # to croniter, and so to Airflow, a range from 6 to 6 is every hour
        ("0 0,12 1 * *", 2),
    ],
)
def test_a_schedule_more_often_than_daily_is_refused(refusal: Refusal, schedule: str, times: int) -> None:
    assert refusal({PIPELINES: ("0 6 * * *", schedule)}) == (
        f"expectations/pipelines.yaml:9: {schedule!r} fires {times} times a day, but a run is for a whole day, the one before it; "
        'write one time of the day, like "0 6 * * *".'
    )


@pytest.mark.parametrize("schedule", ["0 6 * * *", "59 23 * * *", "0 6,6 * * *", "0 */24 * * *", "0 6 * * 1-5", "0 6 1 * *", "0 6 29 2 *"])
def test_a_schedule_that_fires_at_most_once_a_day_is_taken(tmp_path: Path, schedule: str) -> None:
    write_lake(tmp_path, {PIPELINES: ("0 6 * * *", schedule)})
    assert load_lake(tmp_path).pipeline("shop").schedule == schedule


OF_TWO = """
    shop:
      tables: [bronze.sales, bronze.shops, silver.shops, silver.sales]
      first_day: 2024-05-01
    reporting:
      tables: [gold.totals]
      first_day: 2024-05-01
"""


@pytest.mark.parametrize(
    ("pipelines", "said"),
    [
        (None, []),
        (
            OF_TWO,
            [
                "the pipeline reporting reads silver.sales, which the pipeline shop builds, and does not run when that is published: it runs by its own "
                "schedule. Let it be later than that of shop, and run a day again that was not there yet; or build both in one pipeline."
            ],
        ),
    ],
)
def test_a_pipeline_that_reads_another_ones_table_is_said_to_run_by_its_own_schedule(tmp_path: Path, pipelines: str | None, said: list[str]) -> None:
    write_lake(tmp_path, {PIPELINES: pipelines} if pipelines else {})
    assert waits_for_nobody(load_lake(tmp_path)) == said
