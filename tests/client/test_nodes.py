"""The built client in the oldest and the newest Node, against a real server.

Node 22's WebSocket fires `error` and no `close` after a failed handshake. Node sends no Origin.
"""

import json
import subprocess
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User

from tests.browser.protocol_site import running_site
from tests.client.node import CLIENT, NODE, node_22
from tests.services import free_port

ADA = User(pk=7, username="ada")
AT_ONCE = 14_000
"""Milliseconds; less than the 15 s after which an attempt without any event is given up."""


@pytest.fixture(params=["22", "newest"])
def client(request):
    """Return a function that runs a client, and yields its events as they are printed."""
    program = [node_22() if request.param == "22" else NODE]
    program += ["--disable-warning=ExperimentalWarning", CLIENT / "tests" / "lost.ts"]

    @contextmanager
    def run(url, **options):
        command = [*map(str, program), url, json.dumps(options)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
            try:
                yield (json.loads(line) for line in node.stdout)
            finally:
                node.kill()

    return run


@pytest.fixture(scope="module")
def site():
    with running_site() as site:
        site.tokens.issue(ADA, token="ada")
        yield site


def test_connection_is_opened(client, site):
    with client(site.url, token="ada") as events:
        assert next(events)[1:] == ["open"]


def test_refusal_comes_with_its_code(client, site):
    with client(site.url, token="wrong") as events:
        assert next(events)[1:] == ["reconnecting", "token_invalid", 4401]
        assert [event[1:] for event in events] == [
            ["error", "token_invalid", "login"],
            ["close", 4401],
        ]


def test_denied_handshake_is_looked_into_at_once(client, site):
    """A token over MAX_TOKEN_BYTES is denied over HTTP, which no WebSocket of Node shows."""
    with client(site.url, token="x" * 5000, authUrl=f"{site.url}auth/") as events:
        looked, error, closed = events
    assert looked[1:] == ["fetch", "/auth/check/"]
    assert error[1:] == ["error", "malformed", "stop"]
    assert closed[1:] == ["close", 4400]
    assert closed[0] < AT_ONCE


def test_server_that_is_not_there_is_noticed_at_once(client):
    with client(f"ws://127.0.0.1:{free_port()}/", token="ada") as events:
        milliseconds, *event = next(events)
    assert event == ["reconnecting", "closed", 1006]
    assert milliseconds < AT_ONCE


def test_server_that_goes_away_is_noticed_and_found_again(client, site):
    with client(site.url, token="ada") as events:
        assert next(events)[1:] == ["open"]
        site.stop()
        assert next(events)[1] == "reconnecting"
        site.start()
        assert ["open"] in (event[1:] for event in events)


def test_page_closes_it(client, site):
    with client(site.url, token="ada", closeAfter=1) as events:
        assert [event[1] for event in events][-1] == "close"
