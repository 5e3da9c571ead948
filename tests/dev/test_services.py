"""The services of the tests, and the database that pytest was asked for."""

import os
import subprocess
import sys
import threading

import psycopg
import pytest
from django.db import connection

from tests import launcher
from tests.nginx import nginx
from tests.services import PostgreSQL, command_line, free_port, postgresql


@pytest.fixture(scope="module")
def server():
    with postgresql() as server:
        yield server


def connect(server: PostgreSQL) -> psycopg.Connection:
    return psycopg.connect(host=server.settings["HOST"], user="postgres", dbname="postgres")


@pytest.mark.database
@pytest.mark.django_db
def test_tests_run_on_the_database_that_was_asked_for(pytestconfig):
    assert connection.vendor == pytestconfig.option.database


def test_stopped_server_ends_its_connections_and_can_start_again(server):
    with connect(server) as lost:
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            lost.execute("SELECT 1")
    server.start()
    with connect(server) as found:
        assert found.execute("SELECT 1").fetchone() == (1,)


def test_paused_server_answers_nothing_until_it_is_resumed(server):
    answers = []
    with connect(server) as live:
        server.pause()
        asking = threading.Thread(
            target=lambda: answers.append(live.execute("SELECT 1").fetchone())
        )
        asking.start()
        asking.join(0.3)
        assert answers == []
        server.resume()
        asking.join(600)
    assert answers == [(1,)]


@pytest.mark.parametrize("service", [postgresql, lambda: nginx([9])], ids=["PostgreSQL", "nginx"])
def test_service_starts_whatever_the_umask_is(service):
    before = os.umask(0o077)
    try:
        with service() as server:
            assert server.process.poll() is None
    finally:
        os.umask(before)


def test_server_leaves_neither_process_nor_folder():
    with postgresql() as server:
        process = server.process
    assert process.poll() is not None
    assert not server.folder.exists()


def test_other_runs_do_not_get_a_port_that_was_given_out():
    port = free_port()
    program = (
        "import random; real, wanted = random.randrange, [%d];"
        "random.randrange = lambda *range: wanted.pop() if wanted else real(*range);"
        "from tests.services import free_port; print(free_port())"
    )
    command = [sys.executable, "-c", program % port]
    assert int(subprocess.run(command, check=True, capture_output=True).stdout) != port


def test_reserved_ports_are_left_without_a_warning():
    finished = launcher.run_code("from tests.services import free_port; free_port()")
    assert finished.stderr == ""


def test_process_that_has_ended_has_no_command_line():
    assert b"python" in command_line(os.getpid())
    ended = subprocess.Popen(["true"])
    ended.wait(60)
    assert command_line(ended.pid) == b""
