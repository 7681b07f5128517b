import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from launcher import container_health
from launcher.container_health import main


@pytest.fixture
def answers(monkeypatch):
    """A server whose answer by path is what the test puts in; the parts ask it."""
    found = {}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path in found else 404)
            self.end_headers()
            self.wfile.write(found.get(self.path, "").encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setattr(container_health, "AIRFLOW", f"http://{{}}:{server.server_port}/api/v2/monitor/health")
    monkeypatch.setattr(container_health, "MASTER_PAGE", server.server_port)
    monkeypatch.setattr(container_health, "WORKER_PAGE", server.server_port)
    monkeypatch.setenv("AIRFLOW_API_SERVER_HOST", "127.0.0.1")
    yield found
    server.shutdown()
    server.server_close()


def test_a_part_of_airflow_is_as_healthy_as_the_api_server_knows(answers):
    answers["/api/v2/monitor/health"] = json.dumps(
        {"metadatabase": {"status": "healthy"}, "scheduler": {"status": "unhealthy"}, "triggerer": {"status": None}, "dag_processor": {"status": "healthy"}}
    )
    parts = ("airflow-apiserver", "airflow-scheduler", "airflow-triggerer", "airflow-dag-processor")
    assert [main([part]) for part in parts] == [0, 1, 1, 0]


def test_a_standby_master_is_not_healthy(answers):
    answers["/json/"] = '{"status": "STANDBY"}'
    assert main(["spark-master"]) == 1
    answers["/json/"] = '{"status": "ALIVE"}'
    assert main(["spark-master"]) == 0
    assert main(["spark-worker"]) == 0


@pytest.mark.parametrize("part", ["airflow-apiserver", "airflow-scheduler", "spark-master", "spark-worker"])
def test_what_does_not_answer_or_answers_nonsense_is_not_healthy(answers, part):
    assert main([part]) == 1
    answers["/api/v2/monitor/health"] = answers["/json/"] = "<html>"
    assert main([part]) == 1


def test_an_unknown_part_is_a_usage_error(capsys):
    assert main(["redis"]) == 2
    assert "spark-connect" in capsys.readouterr().err
