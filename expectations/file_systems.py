"""Which file system a location is on. Travels by value to Spark's, Dask's and Ray's Python workers, which need not have this package:
so what a function needs is imported inside it, and is of the libraries alone.

hdfs:// is read by hdfs-native, which speaks the NameNode's own protocol: the address that Spark takes is all it needs, and HADOOP_CONF_DIR where the
address is the name of several NameNodes. (pyarrow's own client needs libhdfs and a Java beside Python; WebHDFS another address and port.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def file_system_of(location: str, environment: Mapping[str, str] | None = None) -> tuple[Any, str]:
    """Pyarrow's file system of a local path or a URI, and the path on it. Raises OSError or ValueError where it cannot be reached.

    `environment` has AWS's variables for S3, by default this process's.
    """
    from pyarrow import fs

    if "://" not in location:
        return fs.LocalFileSystem(), location
    scheme, _, rest = location.partition("://")
    if scheme == "hdfs":
        authority, _, path = rest.partition("/")
        return hdfs(authority), f"/{path}"
    if scheme in {"s3a", "s3"}:
        return s3(environment), rest
    system, path = fs.FileSystem.from_uri(location)
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


def s3(environment: Mapping[str, str] | None = None) -> Any:
    """Pyarrow's file system of S3, or of the server that AWS_ENDPOINT_URL names; without a key AWS's own chain counts."""
    import os

    from pyarrow import fs

    known = os.environ if environment is None else environment
    return fs.S3FileSystem(
        access_key=known.get("AWS_ACCESS_KEY_ID") or None,
        secret_key=known.get("AWS_SECRET_ACCESS_KEY") or None,
        session_token=known.get("AWS_SESSION_TOKEN") or None,
        region=known.get("AWS_REGION") or known.get("AWS_DEFAULT_REGION") or None,
        endpoint_override=known.get("AWS_ENDPOINT_URL") or None,
        connect_timeout=5,
        allow_delayed_open=True,  # a small file is one request
    )
