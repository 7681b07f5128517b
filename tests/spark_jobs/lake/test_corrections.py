"""What people have written into landed rows: which of it counts, which was not read yet, and how it is put in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import Row

from expectations.errors import RequestError
from expectations.ledger import Correction, DayEntry, FileEntry, Ledger
from expectations.loader import _load, load_lake
from expectations.review import Review
from spark_jobs.lake.quarantine.corrections import CORRECTIONS, apply, imprint, of_file, pending
from spark_jobs.lake.quarantine.editing import corrected, is_json, require_columns, require_editable, require_fit, require_one_reader, require_whole
from spark_jobs.lake.reading import MALFORMED
from tests.expectations.conftest import write_lake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

    from expectations.lake import Table

FIRST, SECOND = "2024-05-01", "2024-05-02"
BRONZE, SOLD = "bronze.sales", "silver.sales"
SHA = "ab" * 32
PIE, BUN = f"{FIRST}/{SHA[:16]}/0/3", f"{FIRST}/{SHA[:16]}/0/4"


def correction(row_id: str = PIE, **values: str | None) -> Correction:
    return Correction(BRONZE, row_id, row_id.partition("/")[0], values, "asked the baker", "mia")


# of which file


def test_a_correction_is_of_the_very_file_that_its_row_came_in() -> None:
    of_another = correction(f"{FIRST}/{'cd' * 8}/0/3", cents="1")
    taken_back = correction(BUN)
    assert of_file([correction(cents="200"), of_another, taken_back], FileEntry(BRONZE, FIRST, SHA, "sales.csv", 9)) == {PIE: {"cents": "200"}}


def test_what_a_day_was_corrected_by_is_told_by_an_imprint_and_the_number_of_rows() -> None:
    one = imprint({PIE: {"cents": "200"}})
    assert (list(one.values()), imprint({PIE: {"cents": "200"}}), imprint({})) == ([1], one, {})
    assert len({*one, *imprint({PIE: {"cents": "201"}}), *imprint({PIE: {"cents": None}}), *imprint({BUN: {"cents": "200"}})}) == 4
    assert imprint({PIE: {"cents": "1", "item": "x"}, BUN: {}}) == imprint({BUN: {}, PIE: {"item": "x", "cents": "1"}})


# which were not read yet


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Two bronze days whose files were taken and read as they came."""
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    ledger.take_files("run-1", [FileEntry(BRONZE, day, SHA, f"{day}.csv", 9) for day in (FIRST, SECOND)])
    ledger.record([DayEntry(BRONZE, day, "published", 0, "run-1", "c", "l", {}) for day in (FIRST, SECOND)], [])
    return ledger


def read_with(ledger: Ledger, corrections: dict[str, dict[str, str | None]], state: Any = "published") -> None:
    inputs = {CORRECTIONS: found} if (found := imprint(corrections)) else {}
    ledger.record([DayEntry(BRONZE, FIRST, state, 1, "run-2", "c", "l", inputs)], [])


def test_a_day_is_read_anew_where_a_row_was_corrected_since(ledger: Ledger) -> None:
    assert pending(ledger, BRONZE) == []
    ledger.decisions.correct([correction(cents="200")])
    assert pending(ledger, BRONZE) == [FIRST]
    assert pending(ledger, "bronze.tills") == []


def test_a_day_that_was_read_with_its_corrections_is_read_anew_only_where_they_change(ledger: Ledger) -> None:
    ledger.decisions.correct([correction(cents="200")])
    read_with(ledger, {PIE: {"cents": "200"}})
    assert pending(ledger, BRONZE) == []
    ledger.decisions.correct([correction(cents="250")])
    assert pending(ledger, BRONZE) == [FIRST]


def test_a_correction_that_was_taken_back_is_read_anew_too(ledger: Ledger) -> None:
    ledger.decisions.correct([correction(cents="200")])
    read_with(ledger, {PIE: {"cents": "200"}})
    ledger.decisions.correct([correction()])
    assert pending(ledger, BRONZE) == [FIRST]
    read_with(ledger, {})
    assert pending(ledger, BRONZE) == []


def test_a_day_that_was_held_when_it_was_read_is_read_anew(ledger: Ledger) -> None:
    ledger.decisions.correct([correction(cents="200")])
    read_with(ledger, {PIE: {"cents": "200"}}, "held")
    assert pending(ledger, BRONZE) == [FIRST]


def test_a_correction_of_an_older_file_of_the_day_is_nothing_to_read(ledger: Ledger) -> None:
    ledger.decisions.correct([correction(f"{FIRST}/{'cd' * 8}/0/3", cents="200")])
    assert pending(ledger, BRONZE) == []


def test_a_day_that_was_never_read_is_not_read_for_a_correction(ledger: Ledger) -> None:
    ledger.decisions.correct([correction(f"2024-05-09/{SHA[:16]}/0/3", cents="200")])
    assert pending(ledger, BRONZE) == []


# what a request writes


def edit(values: str, *rows: str) -> Review:
    return Review.of("edit", rows=",".join(rows), values=values, reason="asked the baker", who="mia")


def test_edits_of_one_row_add_up_and_an_empty_one_takes_them_back() -> None:
    known = {PIE: correction(cents="300", item="pie")}
    assert corrected(BRONZE, edit('{"cents": "300"}', PIE), {}) == [correction(cents="300")]
    assert corrected(BRONZE, edit('{"sold_on": null}', PIE), known) == [correction(cents="300", item="pie", sold_on=None)]
    assert corrected(BRONZE, edit('{"cents": "5"}', PIE), known) == [correction(cents="5", item="pie")]
    assert corrected(BRONZE, edit("{}", PIE), known) == [correction()]


def test_an_edit_of_several_rows_adds_to_what_each_of_them_has() -> None:
    known = {PIE: correction(item="pie")}
    assert corrected(BRONZE, edit('{"cents": "5"}', PIE, BUN), known) == [correction(item="pie", cents="5"), correction(BUN, cents="5")]


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[dict[str, Table]]:
    write_lake(tmp_path, {})
    yield load_lake(tmp_path).tables
    _load.cache_clear()


def test_a_column_that_the_file_s_table_has_not_is_refused(lake: dict[str, Table]) -> None:
    require_columns(lake[BRONZE], ["sold_on", "item", "cents"])
    with pytest.raises(RequestError) as caught:
        require_columns(lake[BRONZE], ["cents", "cent"])
    assert str(caught.value) == "bronze.sales has no column 'cent'; it has sold_on, item, cents. Did you mean \"cents\"?"


@pytest.mark.parametrize(
    ("text", "fits"), [('{"page": "2"}', True), ("[1, 2]", True), ("{}", True), ("2", False), ('"page"', False), ("page: 2", False), ("", False)]
)
def test_a_nested_value_is_written_as_json(*, text: str, fits: bool) -> None:
    assert is_json(text) is fits


def test_a_text_that_is_not_of_its_column_s_type_is_refused_and_a_nested_value_is_judged_as_json(tmp_path: Path, spark: SparkSession) -> None:
    logs = """
        contract: 1
        description: What users did, one JSON object a line.
        source: {folder: logs, format: jsonl}
        columns: {user_id: {type: bigint}, action: {type: string}, params: {type: "map<string,string>"}}
        """
    write_lake(tmp_path, {"expectations/bronze/logs.yaml": logs})
    table = load_lake(tmp_path).table("bronze.logs")
    require_fit(spark, table, {"user_id": "7", "action": None, "params": '{"page": "2"}'})
    for values, told in (({"params": "{}", "user_id": "x"}, "'x' is no bigint, the type of user_id"), ({"user_id": "7", "params": "2"}, "'2' is no map")):
        with pytest.raises(RequestError) as caught:
            require_fit(spark, table, dict(values))
        assert str(caught.value).startswith(f"bronze.logs: {told}")


def test_a_record_that_could_not_be_split_needs_all_its_columns(lake: dict[str, Table]) -> None:
    rows = [Row(_id=PIE, _rules=[f"type({MALFORMED})"]), Row(_id=BUN, _rules=["type(cents)"])]
    with pytest.raises(RequestError) as caught:
        require_whole(lake[BRONZE], rows, {PIE: {"cents": "5"}, BUN: {"cents": "5"}})
    assert str(caught.value) == f"bronze.sales: {PIE} could not be split into columns, so it needs all of them; add sold_on, item."
    require_whole(lake[BRONZE], rows, {PIE: {"sold_on": None, "item": "bun", "cents": "5"}, BUN: {"cents": "5"}})


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (Row(_id="e3b0", _row=None, _state="waiting"), "1 rows cannot be traced to a landed file, for example e3b0; carry `_row` over in "),
        (Row(_id="e3b0", _row=None, _state="discarded"), "1 rows cannot be traced to a landed file, for example e3b0; carry `_row` over in "),
        (Row(_id=PIE, _row=PIE, _state="discarded"), f"discarded rows are not edited: {PIE}; reopen them first."),
    ],
)
def test_a_row_without_a_file_and_one_that_was_discarded_are_not_edited(lake: dict[str, Table], row: Row, sentence: str) -> None:
    require_editable(lake[SOLD], [Row(_id=BUN, _row=BUN, _state="waiting"), Row(_id=BUN, _row=BUN, _state="reopened")])
    with pytest.raises(RequestError) as caught:
        require_editable(lake[SOLD], [Row(_id=BUN, _row=BUN, _state="waiting"), row])
    assert str(caught.value).startswith(f"silver.sales: {sentence}")


def test_a_row_of_a_file_that_two_bronze_tables_read_is_not_edited() -> None:
    names = [BRONZE, "bronze.tills"]
    require_one_reader(SOLD, names, [PIE, BUN], {BRONZE: {PIE}, "bronze.tills": {BUN}})
    with pytest.raises(RequestError) as both:
        require_one_reader(SOLD, names, [PIE, BUN], {BRONZE: {PIE, BUN}, "bronze.tills": {BUN}})
    told = f"{BUN} was read by bronze.sales and by bronze.tills, so it cannot be told which to correct; land a corrected file instead."
    assert str(both.value) == f"silver.sales: {told}"
    with pytest.raises(RequestError) as neither:
        require_one_reader(SOLD, names, [PIE], {})
    assert str(neither.value) == "silver.sales: the rows are in none of bronze.sales, bronze.tills any more; build silver.sales again."


# how it is put in


def test_texts_become_values_of_the_file_s_own_types_and_what_was_there_is_kept_as_text(spark: SparkSession) -> None:
    landed = [
        ("untouched", "tea", 300, {"page": "1"}, 1.5, None),
        ("cents", "pie", -2, None, 2.5, None),
        ("nested", "pie", None, {"page": "1"}, None, None),
        ("null", "pie", 3, {"page": "1"}, 2.5, None),
        ("no number", "pie", 3, None, None, None),
        ("split", None, None, None, None, "2024-05-01,short"),
        ("half split", None, None, None, None, "2024-05-01,half"),
    ]
    rows = spark.createDataFrame(landed, "_row string, item string, cents bigint, params map<string,string>, weight double, _corrupt string")
    everything: dict[str, str | None] = {"item": "bun", "cents": "5", "params": None, "weight": "0.5"}
    written: dict[str, dict[str, str | None]] = {
        "cents": {"cents": "2"},
        "nested": {"params": '{"page": "2"}', "cents": "7"},
        "null": {"item": None, "params": None},
        "no number": {"cents": "many"},
        "split": everything,
        "half split": {"cents": "5"},
        "of another file": {"cents": "9"},
    }
    columns = ["item", "cents", "params", "weight"]
    found = {row[0]: tuple(row)[1:] for row in apply(rows, columns, written).collect()}
    said = {name: json.loads(values[-1]) if values[-1] else None for name, values in found.items()}
    assert {name: values[:-1] for name, values in found.items()} == {
        "untouched": ("tea", 300, {"page": "1"}, 1.5, None),
        "cents": ("pie", 2, None, 2.5, None),
        "nested": ("pie", 7, {"page": "2"}, None, None),
        "null": (None, 3, None, 2.5, None),
        "no number": ("pie", None, None, None, None),
        "split": ("bun", 5, None, 0.5, None),
        "half split": (None, 5, None, None, "2024-05-01,half"),
    }
    assert said == {
        "untouched": None,
        "cents": {"cents": "-2"},
        "nested": {"cents": None, "params": '{"page":"1"}'},
        "null": {"item": "pie", "params": '{"page":"1"}'},
        "no number": {"cents": "3"},
        "split": {"item": None, "cents": None, "params": None, "weight": None, "_corrupt": "2024-05-01,short"},
        "half split": {"cents": None, "_corrupt": "2024-05-01,half"},
    }


def test_rows_of_which_none_is_corrected_have_the_column_too(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("a", "tea", None)], "_row string, item string, _corrupt string")
    assert [tuple(row) for row in apply(rows, ["item"], {}).collect()] == [("a", "tea", None, None)]
