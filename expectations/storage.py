"""Files outside the tables: landing files, result records, staging, reports, model files. A local path or a URI, one way for all."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyarrow import fs

from expectations.errors import TransientError
from expectations.file_systems import file_system_of

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Place:
    """A file system and a path on it."""

    system: fs.FileSystem
    path: str

    @classmethod
    def of(cls, location: str) -> Place:
        """The place that a local path or a URI names. Raises TransientError where its file system cannot be reached."""
        try:
            return cls(*file_system_of(location))
        except (OSError, ValueError) as error:
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
        parent, _, name = self.path.rpartition("/")
        self.system.create_dir(parent, recursive=True)
        draft = f"{parent}/.{name}.draft"
        with self.system.open_output_stream(draft) as stream:
            stream.write(text.encode())
        self.system.move(draft, self.path)

    def copy_to(self, target: Place, sha256: str | None = None) -> bool:
        """Copy this file to `target`, on any file system, whole or not at all; not where `sha256` is given and is not its content's."""
        parent, _, name = target.path.rpartition("/")
        target.system.create_dir(parent, recursive=True)
        draft = f"{parent}/.{name}.draft"
        digest = hashlib.sha256()
        with target.system.open_output_stream(draft) as stream:
            for chunk in self.chunks():
                digest.update(chunk)
                stream.write(chunk)
        if sha256 not in (None, digest.hexdigest()):
            target.system.delete_file(draft)
            return False
        target.system.move(draft, target.path)
        return True

    def delete_file(self) -> None:
        """Delete the file; nothing happens where there is none."""
        if self.exists():
            self.system.delete_file(self.path)

    def delete_folders_older_than(self, seconds: float) -> None:
        """Delete the folders directly in this one that nobody has touched for so long."""
        selector = fs.FileSelector(self.path, allow_not_found=True)
        for info in self.system.get_file_info(selector):
            if info.type == fs.FileType.Directory and info.mtime_ns is not None and time.time() - info.mtime_ns / 1e9 > seconds:
                self.system.delete_dir(info.path)

    def delete_folder(self) -> None:
        """Delete the folder and all in it; nothing happens where there is none."""
        if self.exists():
            self.system.delete_dir(self.path)
