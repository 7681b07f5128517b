import hashlib

import pytest

from launcher import jars
from launcher.errors import LauncherError
from launcher.spark_server import package_folder

CONTENT = b"a jar"
READ = jars.read_lock
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """A lock of one jar, a jars folder, and a repository that has what `served` says."""
    file = tmp_path / "jars.lock"
    file.write_text(f"# one\norg.example:thing_2.13:1.0 sha256:{DIGEST}\n")
    monkeypatch.setattr(jars, "read_lock", lambda asked=jars.LOCK: READ(file if asked == jars.LOCK else jars.S3_LOCK))
    monkeypatch.setenv("LAKE_JARS", str(tmp_path / "jars"))
    served = {"org.example_thing_2.13-1.0.jar": CONTENT}

    def resolve(_, draft, *more):
        target = draft / "ivy" / "jars"
        target.mkdir(parents=True)
        for name, content in served.items():
            (target / name).write_bytes(content)

    monkeypatch.setattr(jars, "_resolve", resolve)
    return served


def test_jars_are_fetched_once(lock, tmp_path):
    assert jars.install() is True
    assert (tmp_path / "jars" / "thing_2.13-1.0.jar").read_bytes() == b"a jar"
    lock.clear()
    assert jars.install() is False


def test_what_the_lock_does_not_name_is_removed(lock, tmp_path):
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "stranger-2.0.jar").write_bytes(b"?")
    jars.install()
    assert [file.name for file in (tmp_path / "jars").iterdir()] == ["thing_2.13-1.0.jar"]


def test_a_file_that_differs_from_the_lock_is_never_installed(lock, tmp_path):
    lock["org.example_thing_2.13-1.0.jar"] = b"another jar"
    with pytest.raises(LauncherError, match=f"org.example:thing_2.13:1.0 has sha256 .*, expected {DIGEST} as in jars.lock"):
        jars.install()
    assert list((tmp_path / "jars").iterdir()) == []
    assert not (tmp_path / "jars.draft").exists()


def test_a_jar_that_was_damaged_later_is_fetched_again(lock, tmp_path):
    jars.install()
    (tmp_path / "jars" / "thing_2.13-1.0.jar").write_bytes(b"cut o")
    assert jars.install() is True
    assert (tmp_path / "jars" / "thing_2.13-1.0.jar").read_bytes() == b"a jar"


def test_a_jar_that_the_repository_lacks_is_named(lock):
    lock.clear()
    with pytest.raises(LauncherError, match=r"did not bring org\.example:thing_2\.13:1\.0"):
        jars.install()


def test_a_start_without_jars_says_what_to_do(lock):
    with pytest.raises(LauncherError, match=r"thing_2.13-1.0.jar is missing\): run `make setup`"):
        jars.require_jars()


def test_a_broken_line_of_the_lock_is_named(tmp_path):
    file = tmp_path / "jars.lock"
    file.write_text("# jars\norg.example:thing:1.0\n")
    with pytest.raises(LauncherError, match=r"jars\.lock:2: expected `group:artifact:version sha256:"):
        READ(file)


def test_the_lock_names_delta_4_4_0_unity_catalog_0_6_0_and_the_driver_of_postgres():
    assert [jar.coordinates for jar in READ()] == [
        "io.delta:delta-spark_4.2_2.13:4.4.0",
        "io.delta:delta-storage:4.4.0",
        "io.delta:delta-kernel-api:4.4.0",
        "io.delta:delta-kernel-defaults:4.4.0",
        "io.delta:delta-kernel-unitycatalog:4.4.0",
        "io.unitycatalog:unitycatalog-client:0.6.0",
        "io.unitycatalog:unitycatalog-hadoop:0.6.0",
        "org.postgresql:postgresql:42.7.14",
    ]


def test_proxies_of_the_environment_reach_java(monkeypatch):
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "localhost, .example.org")
    assert jars._proxies() == [
        "-Dhttps.proxyHost=proxy.example",
        "-Dhttps.proxyPort=3128",
        "-Dhttp.nonProxyHosts=localhost|*.example.org",
    ]


def test_the_jars_of_s3_stay_where_they_were_asked_for_once(lock, tmp_path):
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "hadoop-aws-3.5.0.jar").write_bytes(b"a jar of S3")
    jars.install()
    assert sorted(file.name for file in (tmp_path / "jars").iterdir()) == ["hadoop-aws-3.5.0.jar", "thing_2.13-1.0.jar"]


def test_a_lake_on_s3_does_not_start_without_its_jars(lock, monkeypatch):
    jars.install()
    jars.require_jars()
    monkeypatch.setenv("LAKE_LANDING", "s3a://lake/landing")
    with pytest.raises(LauncherError, match=r"s3a://lake/landing needs the jars of jars-s3\.lock .*hadoop-aws-3.5.0.jar is missing\): run `make setup S3=1`"):
        jars.require_jars()


def test_hadoop_aws_is_of_the_hadoop_that_spark_has():
    hadoop = next((package_folder("pyspark") / "jars").glob("hadoop-client-api-*.jar")).stem.rpartition("-")[2]
    assert READ(jars.S3_LOCK)[0].coordinates == f"org.apache.hadoop:hadoop-aws:{hadoop}"
    assert "software.amazon.awssdk:bundle" not in {jar.coordinates.rpartition(":")[0] for jar in READ(jars.S3_LOCK)}
