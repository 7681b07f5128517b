"""HDFS and YARN as processes of this machine: a NameNode, a DataNode, a ResourceManager and a NodeManager, on free ports of the loopback interface."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import ProxyHandler, build_opener
from xml.sax.saxutils import escape

import pytest

from launcher.jars import install
from launcher.layout import REPOSITORY
from launcher.spark_server import JAVA_OPTIONS, java, package_folder
from tests.clusters.sample_lake import SampleLake, on_connect
from tests.end_to_end.test_spark_submit import java_version
from tests.free_ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK = Path(__file__).with_name("hadoop.lock")
JARS = REPOSITORY / ".lake" / "test-jars" / "hadoop"
AMONG_SPARKS = ("org.apache.hadoop:hadoop-client-api", "org.apache.hadoop:hadoop-client-runtime", "org.slf4j:*", "org.xerial.snappy:*", "com.*:*")
SPARKS = ("hadoop-client-*", "log4j-*", "slf4j-api-*", "jcl-over-slf4j-*", "snappy-java-*")
CLASSES = {
    "namenode": "org.apache.hadoop.hdfs.server.namenode.NameNode",
    "datanode": "org.apache.hadoop.hdfs.server.datanode.DataNode",
    "resourcemanager": "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager",
    "nodemanager": "org.apache.hadoop.yarn.server.nodemanager.NodeManager",
}
MANAGER = {"": "rm", "scheduler.": "rm_scheduler", "resource-tracker.": "rm_nodes", "admin.": "rm_admin", "webapp.": "rm_page"}
NODE = {"": "node", "localizer.": "node_localizer", "webapp.": "node_page"}
CAPACITY: dict[str, object] = {
    "yarn.scheduler.capacity.root.queues": "default",
    "yarn.scheduler.capacity.root.default.capacity": 100,
    "yarn.scheduler.capacity.maximum-am-resource-percent": 0.9,
}
WHOLE_JAVA = (17, 21)
START_SECONDS = 90.0
HOST = "127.0.0.1"
LOGGING = """
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex{short.message}
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
"""


class Hadoop:
    """Servers by name, each a Java process; their data, logs and configuration in `folder`."""

    def __init__(self, folder: Path, java_binary: Path) -> None:
        self.folder, self.conf, self._java = folder, folder / "conf", java_binary
        names = (
            "namenode",
            "namenode_page",
            "datanode",
            "datanode_page",
            "datanode_rpc",
            "rm",
            "rm_scheduler",
            "rm_nodes",
            "rm_admin",
            "rm_page",
            *NODE.values(),
        )
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "logs").mkdir()
        for page in ("cluster", "node"):  # YARN looks for a folder each; what is in it, it brings itself
            (self.conf / "webapps" / page).mkdir(parents=True)
        (folder / "logging.properties").write_text(LOGGING)  # not beside the rest, where spark-submit would take it for its own
        self._write("core-site", {"fs.defaultFS": self.address, "hadoop.tmp.dir": folder / "tmp"})
        self._write("hdfs-site", self._hdfs_site())
        self._write("yarn-site", self._yarn_site())
        self._write("capacity-scheduler", CAPACITY)

    @property
    def address(self) -> str:
        """hdfs://host:port of the NameNode."""
        return f"hdfs://{HOST}:{self.ports['namenode']}"

    def start(self, name: str, java_binary: Path | None = None) -> None:
        """Start a server whose data are there; returns at once. `java_binary`: another Java than that of all, for it and for its containers."""
        assert name not in self.running
        environment = {**self.environment(), "JAVA_HOME": str((java_binary or self._java).parent.parent)}
        with self.log(name).open("a") as output:
            self.running[name] = subprocess.Popen(self.command(name, java_binary), env=environment, stdout=output, stderr=output)

    def end(self, name: str) -> None:
        """SIGKILL, as a machine that is lost: nothing is written or told any more."""
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def end_all(self) -> None:
        """End what still runs, clients first."""
        for name in reversed(list(self.running)):
            self.running[name].terminate()
        while self.running:
            _, process = self.running.popitem()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    def format(self) -> None:
        """An empty file system."""
        done = subprocess.run([*self.command("namenode"), "-format", "-nonInteractive"], env=self.environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def wait_for_datanode(self) -> None:
        """Until the DataNode has told the NameNode what it has, and takes blocks."""
        page = f"http://{HOST}:{self.ports['datanode_page']}/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo"
        self._wait("datanode", lambda: '"ActorState":"RUNNING"' in _ask(page)["beans"][0]["BPServiceActorInfo"])

    def wait_for_nodemanager(self) -> None:
        """Until the ResourceManager would hand out containers."""
        metrics = f"{self.yarn_page}/ws/v1/cluster/metrics"
        self._wait("resourcemanager", lambda: _ask(metrics)["clusterMetrics"]["activeNodes"] == 1)

    def applications(self) -> list[dict[str, Any]]:
        """What the ResourceManager knows of all applications, the newest first."""
        found = (_ask(f"{self.yarn_page}/ws/v1/cluster/apps")["apps"] or {"app": []})["app"]
        return sorted(found, key=lambda one: -int(one["startedTime"]))

    @property
    def yarn_page(self) -> str:
        """The ResourceManager's page and REST interface."""
        return f"http://{HOST}:{self.ports['rm_page']}"

    def log(self, name: str) -> Path:
        """The file of what a server says."""
        return self.folder / "logs" / f"{name}.log"

    def command(self, name: str, java_binary: Path | None = None) -> list[str]:
        """A server's command line."""
        jars = package_folder("pyspark") / "jars"
        own = [str(file) for pattern in SPARKS for file in sorted(jars.glob(pattern))]
        class_path = os.pathsep.join([str(self.conf), str(JARS / "*"), *own])
        options = [
            "-Xmx384m",
            "-XX:+UseSerialGC",
            f"-Dhadoop.log.dir={self.folder / 'logs'}",
            f"-Dlog4j2.configurationFile={self.folder / 'logging.properties'}",
        ]
        return [str(java_binary or self._java), *options, *JAVA_OPTIONS, "-cp", class_path, CLASSES[name]]

    def environment(self) -> dict[str, str]:
        """This process's variables without Spark's and Hadoop's, and where the configuration is."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "HADOOP_", "YARN_", "PYTHON"))}
        return {**inherited, "HADOOP_CONF_DIR": str(self.conf), "YARN_CONF_DIR": str(self.conf)}

    def _hdfs_site(self) -> dict[str, object]:
        return {
            "dfs.replication": 1,
            "dfs.namenode.name.dir": f"file://{self.folder}/names",
            "dfs.datanode.data.dir": f"file://{self.folder}/blocks",
            "dfs.namenode.rpc-bind-host": HOST,
            "dfs.namenode.http-address": f"{HOST}:{self.ports['namenode_page']}",
            "dfs.datanode.address": f"{HOST}:{self.ports['datanode']}",
            "dfs.datanode.http.address": f"{HOST}:{self.ports['datanode_page']}",
            "dfs.datanode.ipc.address": f"{HOST}:{self.ports['datanode_rpc']}",
            "dfs.namenode.datanode.registration.ip-hostname-check": "false",
            "dfs.heartbeat.interval": 1,
        }

    def _yarn_site(self) -> dict[str, object]:
        return {
            "yarn.resourcemanager.hostname": HOST,
            **{f"yarn.resourcemanager.{part}address": f"{HOST}:{self.ports[port]}" for part, port in MANAGER.items()},
            "yarn.scheduler.minimum-allocation-mb": 256,
            "yarn.nodemanager.hostname": HOST,
            **{f"yarn.nodemanager.{part}address": f"{HOST}:{self.ports[port]}" for part, port in NODE.items()},
            "yarn.nodemanager.local-dirs": self.folder / "containers",
            "yarn.nodemanager.log-dirs": self.folder / "logs" / "containers",
            "yarn.nodemanager.resource.memory-mb": 4096,
            "yarn.nodemanager.resource.cpu-vcores": 4,
            "yarn.nodemanager.vmem-check-enabled": "false",
            "yarn.nodemanager.disk-health-checker.enable": "false",
        }

    def _write(self, name: str, facts: dict[str, object]) -> None:
        properties = "".join(f"<property><name>{key}</name><value>{escape(str(value))}</value></property>" for key, value in facts.items())
        (self.conf / f"{name}.xml").write_text(f"<configuration>{properties}</configuration>")

    def _wait(self, name: str, is_ready: Any) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            ended = [other for other, process in self.running.items() if process.poll() is not None]
            assert not ended, f"{ended[0]} ended: {self.log(ended[0]).read_text()[-3000:]}"
            try:
                if is_ready():
                    return
            except (OSError, LookupError, ValueError):
                pass
            time.sleep(0.3)
        pytest.fail(f"{name} is not ready after {START_SECONDS:.0f} s: {self.log(name).read_text()[-3000:]}")


@pytest.fixture(scope="session")
def hadoop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hadoop]:
    """HDFS with one DataNode, on the Java that the environment brings."""
    with running_hdfs(tmp_path_factory.mktemp("hadoop"), java()) as started:
        yield started


@pytest.fixture(scope="session")
def sample_on_hdfs(spark_remote: str, hadoop: Hadoop, tmp_path_factory: pytest.TempPathFactory) -> SampleLake:
    """The sample's days on HDFS, files and tables, built by the embedded Spark server."""
    places = (f"{hadoop.address}/lake", f"{hadoop.address}/landing")
    made = SampleLake(tmp_path_factory.mktemp("ledger"), *places, AIRFLOW_CONN_SPARK_LAKE=on_connect(spark_remote))
    assert f"{hadoop.address}/landing/flights/2013-01-02.csv" in made.land()
    made.build_all()
    return made


@contextmanager
def running_hdfs(folder: Path, java_binary: Path) -> Iterator[Hadoop]:
    """A NameNode and a DataNode, until the block ends."""
    install(LOCK, JARS, AMONG_SPARKS)
    made = Hadoop(folder, java_binary)
    try:
        made.format()
        made.start("namenode")
        made.start("datanode")
        made.wait_for_datanode()
        yield made
    finally:
        made.end_all()
        shutil.rmtree(folder / "blocks", ignore_errors=True)


@pytest.fixture(scope="session")
def yarn(hadoop: Hadoop) -> Hadoop:
    """The same with a ResourceManager and a NodeManager, whose containers run on the Java of this machine."""
    found = java_version()
    if found not in WHOLE_JAVA:
        pytest.skip(f"YARN is left out: Spark's executors need a whole Java {' or '.join(map(str, WHOLE_JAVA))} on PATH, found {found or 'none'}")
    machine = Path(str(shutil.which("java"))).resolve()
    for name in ("resourcemanager", "nodemanager"):
        hadoop.start(name, machine)
    hadoop.wait_for_nodemanager()
    return hadoop


def _ask(address: str) -> Any:
    """The JSON of a server's page; a proxy of the environment is not asked."""
    with build_opener(ProxyHandler({})).open(address, timeout=5) as answer:
        return json.load(answer)
