"""The services of the tests, and the database that pytest was asked for."""

import threading

import psycopg
import pytest
from django.db import connection

from tests.services import PostgreSQL, postgresql


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
        asking.join(60)
    assert answers == [(1,)]


def test_server_leaves_neither_process_nor_folder():
    with postgresql() as server:
        process = server.process
    assert process.poll() is not None
    assert not server.folder.exists()
