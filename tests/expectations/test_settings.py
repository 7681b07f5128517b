"""Where a lake is: the environment, then environments.yaml, then defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.errors import ContractError
from expectations.settings import load_settings


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for key in ("ENV", "STATE", "ROOT", "LANDING", "LEDGER_URL", "CONNECTION", "SCHEDULE", "METASTORE"):
        monkeypatch.delenv(f"LAKE_{key}", raising=False)
    monkeypatch.setenv("LAKE_PROJECT", str(tmp_path))
    (tmp_path / "expectations").mkdir()
    return tmp_path


def declare(project: Path, text: str) -> None:
    (project / "expectations" / "environments.yaml").write_text(text)


def refusal(project: Path) -> str:
    with pytest.raises(ContractError) as caught:
        load_settings()
    return str(caught.value).replace(f"{project}", "LAKE")


def test_without_a_word_everything_lies_in_the_project(project: Path) -> None:
    found = load_settings()
    assert (found.root, found.landing) == (f"{project}/data_lake", f"{project}/landing")
    assert found.ledger_url == f"sqlite:///{project}/.lake/ledger.db"
    assert (found.environment, found.connection, found.schedule) == ("dev", "spark_lake", True)


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(project, "prod: {root: hdfs://name/lake/, landing: drop, connection: yarn, schedule: off}\n")
    monkeypatch.setenv("LAKE_ENV", "prod")
    monkeypatch.setenv("LAKE_LANDING", "s3a://bucket/landing/")
    found = load_settings()
    assert (found.root, found.landing, found.connection, found.schedule) == ("hdfs://name/lake", "s3a://bucket/landing", "yarn", False)


@pytest.mark.parametrize(
    ("word", "expected"), [("on", True), ("off", False), ("false", False), ("'off'", False), ("no", False), ("0", False), ("1", True), ("", True)]
)
def test_a_schedule_that_is_off_stays_off_however_yaml_reads_it(project: Path, word: str, expected: bool) -> None:
    declare(project, f"dev:\n  schedule: {word}\n")
    assert load_settings().schedule is expected


def test_a_schedule_that_is_neither_on_nor_off_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_SCHEDULE", "daily")
    assert refusal(project) == "LAKE_SCHEDULE or `schedule` is 'daily'; write on or off."


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///state/ledger.db", "sqlite:///LAKE/state/ledger.db"),
        ("sqlite:////data/ledger.db", "sqlite:////data/ledger.db"),
        ("postgresql://ada@db/ledger", "postgresql://ada@db/ledger"),
    ],
)
def test_a_relative_ledger_is_one_file_from_wherever_a_process_starts(project: Path, monkeypatch: pytest.MonkeyPatch, url: str, expected: str) -> None:
    declare(project, f"dev: {{ledger_url: '{url}'}}\n")
    monkeypatch.chdir("/")
    assert load_settings().ledger_url.replace(str(project), "LAKE") == expected


def test_folders_may_be_absolute_relative_or_at_home(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    declare(project, "dev: {root: /data/lake/, landing: ~/landing}\n")
    found = load_settings()
    assert (found.root, found.landing) == ("/data/lake", "/home/ada/landing")


def test_paths_of_a_table_follow_the_root(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_ROOT", "s3a://bucket/lake/")
    found = load_settings()
    assert found.table_path("silver.sales") == "s3a://bucket/lake/silver/sales"
    assert found.quarantine_path("silver.sales") == "s3a://bucket/lake/_quarantine/silver/sales"
    assert (found.runs_path, found.models_path) == ("s3a://bucket/lake/_runs", "s3a://bucket/lake/_models")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("prod: {}\n", "LAKE_ENV=dev is not declared in LAKE/expectations/environments.yaml, which has prod."),
        ("devs: {}\n", 'LAKE_ENV=dev is not declared in LAKE/expectations/environments.yaml, which has devs. Did you mean "devs"?'),
        (
            "dev:\n  root: a\n  lending: b\n",
            "LAKE/expectations/environments.yaml:3: dev: unknown key 'lending'; known are root, landing, ledger_url, connection, storage_connection, "
            'schedule, metastore. Did you mean "landing"?',
        ),
        ("- dev\n", "LAKE/expectations/environments.yaml:1: expected one entry an environment, found list."),
        (
            "dev: data_lake\n",
            "LAKE/expectations/environments.yaml:1: dev: expected keys and values, found str; known are root, landing, ledger_url, connection, "
            "storage_connection, schedule, metastore.",
        ),
        ("dev: {root: [a, b]}\n", "LAKE/expectations/environments.yaml:1: dev: root must be one value, found list."),
        ("dev: {root: a, root: b}\n", "LAKE/expectations/environments.yaml:1: the key 'root' stands here twice; keep one."),
        ("dev: {root: a\n", "LAKE/expectations/environments.yaml:2: not YAML: did not find expected ',' or '}'; mend the line."),
    ],
)
def test_a_fault_of_the_file_is_told_in_one_sentence(project: Path, text: str, sentence: str) -> None:
    declare(project, text)
    assert refusal(project) == sentence


def test_a_folder_that_is_no_lake_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_PROJECT", str(project / "elsewhere"))
    assert refusal(project) == "LAKE_PROJECT=LAKE/elsewhere has no folder expectations/: point it at the folder that holds your contracts."


@pytest.mark.parametrize(("word", "address"), [("off", "off"), ("on", "embedded"), ("thrift://hive:9083", "thrift://hive:9083")])
def test_the_metastore_may_be_switched_off_or_be_somebody_elses(project: Path, word: str, address: str) -> None:
    declare(project, f"dev: {{metastore: {word}}}\n")
    assert load_settings().metastore.address == address


def test_the_metastore_is_embedded_where_nothing_is_said(project: Path) -> None:
    assert load_settings().metastore.is_embedded
