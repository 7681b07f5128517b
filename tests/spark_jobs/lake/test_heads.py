"""A table's Delta log held against the ledger: which version is read, what is put back, and what stops every job."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from expectations.errors import ForeignCommitError, LogError, RequestError
from expectations.ledger import DayEntry, Head, Ledger
from expectations.settings import load_settings
from spark_jobs.lake import delta_log, heads
from spark_jobs.lake.delta_log import Log, Logged, parsed
from spark_jobs.lake.heads import Standing, judge
from tests.spark_jobs.lake.conftest import write_shop
from tests.spark_jobs.lake.parts import without_spark

if TYPE_CHECKING:
    from pathlib import Path

    from tests.spark_jobs.lake.conftest import LittleLake

SALES = "silver.sales"
HEAD = Head(SALES, 1, "run-1")


def by(version: int, run_id: str = "", operation: str = "WRITE", *, changes_rows: bool = True) -> Logged:
    return Logged(version, operation, metadata={"run_id": run_id} if run_id else {}, changes_rows=changes_rows)


def log(*versions: int, checkpoint: int | None = None) -> Log:
    return Log(dict.fromkeys(versions, 100), checkpoint)


def judged(head: Head | None, found: Log, *commits: Logged) -> Standing:
    return judge(SALES, head, found, {commit.version: commit for commit in commits})


def refused(head: Head | None, found: Log, *commits: Logged | None, first: int = 1, broken: tuple[str, ...] = ()) -> str:
    numbered = {first + number: commit for number, commit in enumerate(commits)}
    with pytest.raises(LogError) as caught:
        judge(SALES, head, found, numbered, broken)
    return str(caught.value)


# what is read


def test_the_version_that_the_ledger_names_is_read_where_it_is_the_newest() -> None:
    found = judged(HEAD, log(0, 1), by(1, "run-1"))
    assert found == Standing(HEAD, 1, 1)
    assert found.is_settled


def test_a_commit_that_no_run_recorded_is_not_read_and_waits_to_be_put_back() -> None:
    found = judged(HEAD, log(0, 1, 2, 3), by(1, "run-1"), by(2, "run-2"), by(3, "run-3"))
    assert found == Standing(HEAD, 1, 3, ("run-2", "run-3"))
    assert not found.is_settled


def test_commits_of_others_that_change_no_row_are_read() -> None:
    found = judged(HEAD, log(0, 1, 2, 3), by(1, "run-1"), by(2, operation="OPTIMIZE", changes_rows=False), by(3, operation="VACUUM END", changes_rows=False))
    assert found == Standing(HEAD, 3, 3)
    assert not found.is_settled


def test_what_comes_after_an_unrecorded_commit_is_not_read_with_it() -> None:
    commits = by(1, "run-1"), by(2, changes_rows=False), by(3, "run-2"), by(4, changes_rows=False)
    assert judged(HEAD, log(0, 1, 2, 3, 4), *commits) == Standing(HEAD, 2, 4, ("run-2",))


def test_of_a_table_whose_first_run_died_nothing_is_read() -> None:
    announced = Head(SALES, None, "")
    found = judged(announced, log(0, 1), by(0, "run-1"), by(1, "run-2"))
    assert found == Standing(announced, None, 1, ("run-1", "run-2"))
    assert found.is_settled


def test_a_table_that_was_never_written_has_nothing_to_read() -> None:
    assert judged(None, log()) == Standing(None, None, None)
    announced = Head(SALES, None, "")
    assert judged(announced, log()) == Standing(announced, None, None)


def test_commits_before_the_newest_checkpoint_may_be_gone() -> None:
    head = Head(SALES, 12, "run-1")
    assert judged(head, log(11, 12, checkpoint=10), by(12, "run-1")) == Standing(head, 12, 12)


def test_a_lake_from_before_goes_on_from_its_days_newest_version_and_an_old_restore_counts() -> None:
    before = Head(SALES, 1, None)
    assert judged(before, log(0, 1, 2), by(1, "run-1"), by(2, operation="RESTORE")) == Standing(before, 2, 2)


# what stops


def test_a_table_that_the_ledger_does_not_know_is_refused() -> None:
    assert refused(None, log(0, 1, 2)) == (
        "silver.sales: there is a Delta table at version 2, and the ledger knows nothing of it. Is LAKE_LEDGER_URL the ledger of this lake? "
        'Else move the folder away, or say so: make job DO="adopt silver.sales --version 2".'
    )


def test_a_table_that_is_gone_is_refused() -> None:
    assert refused(HEAD, log()) == (
        "silver.sales: the ledger names version 1, and there is no Delta table. Put the folder back from a copy of the lake; or, where its days are to be "
        'made again, say so: make job DO="adopt silver.sales".'
    )


def test_a_log_that_ends_before_the_ledgers_version_is_refused() -> None:
    assert refused(Head(SALES, 3, "run-3"), log(0, 1, 2)) == (
        "silver.sales: the ledger names version 3, and the log ends at version 2: commits are missing, and rows with them; nothing was built. Put their "
        'files back from a copy of the lake; or, where what is there is right, say so: make job DO="adopt silver.sales --version 2".'
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (log(0, 2), "the file of commit 1 is missing"),
        (Log({0: 100, 1: 0, 2: 100}), "the file of commit 1 is empty"),
        (Log({0: 100, 1: 100, 2: 0}), "the file of commit 2 is empty"),
        (log(12, 14, checkpoint=11), "the file of commit 13 is missing"),
    ],
)
def test_a_log_with_a_commit_missing_or_empty_is_refused(found: Log, words: str) -> None:
    assert words in refused(Head(SALES, max(found.commits), "run-1"), found)


def test_a_commit_that_is_cut_off_is_refused_with_the_way_out() -> None:
    assert refused(HEAD, log(0, 1), None) == (
        "silver.sales: the file of commit 1 is empty or cut off, so nobody knows what it changed; nothing was built on it. Put the file back from a copy of "
        'the lake; or, where its rows are to be made again, delete it and say so: make job DO="adopt silver.sales --version 0".'
    )


def test_a_checkpoint_that_is_not_whole_is_refused() -> None:
    part = "00000000000000000001.checkpoint.parquet"
    assert f"the checkpoint {part} is not whole" in refused(HEAD, log(0, 1, checkpoint=1), by(1, "run-1"), broken=(part,))


def test_a_version_of_another_run_than_the_ledger_has_is_refused() -> None:
    assert "the ledger has version 1 of run-1, and its commit is of run-9: two writers made the same version" in refused(HEAD, log(0, 1), by(1, "run-9"))


@pytest.mark.parametrize("operation", ["WRITE", "DELETE", "MERGE", "RESTORE", "ADD COLUMNS"])
def test_a_write_of_somebody_else_is_refused_with_both_ways_out(operation: str) -> None:
    said = refused(HEAD, log(0, 1, 2), by(1, "run-1"), by(2, operation=operation))
    assert said == (
        f"silver.sales: version 2 ({operation}) was written by no job of this lake, and nobody judged its rows; nothing was built on it. If they are right, "
        'say so: make job DO="adopt silver.sales --version 2"; else go back: make job DO="restore silver.sales --version 1", or the DAG table_restore.'
    )


def test_a_write_of_somebody_else_is_told_from_other_faults_since_a_restore_mends_it() -> None:
    with pytest.raises(ForeignCommitError):
        judged(HEAD, log(0, 1, 2), by(1, "run-1"), by(2))


# commits and logs as they lie there

WRITTEN = {"commitInfo": {"operation": "WRITE", "userMetadata": '{"run_id": "run-1"}', "operationMetrics": {"numOutputRows": "2"}}}
ADDED = {"add": {"path": "a.parquet", "dataChange": True}}
COMPACTED = {"remove": {"path": "a.parquet", "dataChange": False}}


def commit_of(*actions: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(action) for action in actions).encode()


def test_a_commit_tells_its_run_its_counts_and_whether_readers_see_other_rows() -> None:
    assert parsed(4, commit_of(WRITTEN, ADDED)) == Logged(4, "WRITE", {"numOutputRows": "2"}, {"run_id": "run-1"}, changes_rows=True)
    assert not parsed(4, commit_of({"commitInfo": {"operation": "OPTIMIZE"}}, COMPACTED)).changes_rows
    assert parsed(4, commit_of({"commitInfo": {"operation": "ADD COLUMNS"}}, {"metaData": {}})).changes_rows
    assert not parsed(4, commit_of({"commitInfo": {"operation": "SET TBLPROPERTIES"}}, {"metaData": {}})).changes_rows


@pytest.mark.parametrize("content", [b"", b"\n", commit_of(WRITTEN, ADDED)[:-5], b"[]", b"\x00\x01"])
def test_a_commit_that_is_not_whole_cannot_be_read(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parsed(4, content)


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LittleLake:
    return without_spark(tmp_path, monkeypatch)


def write_log(lake: LittleLake, files: dict[str, bytes]) -> Path:
    folder = lake.project / "data_lake/silver/sales/_delta_log"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def standing(lake: LittleLake) -> Standing:
    return heads.standing(load_settings(), lake.ledger, SALES)


def name(version: int) -> str:
    return f"{version:020}.json"


def test_a_log_is_read_from_its_folder(lake: LittleLake) -> None:
    lake.ledger.heads.record(Head(SALES, 1, "run-1"))
    checkpoint = "00000000000000000001.checkpoint.parquet"
    folder = write_log(lake, {name(0): b"of no interest", name(1): commit_of(WRITTEN, ADDED), name(2): commit_of(WRITTEN), checkpoint: b"PAR1...PAR1"})
    assert delta_log.look(str(folder.parent)) == Log({0: 14, 1: 176, 2: 125}, 1, (checkpoint,))
    assert standing(lake) == Standing(Head(SALES, 1, "run-1"), 2, 2)
    assert heads.version_to_read(load_settings(), lake.ledger, SALES) == 2
    (folder / checkpoint).write_bytes(b"PAR1...")
    with pytest.raises(LogError, match="is not whole"):
        standing(lake)
    (folder / checkpoint).unlink()
    (folder / name(2)).write_bytes(commit_of(WRITTEN)[:40])
    with pytest.raises(LogError, match="commit 2 is empty or cut off"):
        standing(lake)


def test_a_table_without_a_published_version_cannot_be_read(lake: LittleLake) -> None:
    with pytest.raises(RequestError, match=r"^silver\.sales: nothing was ever published; build it first\.$"):
        heads.version_to_read(load_settings(), lake.ledger, SALES)


def test_every_table_whose_log_is_not_the_ledgers_is_named(lake: LittleLake) -> None:
    lake.ledger.heads.record(Head(SALES, 1, "run-1"))
    write_log(lake, {name(0): commit_of(WRITTEN, ADDED)})
    [fault] = heads.faults(load_settings(), lake.ledger, ["gold.totals", SALES])
    assert fault.startswith("silver.sales: the ledger names version 1, and the log ends at version 0")


def test_the_command_for_the_doctor_says_that_all_is_well_or_what_is_not(lake: LittleLake, capsys: pytest.CaptureFixture[str]) -> None:
    write_shop(lake)
    assert heads.main() == 0
    assert capsys.readouterr().out == "the logs of 3 tables are as the ledger has them\n"
    write_log(lake, {name(0): commit_of(WRITTEN, ADDED)})
    assert heads.main() == 1
    assert "silver.sales: there is a Delta table at version 0, and the ledger knows nothing of it." in capsys.readouterr().out


def test_a_lake_from_before_has_the_newest_version_of_its_days(lake: LittleLake) -> None:
    ledger: Ledger = lake.ledger
    entry = DayEntry(SALES, "2024-05-01", "published", 3, "run-1", "c", "l", {})
    ledger.record([entry], [])
    assert ledger.heads.of(SALES) == Head(SALES, 3, None)
    ledger.record([entry], [], head=Head(SALES, 4, "run-2"))
    assert ledger.heads.of(SALES) == Head(SALES, 4, "run-2")
    assert ledger.heads.of("gold.totals") is None
