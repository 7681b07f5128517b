"""Files beside the tables: whole or not at all, and one sentence where they cannot be had."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

import pytest

from expectations.errors import RequestError, TransientError
from expectations.s3 import is_s3, s3_settings, s3_variables
from expectations.storage import Place, _below, reaching, require_storage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR = 3600.0
STRANGER = 65534
KNOWN = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": "http://127.0.0.1:9000", "PATH": "/bin"}


def place(path: Path) -> Place:
    return Place.of(str(path))


def aged(path: Path, hours: float) -> None:
    then = time.time() - hours * HOUR
    os.utime(path, (then, then))


def test_a_folder_is_as_old_as_the_newest_file_in_it(tmp_path: Path) -> None:
    for run in ("killed", "at_work"):
        (tmp_path / run / "part").mkdir(parents=True)
        (tmp_path / run / "part" / "0.parquet").write_text("rows")
    for old in ("killed/part/0.parquet", "killed/part", "killed", "at_work/part", "at_work"):
        aged(tmp_path / old, hours=25)
    place(tmp_path).delete_folders_older_than(24 * HOUR)
    assert [folder.name for folder in tmp_path.iterdir()] == ["at_work"]


def test_a_written_file_replaces_the_old_one_and_leaves_no_draft(tmp_path: Path) -> None:
    for text in ("first", "second"):
        place(tmp_path / "new" / "record.json").write_text(text)
    assert (tmp_path / "new" / "record.json").read_text() == "second"
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["record.json"]


def test_a_file_that_cannot_get_its_name_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "taken" / "by").mkdir(parents=True)
    (tmp_path / "source").write_text("new")
    for write in (lambda: place(tmp_path / "taken").write_text("new"), lambda: place(tmp_path / "source").copy_to(place(tmp_path / "taken"))):
        with pytest.raises(OSError, match="taken"):
            write()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["source", "taken"]


def test_a_copy_is_told_with_the_hash_of_its_own_bytes_and_is_gone_unless_it_is_moved(tmp_path: Path) -> None:
    (tmp_path / "landed.csv").write_text("rows")
    landed, folder = place(tmp_path / "landed.csv"), place(tmp_path / "kept")
    with landed.copied_into(folder) as copy:
        assert (copy.sha256, copy.bytes, copy.modified_at) == (*landed.fingerprint(), landed.modified_at())
        assert copy.place.read_bytes() == b"rows"
    assert list((tmp_path / "kept").iterdir()) == []
    with landed.copied_into(folder) as copy:
        copy.place.move_to(place(tmp_path / "kept/file.csv"))
    assert [(file.name, file.read_text()) for file in (tmp_path / "kept").iterdir()] == [("file.csv", "rows")]


@pytest.mark.parametrize("change", ["longer", "shorter", "touched"])
def test_a_copy_of_a_file_that_is_written_to_meanwhile_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    (tmp_path / "landed.csv").write_text("rows")
    chunks = Place.chunks

    def meanwhile(file: Place) -> Iterator[bytes]:
        yield from chunks(file)
        if change == "touched":
            aged(tmp_path / "landed.csv", hours=1)
        else:
            (tmp_path / "landed.csv").write_text({"longer": "rows and more", "shorter": ""}[change])

    monkeypatch.setattr(Place, "chunks", meanwhile)
    with pytest.raises(TransientError, match="changed while it was read"), place(tmp_path / "landed.csv").copied_into(place(tmp_path / "kept")):
        pytest.fail("a copy of what nobody knows")
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_listing_has_all_files_below_with_size_and_time(tmp_path: Path) -> None:
    (tmp_path / "sales/day=1").mkdir(parents=True)
    (tmp_path / "sales/notes.txt").write_text("four")
    (tmp_path / "sales/day=1/part-0").write_text("rows 5")
    found = sorted(place(tmp_path / "sales").listing(), key=lambda file: file.name)
    assert [(file.name, file.bytes) for file in found] == [("day=1/part-0", 6), ("notes.txt", 4)]
    assert [file.modified_at for file in found] == [place(tmp_path / "sales" / file.name).modified_at() for file in found]
    assert place(tmp_path / "nowhere").listing() == []


@pytest.mark.parametrize(
    ("folder", "path"),
    [
        ("/landing/sales", "/landing/sales/day=1/part-0"),
        ("/landing/sales/", "/landing/sales/day=1/part-0"),
        ("bucket/landing/sales", "bucket/landing/sales/day=1/part-0"),
        ("/landing/sales", "hdfs://host:9000/landing/sales/day=1/part-0"),
    ],
)
def test_a_listed_file_is_told_from_the_folder_on_however_its_storage_tells_it(folder: str, path: str) -> None:
    assert _below(folder, path) == "day=1/part-0"


def test_a_folder_that_may_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    place(tmp_path / "_runs").require_write()
    assert list((tmp_path / "_runs").iterdir()) == []


def test_a_local_lake_is_left_as_it_was(tmp_path: Path) -> None:
    require_storage(f"{tmp_path}/nowhere", f"{tmp_path}/nowhere")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user, who has no right here")
def test_a_local_root_that_may_not_be_written_is_one_sentence_and_not_tried_again(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    if not os.fork():
        try:
            os.setuid(STRANGER)
            require_storage(f"{tmp_path}/lake", f"{tmp_path}/landing")
        except RequestError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.wait()
    os.close(writing)
    with os.fdopen(reading) as said:
        sentence = said.read()
    assert re.fullmatch(rf"{tmp_path}/lake cannot be used: the user {STRANGER} has no right to write in /\S+: give it, or run as another user\.", sentence)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("AWS Error ACCESS_DENIED during PutObject", "access is denied: give the user of the key the right to list, read, write and delete there"),
        ("ExceptionName: ExpiredToken Message: x", "the session token has expired: write a new one into the connection that LAKE_STORAGE_CONNECTION names"),
        ("Disk quota exceeded\nat line 3", "Disk quota exceeded; check the address and the rights on it"),
        ("", "OSError; check the address and the rights on it"),
    ],
)
def test_why_a_place_cannot_be_used_is_one_sentence(words: str, sentence: str) -> None:
    with pytest.raises(TransientError) as caught, reaching("s3a://lake/tables"):
        raise OSError(words)
    assert str(caught.value) == f"s3a://lake/tables cannot be used: {sentence}."


def test_a_file_that_is_not_there_is_told_as_such() -> None:
    with pytest.raises(FileNotFoundError), reaching("s3a://lake/tables"):
        raise FileNotFoundError("a record")


def test_what_is_known_of_s3_becomes_settings_of_a_session() -> None:
    assert s3_settings(KNOWN) == {
        "fs.s3a.access.key": "key",
        "fs.s3a.secret.key": "secret",
        "fs.s3a.endpoint": "http://127.0.0.1:9000",
        "fs.s3a.path.style.access": "true",
        "fs.s3a.connection.ssl.enabled": "false",
    }
    assert s3_variables(KNOWN) == {name: value for name, value in KNOWN.items() if name != "PATH"}


def test_a_machine_with_a_role_of_its_own_is_left_to_it() -> None:
    assert s3_settings({"PATH": "/bin"}) == {}
    assert s3_variables({"PATH": "/bin"}) is None


@pytest.mark.parametrize(("location", "answer"), [("s3a://lake/tables", True), ("s3://lake", True), ("hdfs://name/lake", False), ("/lake/s3a://", False)])
def test_what_lies_on_s3(location: str, answer: bool) -> None:
    assert is_s3(location) is answer
