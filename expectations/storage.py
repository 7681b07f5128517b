"""Files outside the tables: landing files, result records, staging, reports, model files. A local path or a URI, one way for all."""

from __future__ import annotations

import hashlib
import io
import os
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyarrow import fs

from expectations.errors import RequestError, TransientError
from expectations.file_systems import file_system_of
from expectations.surroundings import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class ListedFile:
    """A file as a listing has it: `name` is its path from the folder that was listed; `modified_at` in UTC, None where nobody knows."""

    name: str
    bytes: int
    modified_at: datetime | None = None


@dataclass(frozen=True)
class Copied:
    """A copy of a file, and what is true of just these bytes. `modified_at`: when the file itself was last written, in UTC."""

    place: Place
    sha256: str
    bytes: int
    modified_at: datetime | None


@dataclass(frozen=True)
class Place:
    """A file system and a path on it."""

    system: fs.FileSystem
    path: str

    @classmethod
    def of(cls, location: str, environment: Mapping[str, str] | None = None) -> Place:
        """The place that a local path or a URI names; `environment` has AWS's variables for S3, by default this process's.

        Raises TransientError where its file system cannot be reached.
        """
        try:
            return cls(*file_system_of(location, environment))
        except (OSError, ValueError, RuntimeError) as error:
            raise TransientError(f"{location} cannot be reached ({error}); check the address and the rights on it.") from None

    def exists(self) -> bool:
        """Whether there is a file or folder."""
        return bool(self.system.get_file_info(self.path).type != fs.FileType.NotFound)

    def modified_at(self) -> datetime | None:
        """When the file was last written, in UTC; None where its file system does not say."""
        return _written(self.system.get_file_info(self.path))

    def file_names(self) -> list[str]:
        """Names of the files directly in this folder, sorted; none where it does not exist."""
        return sorted(file.name for file in self.files())

    def files(self) -> list[ListedFile]:
        """The files directly in this folder; none where it does not exist."""
        selector = fs.FileSelector(self.path, allow_not_found=True)
        found = [info for info in self.system.get_file_info(selector) if info.type == fs.FileType.File]
        return [ListedFile(info.base_name, info.size, _written(info)) for info in found]

    def listing(self) -> list[ListedFile]:
        """The files in this folder and all below it, in one listing; none where it does not exist."""
        selector = fs.FileSelector(self.path, allow_not_found=True, recursive=True)
        found = [info for info in self.system.get_file_info(selector) if info.type == fs.FileType.File]
        return [ListedFile(_below(self.path, info.path), info.size, _written(info)) for info in found]

    def chunks(self) -> Iterator[bytes]:
        """The file's bytes, piece by piece."""
        with self.system.open_input_stream(self.path) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk

    def read_bytes(self) -> bytes:
        """All of the file's bytes."""
        return b"".join(self.chunks())

    def last_bytes(self, count: int) -> bytes:
        """The file's last bytes, `count` of them or all that there are."""
        with self.system.open_input_file(self.path) as file:
            file.seek(max(0, file.size() - count))
            return bytes(file.read(count))

    def first_bytes(self, count: int) -> bytes:
        """The file's first bytes, `count` of them or all that there are."""
        with self.system.open_input_stream(self.path) as stream:
            return bytes(stream.read(count))

    def lines(self) -> Iterator[bytes]:
        """The file's lines, each with its line feed."""
        with self.system.open_input_stream(self.path) as stream:
            yield from io.BufferedReader(stream, CHUNK_BYTES)

    def first_line(self) -> str:
        """The file's first line as text, without its end; bytes that are no UTF-8 are replaced."""
        head = b""
        for chunk in self.chunks():
            head += chunk
            if b"\n" in chunk:
                break
        return head.split(b"\n", 1)[0].decode("utf-8-sig", errors="replace").rstrip("\r")

    def fingerprint(self) -> tuple[str, int]:
        """sha256 in hex, and the number of bytes."""
        digest, size = hashlib.sha256(), 0
        for chunk in self.chunks():
            digest.update(chunk)
            size += len(chunk)
        return digest.hexdigest(), size

    def write_text(self, text: str) -> None:
        """Write a small file whole: readers see the old text or the new one."""
        with self._draft() as stream:
            stream.write(text.encode())

    def copy_to(self, target: Place) -> None:
        """Copy this file to `target`, on any file system, whole or not at all."""
        with target._draft() as stream:
            for chunk in self.chunks():
                stream.write(chunk)

    @contextmanager
    def copied_into(self, folder: Place) -> Iterator[Copied]:
        """A copy of this file in `folder`, under a hidden name; what is not moved away when the block ends is gone.

        Raises TransientError where the file was written to meanwhile: nobody knows what such a copy holds.
        """
        copy = Place(folder.system, folder._in(f".{uuid.uuid4().hex}.draft"))
        digest, size, before = hashlib.sha256(), 0, self.system.get_file_info(self.path)
        try:
            with copy.system.open_output_stream(copy.path) as stream:
                for chunk in self.chunks():
                    digest.update(chunk)
                    size += len(chunk)
                    stream.write(chunk)
            after = self.system.get_file_info(self.path)
            if (before.size, before.mtime_ns, size) != (after.size, after.mtime_ns, after.size):
                raise TransientError(f"{self.path} changed while it was read; run the day again once it is written.")
            yield Copied(copy, digest.hexdigest(), size, _written(after))
        finally:
            with suppress(OSError):  # the first error is the one to tell
                copy.delete_file()

    def move_to(self, target: Place) -> None:
        """Give this file another name on its file system, where nothing has that name yet."""
        self.system.move(self.path, target.path)

    def delete_file(self) -> None:
        """Delete the file; nothing happens where there is none."""
        if self.exists():
            self.system.delete_file(self.path)

    def delete_folders_older_than(self, seconds: float) -> None:
        """Delete the folders directly in this one that nobody has touched for so long, nor any file in them."""
        selector = fs.FileSelector(self.path, allow_not_found=True)
        for folder in self.system.get_file_info(selector):
            if folder.type == fs.FileType.Directory:
                # an object store knows no time of a folder, only of its files
                inside = self.system.get_file_info(fs.FileSelector(folder.path, allow_not_found=True, recursive=True))
                times = [info.mtime_ns for info in (folder, *inside) if info.mtime_ns is not None]
                if times and time.time() - max(times) / 1e9 > seconds:
                    self.system.delete_dir(folder.path)

    def delete_folder(self) -> None:
        """Delete the folder and all in it; nothing happens where there is none."""
        if self.exists():
            self.system.delete_dir(self.path)

    def require_write(self) -> None:
        """Write and delete a file of no name in this folder. Raises OSError where that is not allowed."""
        probe = self._in(f".{uuid.uuid4().hex}")
        with self.system.open_output_stream(probe):
            pass
        self.system.delete_file(probe)

    @contextmanager
    def _draft(self) -> Iterator[Any]:
        """A stream into a file that gets this place's name when the block ends, and is gone where it fails. Each writer has its own, the last one wins."""
        parent, _, name = self.path.rpartition("/")
        draft = Place(self.system, parent)._in(f".{name}.{uuid.uuid4().hex}.draft")
        try:
            with self.system.open_output_stream(draft) as stream:
                yield stream
            self.system.move(draft, self.path)
        except BaseException:
            with suppress(OSError):  # the first error is the one to tell
                self.system.delete_file(draft)
            raise

    def _in(self, name: str) -> str:
        """The path of a file in this folder, which is made. An object store has none to make."""
        if self.system.type_name != "s3":
            self.system.create_dir(self.path, recursive=True)
        return f"{self.path}/{name}"


def _below(folder: str, path: str) -> str:
    """The path from `folder` on; HDFS tells whole addresses, hdfs://host:9000/landing/sales/a.csv, also where it was asked for a path."""
    _, found, rest = path.partition(f"{folder.rstrip('/')}/")
    return rest if found else path.rpartition("/")[2]


def _written(info: fs.FileInfo) -> datetime | None:
    written: datetime | None = info.mtime
    return written.astimezone(UTC) if written else None


@contextmanager
def reaching(location: str) -> Iterator[None]:
    """Says in one sentence why a place cannot be used. Raises RequestError or TransientError for an OSError of the block, except that a file is not there."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        words = str(error)
        unknown = f"{words.splitlines()[0][:200] if words else type(error).__name__}; check the address and the rights on it."
        reason, is_terminal = sentence(words) or (unknown, False)
        raise (RequestError if is_terminal else TransientError)(f"{location} cannot be used: {reason}") from None


def require_storage(root: str, landing: str) -> None:
    """Raises what `reaching` raises where `landing` is a URI that cannot be listed, or `root` cannot be written: Spark would try for minutes."""
    if "://" in landing:
        with reaching(landing):
            Place.of(landing).file_names()
    if "://" in root:
        with reaching(root):
            Place.of(f"{root}/_runs").require_write()
    else:
        _require_right(root)


def _require_right(root: str) -> None:
    """Without a trace: a folder that is not there yet is made by who writes the first file."""
    folder = next(str(place) for place in (Path(root), *Path(root).parents) if os.path.exists(place))  # what is not seen is not there
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RequestError(f"{root} cannot be used: the user {os.geteuid()} has no right to write in {folder}: give it, or run as another user.")
