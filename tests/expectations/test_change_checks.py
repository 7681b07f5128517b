"""Tables that are kept by changes: deletes and snapshots that would be wrong in silence are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from expectations.change_checks import TELL_DELETED_ROWS
from expectations.contract import TableContract
from expectations.loader import load_lake
from tests.expectations.conftest import (
    BRONZE_SALES,
    BRONZE_SHOPS,
    GOLD_TOTALS,
    MODEL,
    SILVER_SALES,
    SILVER_SHOPS,
    Change,
    Refusal,
    write_lake,
)

if TYPE_CHECKING:
    from expectations.lake import Table

BRONZE_CDC, MERGED, MERGED_LOGIC = "expectations/bronze/cdc.yaml", "expectations/silver/people.yaml", "spark_jobs/silver/people.sql"
CDC = """
    contract: 1
    description: Changes of customers as they arrive, one JSON record a change.
    source: {folder: cdc, format: jsonl}
    columns:
      op: {type: string}
      seq: {type: bigint}
      after: {type: "struct<id:int,name:string>"}
    """
PEOPLE = """
    contract: 1
    description: Customers as they are now. One row per customer.
    inputs: [bronze.cdc]
    grain: [id]
    write: merge
    order_by: seq
    columns:
      id: {type: int, nullable: false}
      name: {type: string}
      seq: {type: bigint, nullable: false}
    """
HISTORY = PEOPLE.replace("write: merge", "write: scd2\n    feed: changes")
GOLD_HEALTH = "expectations/gold/health.yaml"
HEALTH = """
    contract: 1
    description: How the models are doing. One row a day, version and figure.
    inputs: [bronze.sales]
    grain: [watched_on, model_name, model_version, measure, measure_of]
    day: watched_on
    write: merge
    order_by: measured_at
    columns:
      watched_on: {type: date, nullable: false}
      model_name: {type: string}
      model_version: {type: int}
      measure: {type: string}
      measure_of: {type: string}
      value: {type: double}
      rows: {type: bigint}
      made_from: {type: string}
      measured_at: {type: timestamp}
    """
LOGIC = "SELECT after.id AS id, after.name AS name, seq FROM bronze_cdc"


def people(contract: str = PEOPLE, cdc: str = CDC) -> dict[str, Change]:
    """The good lake with customers that are kept by changes."""
    return {BRONZE_CDC: cdc, MERGED: contract, MERGED_LOGIC: LOGIC}


def loaded(folder: Path, changes: dict[str, Change], name: str = "silver.people") -> Table:
    write_lake(folder, changes)
    return load_lake(folder).table(name)


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        ("op: {type: string}", "op"),
        ("Op: {type: string}", "Op"),
        ("_op: {type: string}", "_op"),
        ("__op: {type: string}", "__op"),
        ("deleted: {type: boolean}", "deleted"),
        ("is_deleted: {type: int}", "is_deleted"),
        ("__deleted: {type: string}", "__deleted"),
        ("__DELETED: {type: string}", "__DELETED"),
        ('payload: {type: "struct<before:struct<id:int>,op:string>"}', "payload.op"),
        ('rows: {type: "array<struct<id:int,__deleted:string>>"}', "rows.__deleted"),
    ],
)
@pytest.mark.parametrize("contract", [PEOPLE, HISTORY], ids=["merge", "scd2"])
def test_a_feed_that_tells_deleted_rows_is_refused_where_they_would_stay(refusal: Refusal, contract: str, column: str, shown: str) -> None:
    write = "merge" if contract is PEOPLE else "scd2"
    assert refusal(people(contract, CDC.replace("op: {type: string}", column))) == (
        f"expectations/silver/people.yaml:3: bronze.cdc has '{shown}', which tells deleted rows, but {write} deletes none: a row "
        "that was deleted at its source would stay in silver.people; write deletes: kept where that is meant, or read all days and "
        "leave the deleted rows out with write: replace_all."
    )


@pytest.mark.parametrize("column", ["operation", "opened", "undeleted", "deleted_by", "op_id"])
def test_a_column_that_is_called_alike_tells_nothing_of_deleted_rows(tmp_path: Path, column: str) -> None:
    assert loaded(tmp_path, people(cdc=CDC.replace("op:", f"{column}:"))).contract.deletes is None


@pytest.mark.parametrize("contract", [PEOPLE, HISTORY], ids=["merge", "scd2"])
def test_who_says_that_deleted_rows_are_kept_may_read_such_a_feed(tmp_path: Path, contract: str) -> None:
    assert loaded(tmp_path, people(contract.replace("order_by:", "deletes: kept\n    order_by:"))).contract.deletes == "kept"


@pytest.mark.parametrize("write", ["replace_all", "append"])
def test_a_table_that_is_made_anew_or_keeps_every_change_may_read_such_a_feed(tmp_path: Path, write: str) -> None:
    assert loaded(tmp_path, people(PEOPLE.replace("merge", write))).contract.write == write


def test_a_table_that_a_model_fills_takes_no_rows_from_its_inputs(tmp_path: Path) -> None:
    watched = {BRONZE_SALES: ("cents:", "deleted: {type: boolean}\n  cents:"), GOLD_HEALTH: HEALTH}
    watched |= {MODEL: ("target: dear", "target: dear\nhealth: gold.health")}
    assert loaded(tmp_path, watched, "gold.health").contract.deletes is None


WORDS = [
    pytest.param(
        people(HISTORY.replace("    feed: changes\n", "")),
        "expectations/silver/people.yaml:5: write: scd2 needs `feed: changes`, which says that its inputs bring changes, not full snapshots: "
        "of those it would keep a new version of every row each time, and never end a row that is gone.",
        id="scd2 that does not say what it is fed with",
    ),
    pytest.param(
        people(HISTORY.replace("feed: changes", "feed: snapshots")),
        "expectations/silver/people.yaml:6: feed: scd2 cannot be fed with snapshots: it would keep a new version of every row each time, and "
        "never end a row that is gone; read changes and write feed: changes, or keep the newest snapshot alone with write: replace_all.",
        id="scd2 that is fed with snapshots",
    ),
    pytest.param(
        people(HISTORY.replace("feed: changes", "feed: change")),
        "expectations/silver/people.yaml:6: feed: Input should be 'changes' or 'snapshots' (found 'change'). Did you mean \"changes\"?",
        id="a feed that is none",
    ),
    pytest.param(
        people(PEOPLE.replace("order_by:", "feed: changes\n    order_by:")),
        "expectations/silver/people.yaml:6: feed: feed is for scd2, and this table is written by merge; take it away.",
        id="a feed of another mode",
    ),
    pytest.param(
        people(PEOPLE.replace("order_by:", "deletes: applied\n    order_by:")),
        "expectations/silver/people.yaml:6: deletes: Input should be 'kept' (found 'applied').",
        id="deletes that would be applied",
    ),
    pytest.param(
        {SILVER_SALES: ("write: replace_days", "write: replace_days\ndeletes: kept")},
        "expectations/silver/sales.yaml:9: deletes: deletes is for merge and scd2, and this table is written by replace_days; take it away.",
        id="deletes of another mode",
    ),
    pytest.param(
        people(HISTORY, CDC.replace("format: jsonl", "format: jsonl, arrives: snapshot").replace("op:", "what:")),
        "expectations/silver/people.yaml:6: silver.people says feed: changes, but bronze.cdc is a full snapshot each time: it would keep a new "
        "version of every row each time, and never end a row that is gone; read changes, or keep the newest snapshot alone with write: replace_all.",
        id="changes that are said of a snapshot",
    ),
    pytest.param(
        {GOLD_TOTALS: None, "spark_jobs/gold/totals.sql": None, **people(HISTORY.replace("bronze.cdc", "silver.shops"))}
        | {MERGED_LOGIC: "SELECT * FROM silver_shops", "expectations/pipelines.yaml": ""},
        "expectations/silver/people.yaml:6: silver.people says feed: changes, but silver.shops is a full snapshot each time: it would keep a new "
        "version of every row each time, and never end a row that is gone; read changes, or keep the newest snapshot alone with write: replace_all.",
        id="changes that are said of what a snapshot has made",
    ),
    pytest.param(
        people(PEOPLE.replace("[bronze.cdc]", "[bronze.cdc, bronze.shops]"), CDC.replace("jsonl", "jsonl, arrives: snapshot").replace("op:", "what:")),
        "expectations/silver/people.yaml:5: silver.people is written by merge, which deletes no row, but bronze.cdc and bronze.shops are full "
        "snapshots each time: a row that is gone from the newest one would stay; write deletes: kept where that is meant, or write: replace_all.",
        id="a merge of snapshots",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), WORDS)
def test_what_a_table_says_of_its_feed_and_of_deletes_is_checked(refusal: Refusal, changes: dict[str, Change], sentence: str) -> None:
    assert refusal(changes) == sentence


def test_changes_may_be_joined_with_a_snapshot(tmp_path: Path) -> None:
    joined = people(HISTORY.replace("[bronze.cdc]", "[bronze.cdc, bronze.shops]"), CDC.replace("op:", "what:"))
    assert loaded(tmp_path, joined | {MERGED_LOGIC: "SELECT * FROM bronze_cdc, bronze_shops"}).contract.feed == "changes"


def test_snapshots_may_be_merged_where_rows_that_are_gone_are_meant_to_stay(tmp_path: Path) -> None:
    merged = "write: merge\ndeletes: kept\norder_by: seen\ncolumns:\n  seen: {type: int}\n"
    changes = {SILVER_SHOPS: ("write: replace_all\ncolumns:\n", merged), BRONZE_SHOPS: ("columns:", "columns:\n  seen: {type: int}")}
    assert loaded(tmp_path, changes, "silver.shops").contract.deletes == "kept"


DOCS = (Path(__file__).parents[2] / "docs/contracts.md").read_text().partition("#### Deletes and snapshots")[2].partition("###")[0]


def test_the_words_and_the_columns_that_the_docs_show_are_those_of_the_program() -> None:
    base = {"contract": 1, "description": "A table of the docs.", "grain": ["id"], "order_by": "seq"}
    columns = {"columns": {"id": {"type": "int"}, "seq": {"type": "bigint"}}}
    shown = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", DOCS, flags=re.DOTALL)]
    taken = [TableContract.model_validate({**base, **columns, **words}) for words in shown]
    assert [(contract.write, contract.feed, contract.deletes) for contract in taken] == [("scd2", "changes", None), ("merge", None, "kept")]
    (listed,) = re.findall(r"an input with a column (.*?) \(", DOCS)
    assert set(re.findall(r"`(\w+)`", listed)) == TELL_DELETED_ROWS


# what a lake was built with before there were these words: its published days stay as they are

BEFORE = {
    "bronze.sales": "963b8fe91ebf953d",
    "bronze.shops": "ce2b94a95ac9ce5e",
    "silver.sales": "1dc6211d1dbed5b2",
    "silver.shops": "0c36ad3ba515a7ab",
    "gold.guesses": "8078871f2359d382",
    "gold.totals": "39b3e96be937eeb9",
}


def test_no_table_is_stale_because_the_contract_has_new_words(tmp_path: Path) -> None:
    write_lake(tmp_path, {})
    assert {name: table.contract_hash for name, table in load_lake(tmp_path).tables.items()} == BEFORE


@pytest.mark.parametrize(
    ("write", "before"),
    [
        ("merge\norder_by: cents", "bdccfe4ec6ddc88b"),
        ("merge\norder_by: cents\ndeletes: kept", "bdccfe4ec6ddc88b"),
        ("scd2\norder_by: cents\nfeed: changes", "8023037564b6ffb4"),
        ("scd2\norder_by: cents\nfeed: changes\ndeletes: kept", "8023037564b6ffb4"),
    ],
)
def test_a_table_that_gains_such_a_word_is_not_built_anew(tmp_path: Path, write: str, before: str) -> None:
    assert loaded(tmp_path, {GOLD_TOTALS: ("day: sold_on\n", f"write: {write}\n")}, "gold.totals").contract_hash == before
