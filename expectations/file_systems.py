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
    """Pyarrow's file system of a local path or a URI, and the path on it. Raises OSError, ValueError or RuntimeError where it cannot be had.

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

    import pyarrow as pa
    from hdfs_native.fsspec import HdfsFileSystem
    from pyarrow import fs

    where = f"hdfs://{authority}"

    class Handler(fs.FSSpecHandler):  # type: ignore[misc]  # pyarrow has no types
        def __init__(self, files: HdfsFileSystem) -> None:
            super().__init__(files)
            raising_os_errors(self, where, "get_file_info", "get_file_info_selector", "create_dir", "delete_dir", "delete_file", "move")
            raising_os_errors(self, where, "open_input_stream", "open_input_file", "open_output_stream")

        @staticmethod
        def _create_file_info(path: str, info: dict[str, Any]) -> fs.FileInfo:
            written = datetime.fromtimestamp(info["modification_time"] / 1000, UTC)
            return fs.FSSpecHandler._create_file_info(path, {**info, "mtime": written})

        def move(self, src: str, dest: str) -> None:
            self.fs.mv(src, dest, overwrite=True)

        def open_input_stream(self, path: str) -> pa.PythonFile:
            return pa.PythonFile(raising_os_errors(self.fs.open(path, "rb"), where, "read", "seek"), "r")

        open_input_file = open_input_stream

        def open_output_stream(self, path: str, metadata: object) -> pa.PythonFile:
            return pa.PythonFile(raising_os_errors(self.fs.open(path, "wb"), where, "write", "close"), "w")

    host, _, port = authority.partition(":")
    # Its default of 15 tries waits three minutes for a NameNode that is not there.
    return fs.PyFileSystem(Handler(HdfsFileSystem(host or None, int(port) if port else None, **{"dfs.client.failover.max.attempts": "3"})))


def raising_os_errors(thing: Any, where: str, *methods: str) -> Any:
    """The same, whose methods raise an OSError of one line that begins with `where`; hdfs-native says by RuntimeError what a server refused."""
    import functools

    def as_os_error(call: Any) -> Any:
        @functools.wraps(call)
        def method(*args: Any) -> Any:
            try:
                return call(*args)
            except (OSError, RuntimeError) as error:
                kind = type(error) if isinstance(error, OSError) else OSError
                raise kind(f"{where}: {error}".partition("\n")[0][:300]) from None  # a server's Java sends its stack

        return method

    for name in methods:
        setattr(thing, name, as_os_error(getattr(thing, name)))
    return thing


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
