"""`manage.py demo` on each server, and the tutorial's own `runserver`."""

import json
import socket

import pytest

from tests.example.system import MANAGE, ExampleSystem, manage


@pytest.mark.parametrize("server", ["daphne", "uvicorn", "granian"])
def test_demo_serves_and_stops_cleanly_on_ctrl_c(tmp_path, server):
    command = (*MANAGE, "demo", "--port={port}", f"--server={server}")
    with ExampleSystem(tmp_path, *command) as system:
        token = system.token("testuserone", "testing123")
        with system.socket(f"/?token={token}") as ws:
            ws.send(json.dumps({"command": "Say hello !", "data_string": "x"}))
            assert "data_string_bacK" in ws.recv(timeout=5)
            assert system.interrupt() == 0
        assert not system.has_processes()
        assert f"Open {system.url}/ " in system.output
        assert system.output.endswith("\nStopped.\n")
        assert "testuserone / testing123" in system.output
        assert token not in system.output
        assert "Traceback" not in system.output


@pytest.mark.parametrize("port", ["taken", "70000"])
def test_impossible_port_is_one_clear_line_and_exit_code_2(tmp_path, port):
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = port.replace("taken", str(other.getsockname()[1]))
        refused = manage("demo", "--port", number, EXAMPLE_DATABASE=str(tmp_path / "db.sqlite3"))
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert f"port {number}" in refused.stderr


def test_demo_users_are_left_as_they_are(system):
    assert system.manage("demo_users").returncode == 0
    assert system.token("suraj", "123") == system.token("suraj", "123")


@pytest.mark.parametrize("path", ["/", "/page.css", "/page.js", "/icon.svg"])
def test_page_is_served_under_a_strict_policy(system, path):
    answer = system.request("GET", path)
    assert answer.status == 200
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_unchanged_page_is_not_sent_again(system):
    etag = system.request("GET", "/page.js").headers["ETag"]
    answer = system.request("GET", "/page.js", headers={"If-None-Match": etag})
    assert (answer.status, answer.text) == (304, "")


def test_runserver_serves_page_admin_and_socket(system, token):
    command = (*MANAGE, "runserver", "--noreload", "{port}")
    with ExampleSystem(system.folder, *command, **system.variables) as runserver:
        assert runserver.request("GET", "/static/admin/css/base.css").status == 200
        assert runserver.request("GET", "/nothing-here").status == 404
        runserver.knock(f"/?token={token}")
        assert runserver.interrupt() == 0
        assert token not in runserver.output
        assert runserver.output.count("/nothing-here") == 1
        assert "Warning" not in runserver.output
