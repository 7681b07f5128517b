import subprocess
import sys

from launcher.layout import REPOSITORY

LOADED = "import sys; heavy = {'airflow', 'pyspark', 'pandas', 'great_expectations', 'mlflow', 'sklearn', 'grpc'}; print(sorted(heavy & set(sys.modules)))"


def loaded_after(statement):
    command = [sys.executable, "-c", f"{statement}; {LOADED}"]
    environment = {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY}/plugins", "PATH": "/usr/bin"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()[-1]


def test_the_launcher_loads_nothing_heavy():
    assert loaded_after("import launcher.lifecycle, launcher.programs, launcher.watch, launcher.jars, launcher.__main__") == "[]"


def test_set_up_loads_nothing_that_is_not_in_a_bare_python():
    statement = "import sys; before = set(sys.modules); import launcher.set_up"
    environment = {"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin"}
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); {statement}; print('fine')"]
    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout == "fine\n"


def test_the_executor_loads_nothing_heavy_until_it_starts():
    assert loaded_after("import medallion.warm_executor") == "['airflow']"
