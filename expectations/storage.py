"""Files outside the tables: landing files, result records, staging, reports, model files. A local path or a URI, one way for all."""

from __future__ import annotations

import hashlib
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


class _OtherContentError(Exception):
    """A file has not the content that it was said to have."""


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
        written: datetime | None = self.system.get_file_info(self.path).mtime
        return written.astimezone(UTC) if written else None

    def file_names(self) -> list[str]:
        """Names of the files directly in this folder, sorted; none where it does not exist."""
        selector = fs.FileSelector(self.path, allow_not_found=True)
        return sorted(info.base_name for info in self.system.get_file_info(selector) if info.type == fs.FileType.File)

    def file_names_below(self) -> list[str]:
        """The files in this folder and all below it, as paths from here, sorted; none where it does not exist."""
        selector = fs.FileSelector(self.path, allow_not_found=True, recursive=True)
        return sorted(info.path[len(self.path) :].lstrip("/") for info in self.system.get_file_info(selector) if info.type == fs.FileType.File)

    def chunks(self) -> Iterator[bytes]:
        """The file's bytes, piece by piece."""
        with self.system.open_input_stream(self.path) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk

    def read_bytes(self) -> bytes:
        """All of the file's bytes."""
        return b"".join(self.chunks())

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

    def copy_to(self, target: Place, sha256: str | None = None) -> bool:
        """Copy this file to `target`, on any file system, whole or not at all; not where `sha256` is given and is not its content's."""
        digest = hashlib.sha256()
        try:
            with target._draft() as stream:
                for chunk in self.chunks():
                    digest.update(chunk)
                    stream.write(chunk)
                if sha256 not in (None, digest.hexdigest()):
                    raise _OtherContentError
        except _OtherContentError:
            return False
        return True

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
