"""What a disk, HDFS, S3, a metastore or a cluster says when it fails, in a sentence with what to do."""

from __future__ import annotations

import re

KEY = "mend the connection that LAKE_STORAGE_CONNECTION names."
WRITES_NOTHING = "Nothing was half published."
DATANODE = f"a DataNode of the lake's HDFS stopped, is full, or is not reached from here; see to it and run it again. {WRITES_NOTHING}"
NAMENODE = "the NameNode of the lake's HDFS is not reached; check the address in LAKE_ROOT and LAKE_LANDING, and that it runs, and run it again."
SIGNS = {
    r"No space left on device": f"there is no room on the disk of the lake, or of Spark's scratch files; free some and run it again. {WRITES_NOTHING}",
    r"HiveMetaStoreClient|Could not connect to meta store": (
        "the Hive metastore is not reached: check that what LAKE_METASTORE names is up and lets this login in, and run it again; the log of the Spark "
        "server says more. An embedded one is opened by one process only."
    ),
    # HDFS: Spark's client, then hdfs-native
    r"BlockMissingException|All datanodes \[|minReplication nodes|All DataNodes failed|Failed to complete file in time": DATANODE,
    r"QuotaExceededException": f"a quota of the lake's HDFS is used up; raise it, or free some, and run it again. {WRITES_NOTHING}",
    r"SafeModeException|Name node is in safe mode": (
        "the NameNode of the lake's HDFS is in safe mode and writes nothing: wait until it has found its blocks, or see to its disks, and run it again."
    ),
    r"(?s)^(?=.*hadoop\.hdfs\.).*(Call From \S+ to \S+ failed on|No Route to Host|UnknownHostException)": NAMENODE,
    r"hdfs://\S+: (Connection refused|failed to lookup|RPC listener)": NAMENODE,
    # Spark's client gave up a file that it was writing, and no NameNode refused it: DFSOutputStream and DataStreamer say that in a dozen ways
    r"(?s)^(?!.*(hdfs\.server\.namenode|OutOfMemoryError|InterruptedIOException)).*\bhdfs\.(DataStreamer|DFSOutputStream)\.": DATANODE,
    # S3: pyarrow's words, then those of S3 itself
    r"INVALID_ACCESS_KEY_ID|InvalidAccessKeyId": f"the access key is not known there: {KEY}",
    r"SIGNATURE_DOES_NOT_MATCH|SignatureDoesNotMatch": f"the secret does not belong to the access key: {KEY}",
    r"ExpiredToken": "the session token has expired: write a new one into the connection that LAKE_STORAGE_CONNECTION names.",
    r"(?<![$\w])InvalidToken": "the session token is not valid: write a new one into the connection that LAKE_STORAGE_CONNECTION names.",
    r"NO_SUCH_BUCKET|NoSuchBucket": "there is no such bucket: make it, or mend LAKE_ROOT and LAKE_LANDING.",
    r"(?s)ACCESS_DENIED|^(?=.*(s3a|S3|awssdk)).*AccessDenied": "access is denied: give the user of the key the right to list, read, write and delete there.",
    r"s3a\.S3AFileSystem not found": "Spark lacks the jars of a lake on S3; run `make setup S3=1` on its machines and start it again.",
    r"NETWORK_CONNECTION|UnknownHostException": "nothing answers at its address: check endpoint, host, port and network.",
}
"""Words, as a regular expression, to what is to be said of them. No more of such a message is shown: it may hold a key."""
SECRET = re.compile(r"(?i)(?<=://)\S+@|(?<=password=)[^\s&;,]+|(?<=token=)[^\s&;,]+")
"""A login within an address, and what is called a password or a token."""
OTHER_PYTHON = re.compile(r"Python in worker has different version: (?P<worker>[\d.]+) than that in driver: (?P<driver>[\d.]+)")
OTHER_SPARK = re.compile(r"InvalidClassException: org\.apache\.spark\.\S+; local class incompatible")
NO_RIGHT = re.compile(r'Permission denied: user=(?P<user>[^,\s]+), access=(?P<access>[A-Z_]+), inode=\\?"(?P<path>[^"\\]+)')


def sentence(words: str) -> tuple[str, bool] | None:
    """What is to be said of an error of the surroundings, and whether a retry cannot help; None for any other error."""
    if refused := NO_RIGHT.search(words):
        found = refused.groupdict()
        return f"{found['user']} has no right to {found['access']} in {found['path']} of the lake's file system: give it, or run as another user.", True
    if other := OTHER_PYTHON.search(words):
        return f"Spark's workers run Python {other['worker']}, and the job Python {other['driver']}: let PYSPARK_PYTHON name the same one there.", True
    if OTHER_SPARK.search(words):
        return "the cluster runs another version of Spark than the job's: give both one lock.", True
    return next(((said, False) for sign, said in SIGNS.items() if re.search(sign, words)), None)


def in_short(words: str) -> str:
    """The first line of an error of another kind, and the last of its causes, where it began: its first line, and its last where it has several.

    Each without logins and passwords, and cut off after 500 characters.
    """
    error, *causes = re.split(r"\n(?=Caused by: )", words.strip())
    first = (error.splitlines() or [""])[0]
    cause = [line.strip() for line in re.split(r"\n\s*at ", causes[-1])[0].splitlines()] if causes else []
    lines = dict.fromkeys([first, *cause[:1], *cause[-1:]])
    return " ".join(SECRET.sub("", line)[:500] for line in lines)
