"""What a file system or a cluster says when it fails, in a sentence that names it and says what to do."""

from __future__ import annotations

import re

WRITES_NOTHING = "Nothing was half published."
BACK_AGAIN = f"bring it back and run it again. {WRITES_NOTHING}"
NO_RIGHT = re.compile(r'Permission denied: user=(?P<user>[^,\s]+), access=(?P<access>[A-Z_]+), inode=\\?"(?P<path>[^"\\]+)')
SIGNS = {
    "No space left on device": f"there is no room on the disk of the lake; free some and run it again. {WRITES_NOTHING}",
    # Spark's client, then hdfs-native
    r"BlockMissingException|All datanodes \[|minReplication nodes|Failed to replace a bad datanode|All DataNodes failed|Failed to complete file in time": (
        f"a DataNode of the lake's HDFS stopped, or is not reached from here; {BACK_AGAIN}"
    ),
    r"SafeModeException|Name node is in safe mode": (
        "the NameNode of the lake's HDFS is in safe mode and writes nothing: wait until it has found its blocks, or see to its disks, and run it again."
    ),
    r"Call From \S+ to \S+ failed on connection exception|UnknownHostException|hdfs://\S+: (Connection refused|failed to lookup|RPC listener)": (
        "the NameNode of the lake's HDFS is not reached; check the address in LAKE_ROOT and LAKE_LANDING, and that it runs, and run it again."
    ),
}
"""Words, as a regular expression, to what is to be said of them."""


def sentence(error: Exception) -> tuple[str, bool] | None:
    """What is to be said of an error of the surroundings, and whether a retry cannot help; None for any other error."""
    words = str(error)
    if refused := NO_RIGHT.search(words):
        found = refused.groupdict()
        return f"{found['user']} has no right to {found['access']} in {found['path']} of the lake's file system: give it, or run as another user.", True
    return next(((said, False) for sign, said in SIGNS.items() if re.search(sign, words)), None)
