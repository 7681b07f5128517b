import zipfile

from launcher.bundle import write_bundle


def test_the_bundle_has_engine_contracts_and_table_files_and_is_the_same_each_time(tmp_path, monkeypatch):
    for name, text in {
        "expectations/bronze/visits.yaml": "contract: 1\n",
        "spark_jobs/gold/days.sql": "SELECT 1\n",
        "landing/visits/2024-01-01.csv": "a\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("LAKE_PROJECT", str(tmp_path))
    names = set(zipfile.ZipFile(write_bundle(tmp_path / "one.zip")).namelist())
    assert {"spark_jobs/run.py", "expectations/silver/flights.yaml", "project/expectations/bronze/visits.yaml", "project/spark_jobs/gold/days.sql"} <= names
    assert not [name for name in names if "landing/" in name or name.endswith(".pyc")]
    assert (tmp_path / "one.zip").read_bytes() == write_bundle(tmp_path / "two.zip").read_bytes()
