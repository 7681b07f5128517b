"""One fault a lake, and the sentence that the loader says of it: pipelines."""

from __future__ import annotations

import pytest

from tests.expectations.conftest import (
    PIPELINES,
    Change,
    Refusal,
)

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
    pytest.param({PIPELINES: ("  first_day: 2024-05-01\n", "")}, "expectations/pipelines.yaml:1: the key 'first_day' is missing; add it.", id="no first day"),
]


@pytest.mark.parametrize(("changes", "sentence"), PIPELINES_WRONG)
def test_a_fault_of_a_pipeline_is_told_in_one_sentence(refusal: Refusal, changes: dict[str, Change], sentence: str) -> None:
    assert refusal(changes) == sentence
