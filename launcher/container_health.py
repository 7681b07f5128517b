"""`python -m launcher.container_health PART`: docker-compose's health checks. Exit code 0 = healthy, 1 = not."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from launcher.health import answer_of, mlflow_answers, spark_answers
from launcher.spark_cluster import MASTER_PAGE, WORKER_PAGE

if TYPE_CHECKING:
    from collections.abc import Callable

AIRFLOW = "http://{}:8080/api/v2/monitor/health"


def _facts(url: str) -> dict[str, object] | None:
    """The JSON object at an address of this deployment; None where nothing or something else answers."""
    try:
        facts = json.loads(answer_of(url) or b"")
    except ValueError:
        return None
    return facts if isinstance(facts, dict) else None


def _airflow(part: str, host: str) -> bool:
    """What the api-server knows of a part; `airflow jobs check` would first load Airflow, some seconds of CPU each time."""
    status = (_facts(AIRFLOW.format(host)) or {}).get(part)
    return isinstance(status, dict) and status.get("status") == "healthy"


def _api_server() -> str:
    return os.environ.get("AIRFLOW_API_SERVER_HOST") or "airflow-apiserver"


PARTS: dict[str, Callable[[], bool]] = {
    "airflow-apiserver": lambda: _airflow("metadatabase", "127.0.0.1"),
    "airflow-scheduler": lambda: _airflow("scheduler", _api_server()),
    "airflow-dag-processor": lambda: _airflow("dag_processor", _api_server()),
    "airflow-triggerer": lambda: _airflow("triggerer", _api_server()),
    "mlflow": mlflow_answers,
    "spark-master": lambda: (_facts(f"http://127.0.0.1:{MASTER_PAGE}/json/") or {}).get("status") == "ALIVE",
    "spark-worker": lambda: _facts(f"http://127.0.0.1:{WORKER_PAGE}/json/") is not None,
    "spark-connect": spark_answers,
}


def main(arguments: list[str]) -> int:
    """Exit code 0 where the part is healthy, 1 where it is not, 2 where there is no such part."""
    if len(arguments) != 1 or arguments[0] not in PARTS:
        print(f"usage: python -m launcher.container_health {'|'.join(PARTS)}", file=sys.stderr)
        return 2
    return 0 if PARTS[arguments[0]]() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
