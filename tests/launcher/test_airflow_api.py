"""Airflow's REST API as the demo and the tests use it, answered by a small server. tests/end_to_end asks the real one."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from launcher import airflow_api
from launcher.airflow_api import AirflowApi
from launcher.errors import LauncherError
from tests.free_ports import free_port

TOKEN = (201, {"access_token": "a token"})
RUNS, TASKS = "/api/v2/dags/daily/dagRuns", "/api/v2/dags/daily/dagRuns/one/taskInstances"


@pytest.fixture
def airflow(monkeypatch):
    """A server that gives each path its answers in turn, the last one again and again; what it was asked for; and its address."""
    answers, asked = {"/auth/token": [TOKEN]}, []

    class Page(BaseHTTPRequestHandler):
        def answer(self):
            path = self.path.partition("?")[0]
            asked.append((self.command, path, json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")))
            code, body = answers[path].pop(0) if len(answers[path]) > 1 else answers[path][0]
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        do_GET = do_POST = do_PATCH = answer

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setattr(airflow_api, "POLL_SECONDS", 0.01)
    yield answers, asked, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def passwords(tmp_path):
    file = tmp_path / "passwords.json"
    file.write_text('{"admin": "of a test"}')
    return file


def run(state):
    return 200, {"dag_runs": [{"dag_run_id": "two", "state": "running"}, {"dag_run_id": "one", "state": state}]}


def tasks(**states):
    return 200, {"task_instances": [{"task_id": task, "state": state} for task, state in states.items()]}


def test_a_run_is_followed_task_by_task_to_its_end(airflow, passwords):
    answers, asked, address = airflow
    answers[RUNS] = [run("running"), run("running"), run("failed")]
    answers[TASKS] = [tasks(look=None, build="queued"), tasks(look="success", build="running"), tasks(look="success", build="failed", report="skipped")]
    followed = list(AirflowApi(address, passwords).follow("daily", "one", 30))
    assert followed == [("look", "success"), ("build", "failed"), ("report", "skipped"), ("", "failed")]
    assert asked[0] == ("POST", "/auth/token", {"username": "admin", "password": "of a test"})


def test_who_has_no_more_patience_is_told_where_to_look(airflow, passwords):
    answers, _, address = airflow
    answers[RUNS], answers[TASKS] = [run("running")], [tasks(build="running")]
    with pytest.raises(LauncherError, match=f"daily one has not ended after 0 seconds; look at {address}/dags/daily."):
        list(AirflowApi(address, passwords).follow("daily", "one", 0))


def test_a_form_and_a_backfill_are_sent_as_airflow_takes_them(airflow, passwords):
    answers, asked, address = airflow
    answers[RUNS] = answers["/api/v2/backfills"] = [(200, {})]
    api = AirflowApi(address, passwords)
    api.trigger("daily", "one", {"first_day": "2013-01-01"})
    api.backfill("daily", "2013-02-01", "2013-02-03")
    assert [body for _, _, body in asked[1:]] == [
        {"dag_run_id": "one", "logical_date": None, "conf": {"first_day": "2013-01-01"}},
        {
            "dag_id": "daily",
            "from_date": "2013-02-01T00:00:00Z",
            "to_date": "2013-02-03T00:00:00Z",
            "reprocess_behavior": "none",
            "max_active_runs": 1,
        },
    ]


def test_a_busy_database_is_asked_again_and_another_error_is_not(airflow, passwords):
    answers, asked, address = airflow
    answers[RUNS] = [(500, {"detail": "database is locked"}), (500, {"detail": "database is locked"}), run("success")]
    api = AirflowApi(address, passwords)
    assert api.run("daily", "one") == {"dag_run_id": "one", "state": "success"}
    assert api.run("daily", "three") is None
    answers["/api/v2/backfills"] = [(400, {"detail": "no"})]
    with pytest.raises(LauncherError, match=r'^Airflow refused POST /api/v2/backfills \(400\): \{"detail": "no"\}$'):
        api.backfill("daily", "2013-02-01", "2013-02-03")
    assert [path for _, path, _ in asked].count("/api/v2/backfills") == 1


def test_another_airflows_password_and_no_airflow_are_told(airflow, passwords):
    answers, _, address = airflow
    answers["/auth/token"] = [(401, {})]
    with pytest.raises(LauncherError, match=r"^Airflow refused POST /auth/token \(401\): the password in the password file is not this Airflow's$"):
        AirflowApi(address, passwords)
    with pytest.raises(LauncherError, match=r"does not answer \(.*\): `make up` starts it\.$"):
        AirflowApi(f"http://127.0.0.1:{free_port()}", passwords)


def test_an_airflow_that_is_too_slow_to_answer_is_one_sentence(monkeypatch, passwords):
    monkeypatch.setattr(airflow_api, "ANSWER_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the call, and says nothing
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(LauncherError) as caught:
            AirflowApi(address, passwords).run("daily", "one")
    assert str(caught.value) == f"Airflow at {address} does not answer (timed out): `make up` starts it."
