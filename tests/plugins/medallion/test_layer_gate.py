from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expectations.errors import LayerError
from expectations.ledger import Attempt, DayEntry, Ledger
from medallion.layer_gate import judge_layer

if TYPE_CHECKING:
    from pathlib import Path

RUN = "shop_daily/1"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(f"sqlite:///{tmp_path}/ledger.db")


def job(ledger: Ledger, table: str, status: str, held: tuple[str, ...] = ()) -> None:
    days = ["2013-01-01", "2013-01-02"]
    entries = [DayEntry(table, day, "held" if day in held else "published", 4, RUN, "c", "l", {}, rows_out=100, rows_quarantined=3) for day in days]
    ledger.record(entries, [])
    ledger.note(Attempt(RUN, table, status, f"{table} said so", days))


def test_a_layer_passes_with_a_line_for_each_table(ledger: Ledger) -> None:
    job(ledger, "silver.visits", "done")
    ledger.note(Attempt(RUN, "silver.shops", "unchanged", "nothing new", []))
    lines, verdicts = judge_layer(ledger, RUN, "silver", {"silver.visits": "success", "silver.shops": "success"})
    assert lines == [
        "silver.visits done; 2 days published, 200 rows, 6 quarantined; silver.visits said so",
        "silver.shops unchanged; nothing new",
    ]
    assert verdicts[0]["quarantined"] == 6


def test_rows_that_belong_to_no_day_are_counted_as_quarantined(ledger: Ledger) -> None:
    job(ledger, "silver.visits", "done")
    ledger.note(Attempt(RUN, "silver.visits", "done", "one row did not parse", ["2013-01-01"], {"rows_quarantined": 7}))
    assert judge_layer(ledger, RUN, "silver", {"silver.visits": "success"})[1][0]["quarantined"] == 7


def test_a_held_day_fails_the_layer_and_is_named(ledger: Ledger) -> None:
    job(ledger, "silver.visits", "held", held=("2013-01-02",))
    with pytest.raises(LayerError, match=r"silver: 1 of 1 tables are not as asked: silver.visits held; .*held: 2013-01-02"):
        judge_layer(ledger, RUN, "silver", {"silver.visits": "failed"})


def test_a_table_that_never_ran_fails_the_layer(ledger: Ledger) -> None:
    with pytest.raises(LayerError, match=r"gold\.days not run; an input was held"):
        judge_layer(ledger, RUN, "gold", {"gold.days": "upstream_failed"})


def test_the_last_try_of_the_run_counts(ledger: Ledger) -> None:
    job(ledger, "silver.visits", "held", held=("2013-01-02",))
    job(ledger, "silver.visits", "done")
    assert judge_layer(ledger, RUN, "silver", {"silver.visits": "success"})[1][0]["status"] == "done"


def test_an_earlier_try_does_not_speak_for_one_that_broke_off(ledger: Ledger) -> None:
    job(ledger, "silver.visits", "done")
    with pytest.raises(LayerError, match=r"silver\.visits failed; its log says why"):
        judge_layer(ledger, RUN, "silver", {"silver.visits": "failed"})
