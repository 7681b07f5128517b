import pytest

from launcher.errors import LauncherError
from launcher.layout import REPOSITORY, jars_folder, load_ports, load_state


def test_the_default_ports_are_those_of_the_readme():
    assert {name: port.number for name, port in load_ports().items()} == {"airflow": 8080, "spark": 15002, "mlflow": 5000}


def test_a_variable_moves_its_port_only(monkeypatch):
    monkeypatch.setenv("LAKE_SPARK_PORT", "16002")
    assert {name: port.number for name, port in load_ports().items()} == {"airflow": 8080, "spark": 16002, "mlflow": 5000}


@pytest.mark.parametrize("text", ["http", "80", "70000", "-1", "8080.0"])
def test_what_is_no_port_is_refused_by_the_name_of_its_variable(monkeypatch, text):
    monkeypatch.setenv("LAKE_MLFLOW_PORT", text)
    with pytest.raises(LauncherError, match=f"LAKE_MLFLOW_PORT must be a port from 1024 to 65535, found '{text}'"):
        load_ports()


def test_two_programs_on_one_port_are_refused(monkeypatch):
    monkeypatch.setenv("LAKE_MLFLOW_PORT", "8080")
    with pytest.raises(LauncherError, match="LAKE_AIRFLOW_PORT=8080, LAKE_SPARK_PORT=15002, LAKE_MLFLOW_PORT=8080: give each its own"):
        load_ports()


def test_the_state_lies_in_the_project_unless_it_is_moved(monkeypatch, tmp_path):
    assert load_state().folder == tmp_path / "s"
    monkeypatch.delenv("LAKE_STATE")
    assert load_state().folder == REPOSITORY / ".lake"
    monkeypatch.setenv("LAKE_PROJECT", str(tmp_path / "shop"))
    assert load_state().folder == tmp_path / "shop" / ".lake"


def test_the_jars_belong_to_the_environment_not_to_one_lake(monkeypatch, tmp_path):
    monkeypatch.setenv("LAKE_PROJECT", str(tmp_path / "shop"))
    assert jars_folder() == REPOSITORY / ".lake" / "jars"


def test_a_state_folder_too_deep_for_a_unix_socket_is_refused_in_words(monkeypatch, tmp_path):
    monkeypatch.setenv("LAKE_STATE", str(tmp_path / ("deep" * 25)))
    with pytest.raises(LauncherError, match="point LAKE_STATE to a shorter folder"):
        _ = load_state().socket
