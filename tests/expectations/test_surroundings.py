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


def test_an_error_of_another_kind_is_told_by_its_first_line_and_by_where_it_began() -> None:
    causes = "Caused by: java.lang.RuntimeException: wrapped\n\tat a.B.c(B.java:1)\nCaused by: java.io.IOException: torn\n\tat d.E.f(E.java:2)"
    assert in_short(f"no such till\n\tat a.B.c(B.java:1)\n{causes}") == "no such till Caused by: java.io.IOException: torn"
    assert in_short("no such till\nand no more of it") == "no such till"
    assert in_short(" \n") == ""
