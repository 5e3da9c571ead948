"""`manage.py demo` on each server, and the tutorial's own `runserver`."""

import contextlib
import json
import re
import socket
import sqlite3
import urllib.request

import pytest
from websockets.exceptions import ConnectionClosed

from tests.example.administrator import Administrator
from tests.example.system import AS_SHIPPED, FORKED, MANAGE, ExampleSystem, manage

DEADLINE = 120.0  # it ends what hangs only


# All servers read the same settings: one of the starts hashes its passwords as shipped, and has an
# interpreter of its own.
@pytest.mark.parametrize(
    ("starts", "server", "settings"),
    [(MANAGE, "daphne", AS_SHIPPED), ((FORKED,), "uvicorn", {}), ((FORKED,), "granian", {})],
    ids=["daphne", "uvicorn", "granian"],
)
def test_demo_serves_and_stops_cleanly_on_ctrl_c(tmp_path, starts, server, settings):
    command = (*starts, "demo", "--port={port}", f"--server={server}")
    with ExampleSystem(tmp_path, *command, **settings) as system:
        token = system.token("testuserone", "testing123")
        with system.socket(f"/?token={token}") as ws:
            ws.send(json.dumps({"command": "Say hello !", "data_string": "x"}))
            assert "data_string_bacK" in ws.recv(timeout=DEADLINE)
            assert system.interrupt() == 0
        assert not system.has_processes()
        assert f"Open {system.url}/ " in system.output
        assert system.output.endswith("\nStopped.\n")
        assert "testuserone / testing123" in system.output
        assert token not in system.output
        assert "Traceback" not in system.output


ADMINISTRATOR = re.compile(r"The admin is at (\S+)admin/ for\n  (demo-admin) / (\S+)\n")


def demo_on(folder, host, *options):
    return ExampleSystem(folder, FORKED, "demo", "--port={port}", f"--host={host}", *options)


def test_printed_administrator_may_enter_the_admin_until_the_next_start(tmp_path):
    """Every start prints another password, and voids the old one."""
    old = ""
    for host in ("127.0.0.1", "localhost"):
        with demo_on(tmp_path, host) as system:
            page, username, password = ADMINISTRATOR.search(system.output).groups()
            assert page == f"http://{host}:{system.port}/"
            assert "Site administration" in Administrator(system.url).log_in(username, password)
            assert "Site administration" not in Administrator(system.url).log_in(username, old)
            old = password


@pytest.mark.parametrize(("host", "server"), [("0.0.0.0", "daphne"), ("0", "granian")])
@pytest.mark.asvs("6.3.2")
def test_on_the_network_the_printed_address_is_answered_and_no_administrator_is_made(
    tmp_path, host, server
):
    with demo_on(tmp_path, host, f"--server={server}") as system:
        assert ADMINISTRATOR.search(system.output) is None
        assert "demo-admin" not in system.output
        superusers = "SELECT count(*) FROM auth_user WHERE is_superuser"
        with contextlib.closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database:
            assert database.execute(superusers).fetchone() == (0,)
        url = re.search(r"Open (\S+)", system.output)[1]
        # The machine's address on its network: a proxy that the environment names is for others.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{url}api/demo/", timeout=DEADLINE) as answer:
            assert answer.status == 200


def test_page_is_given_the_users_of_the_demo_that_exist(system):
    users = system.request("GET", "/api/demo/").json()["users"]
    assert {"username": "suraj", "password": "123"} in users
    assert "demo-admin" not in json.dumps(users)


def is_bounded(system, token):
    """Return True if a socket is not compressed, and ends with a large frame."""
    with system.socket(f"/?token={token}") as ws:
        assert ws.protocol.extensions == []
        with contextlib.suppress(ConnectionClosed):  # daphne hangs up amid it
            ws.send("x" * 70_000)
        with pytest.raises(ConnectionClosed):
            ws.recv(timeout=DEADLINE)
    return True


def test_large_frame_ends_the_socket_and_nothing_is_compressed(system, token):
    assert is_bounded(system, token)  # on daphne; for `runserver` see below
    command = (FORKED, "demo", "--port={port}", "--server=uvicorn")
    with ExampleSystem(system.folder, *command, **system.variables) as other:
        assert is_bounded(other, token)


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
    command = (FORKED, "runserver", "--noreload", "{port}")
    with ExampleSystem(system.folder, *command, **system.variables) as runserver:
        assert runserver.request("GET", "/static/admin/css/base.css").status == 200
        assert runserver.request("GET", "/nothing-here").status == 404
        assert is_bounded(runserver, token)
        runserver.knock(f"/?token={token}")
        assert runserver.interrupt() == 0
        assert token not in runserver.output
        assert runserver.output.count("/nothing-here") == 1
        assert "Warning" not in runserver.output
