"""Which file system a location is on. Travels by value to Spark's, Dask's and Ray's Python workers, which need not have this package:
so what a function needs is imported inside it, and is of the libraries alone.

hdfs:// is read by hdfs-native, which speaks the NameNode's own protocol: the address that Spark takes is all it needs, and HADOOP_CONF_DIR where the
address is the name of several NameNodes. (pyarrow's own client needs libhdfs and a Java beside Python; WebHDFS another address and port.)
"""

from __future__ import annotations

from typing import Any


def file_system_of(location: str) -> tuple[Any, str]:
    """Pyarrow's file system of a local path or a URI, and the path on it. Raises OSError or ValueError where it cannot be reached."""
    from pyarrow import fs

    if "://" not in location:
        return fs.LocalFileSystem(), location
    scheme, _, rest = location.partition("://")
    if scheme == "hdfs":
        authority, _, path = rest.partition("/")
        return hdfs(authority), f"/{path}"
    system, path = fs.FileSystem.from_uri(location.replace("s3a://", "s3://", 1))
    return system, path


def hdfs(authority: str) -> Any:
    """Pyarrow's file system of a NameNode, `host:port`, or of the name that HADOOP_CONF_DIR gives to several; its moves replace what is there.

    Whose rights it has: those of HADOOP_USER_NAME, else of the process's user; with Kerberos, of its ticket.
    """
    from datetime import UTC, datetime

    from hdfs_native.fsspec import HdfsFileSystem
    from pyarrow import fs

    class Handler(fs.FSSpecHandler):  # type: ignore[misc]  # pyarrow has no types
        @staticmethod
        def _create_file_info(path: str, info: dict[str, Any]) -> fs.FileInfo:
            written = datetime.fromtimestamp(info["modification_time"] / 1000, UTC)
            return fs.FSSpecHandler._create_file_info(path, {**info, "mtime": written})

        def move(self, src: str, dest: str) -> None:
            self.fs.mv(src, dest, overwrite=True)

    host, _, port = authority.partition(":")
    return fs.PyFileSystem(Handler(HdfsFileSystem(host or None, int(port) if port else None)))
