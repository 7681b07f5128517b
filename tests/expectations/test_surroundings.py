"""What is said of the words that a lake's surroundings fail with: Hadoop 3.5's own, in the form in which Spark Connect hands them on."""

from __future__ import annotations

import pytest

from expectations.surroundings import DATANODE, in_short, sentence

WRITING = """[TASK_WRITE_FAILED] Task failed while writing rows to hdfs://names:8020/lake/_staging/silver.flights. SQLSTATE: 58030

JVM stacktrace:
org.apache.spark.SparkException
	at org.apache.spark.sql.execution.datasources.FileFormatDataWriter.commit(FileFormatDataWriter.scala:123)
Caused by: """
CLOSING = "\n\tat org.apache.hadoop.hdfs.DFSOutputStream.completeFile(DFSOutputStream.java:1001)"
STREAMING = "\n\tat org.apache.hadoop.hdfs.DataStreamer.setupPipelineForAppendOrRecovery(DataStreamer.java:1570)\n\tat java.lang.Thread.run(:-1)"
OF_A_NAMENODE = "\n\tat org.apache.hadoop.hdfs.server.namenode.FSNamesystem.getAdditionalBlock(FSNamesystem.java:3108)"


@pytest.mark.parametrize(
    "words",
    [
        "java.io.IOException: Unable to close file because the last block BP-1:blk_7_1 does not have enough number of replicas." + CLOSING,
        'java.io.IOException: Could not get block locations. Source file "/lake/part-0.parquet" - Aborting...block==null' + STREAMING,
        "java.io.IOException: All datanodes [DatanodeInfoWithStorage[10.0.0.7:9866,DS-1,DISK]] are bad. Aborting..." + STREAMING,
        "java.nio.channels.ClosedChannelException: null" + CLOSING.replace("completeFile", "checkClosed"),
        "org.apache.hadoop.ipc.RemoteException: File /lake/part-0.parquet could only be written to 0 of the 1 minReplication nodes."
        + OF_A_NAMENODE
        + STREAMING,
    ],
)
def test_a_datanode_that_is_lost_is_one_sentence_however_the_file_was_given_up(words: str) -> None:
    assert sentence(WRITING + words) == (DATANODE, False)


def test_a_quota_is_no_lost_datanode() -> None:
    words = (
        "org.apache.hadoop.hdfs.protocol.DSQuotaExceededException: The DiskSpace quota of /lake is exceeded: quota = 1 B = 1 B but diskspace consumed = 128 MB"
    )
    said = "a quota of the lake's HDFS is used up; raise it, or free some, and run it again. Nothing was half published."
    assert sentence(WRITING + words + OF_A_NAMENODE + STREAMING) == (said, False)


def test_what_a_namenode_refused_for_another_reason_is_told_in_its_own_words() -> None:
    words = "org.apache.hadoop.hdfs.server.namenode.LeaseExpiredException: File does not exist: /lake/part-0.parquet (inode 17)"
    assert sentence(WRITING + words + OF_A_NAMENODE + STREAMING) is None
    first = "[TASK_WRITE_FAILED] Task failed while writing rows to hdfs://names:8020/lake/_staging/silver.flights. SQLSTATE: 58030"
    assert in_short(WRITING + words + OF_A_NAMENODE + STREAMING) == f"{first} Caused by: {words}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "java.net.UnknownHostException: names" + "\n\tat org.apache.hadoop.hdfs.NameNodeProxiesClient.a(N.java:1)",
            "the NameNode of the lake's HDFS is not reached",
        ),
        ("java.net.UnknownHostException: getFileStatus on s3a://lake/a: s3.example", "nothing answers at its address"),
        ("MetaException: java.net.UnknownHostException: names\n\tat org.apache.hadoop.hive.metastore.HiveMetaStoreClient.open(H.java:1)", "the Hive metastore"),
        ("java.nio.file.AccessDeniedException: s3a://lake/a: Service: S3, Status Code: 403", "access is denied"),
        ("Call From here to names:8020 failed on socket timeout exception" + CLOSING, "the NameNode of the lake's HDFS is not reached"),
    ],
)
def test_words_that_several_parts_use_are_told_of_the_part_that_used_them(words: str, said: str) -> None:
    found = sentence(WRITING.replace("hdfs://names:8020", "s3a:/") + words)
    assert found is not None
    assert found[0].startswith(said)


@pytest.mark.parametrize(
    "words",
    [
        "java.nio.file.AccessDeniedException: /data/lake",
        "org.apache.hadoop.security.token.SecretManager$InvalidToken: token can't be found in cache",
        "java.lang.OutOfMemoryError: Java heap space" + CLOSING,
    ],
)
def test_like_words_of_other_parts_are_not_taken_for_them(words: str) -> None:
    assert sentence(words) is None


def test_an_error_of_another_kind_is_told_by_its_first_line_and_by_where_it_began() -> None:
    causes = "Caused by: java.lang.RuntimeException: wrapped\n\tat a.B.c(B.java:1)\nCaused by: java.io.IOException: torn\n\tat d.E.f(E.java:2)"
    assert in_short(f"no such till\n\tat a.B.c(B.java:1)\n{causes}") == "no such till Caused by: java.io.IOException: torn"
    python = 'Caused by: a.PythonException: Traceback (most recent call last):\n  File "x.py", line 1\nValueError: no till\n\n\tat a.B.c(B.java:1)'
    assert in_short(f"failed\n{python}") == "failed Caused by: a.PythonException: Traceback (most recent call last): ValueError: no till"
    assert in_short("lost jdbc:postgresql://ada:secret@db/x") == "lost jdbc:postgresql://db/x"
    assert in_short("x" * 479 + " jdbc:postgresql://ada:sec/ret@db/x") == "x" * 479 + " jdbc:postgresql://db"
    assert in_short("refused: user=ada&password=secret&ssl") == "refused: user=ada&password=&ssl"
    assert in_short("no such till\nand no more of it") == "no such till"
    assert in_short(" \n") == ""
