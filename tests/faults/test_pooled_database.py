"""A pool of one connection: whoever keeps it, keeps everybody else from the database."""

import json
import subprocess
import sys

import pytest

from tests.services import postgresql

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found():
    with postgresql() as server:
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.pooled", json.dumps(server.settings)],
            check=False,
            capture_output=True,
            text=True,
            timeout=600,  # it ends what hangs only
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_handshakes_in_a_row_and_at_once_share_the_only_connection(found):
    admitted = ["websocket.accept"] * 3 + ["websocket.close"]
    assert found["handshakes"] == admitted * 2


def test_site_can_query_between_handshakes_and_after_a_sweep(found):
    assert found["users"] == [3] * 5


def test_sweep_gets_the_connection_too(found):
    assert found["unavailable in the sweep"] == []
