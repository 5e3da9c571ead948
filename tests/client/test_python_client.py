"""Test the client in Python, written from PROTOCOL.md alone: by vectors, and on a real server."""

import asyncio
import json
import time

import pytest
import websockets
from django.contrib.auth.models import User

from spec.client import Client
from spec.messages import APPLICATION, read, write
from tests.browser.protocol_site import running_site
from tests.docs.pages import ROOT

VECTORS = json.loads((ROOT / "spec" / "vectors" / "client.json").read_text())
MESSAGES = json.loads((ROOT / "spec" / "vectors" / "messages.json").read_text())
ABLE = {"native", "reauthenticate"}
CASES = [case for case in VECTORS["sequences"] if ABLE.issuperset(case.get("needs", ()))]
IGNORED = {"sent", "wake"}
NOTHING = {"abort", "drop"}  # where nothing is under way, as the vectors' `about` says


def relevant(actions):
    """Return the actions to compare: in any order, and without those that change nothing."""
    return sorted(json.dumps(action) for action in actions if action[0] not in NOTHING)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_client_lives_as_specified(case):
    rules = VECTORS["rules"] | case.get("rules", {})
    client = Client(rules["location"], rules["protocols"], lambda n: n)
    for step in case["steps"]:
        client.now, client.actions = step["at"], []
        if step["event"] not in IGNORED:
            getattr(client, step["event"])(*([step["with"]] if "with" in step else []))
        assert (client.state, relevant(client.actions)) == (step["state"], relevant(step["does"]))


@pytest.mark.parametrize("case", [pytest.param(c, id=c["name"]) for c in MESSAGES["client"]])
def test_frame_is_read_as_specified(case):
    names = {"application": {}, "ignored": None}
    assert read(case["text"]) == (names[case["is"]] if isinstance(case["is"], str) else case["is"])


@pytest.mark.parametrize(
    "frame", [b'{"type":"auth.pong"}', '{"type":"auth.pong","more":' + "[" * 100_000]
)
def test_frame_of_the_application_is_never_an_error(frame):
    assert read(frame) == APPLICATION


# -- Against a real server


@pytest.fixture(scope="module")
def site():
    with running_site() as site:
        yield site


@pytest.fixture
def tokens(site):
    for token in ("ada", "next", "café"):
        site.tokens.issue(User(pk=7, username="ada"), token=token)
    return site.tokens


async def live(url, tokens, until, location):
    """Run a client with these tokens, one after the other, until it does something; return all."""
    client, socket = Client(location, [], lambda n: n), None
    done, tokens = [], iter(tokens)
    client.start()
    while until not in [action[0] for action in done]:
        while not client.actions:
            await receive(client, socket)
        client.now = time.monotonic()
        action = client.actions.pop(0)
        done.append(action)
        match action:
            case ["get_token", _]:
                client.token(next(tokens, None))
            case ["connect", offer, _]:
                socket = await connect(client, url, offer)
            case ["send", message]:
                await socket.send(write(message))
    if socket:
        await socket.close()
    return done


async def connect(client, url, offer):
    try:
        socket = await websockets.connect(url, subprotocols=offer, open_timeout=60)
    except websockets.InvalidStatus as error:
        body = json.loads(error.response.body or b"{}")
        client.refused({"status": error.response.status_code, "code": body.get("code")})
        return None
    client.opened(socket.subprotocol or "")
    return socket


async def receive(client, socket):
    try:
        text = await asyncio.wait_for(socket.recv(), 60)
    except websockets.ConnectionClosed as closed:
        frame = closed.rcvd
        client.closed(
            {"code": frame.code if frame else 1006, "reason": frame.reason if frame else ""}
        )
    else:
        client.frame(text)


def run(site, tokens, until, location="subprotocol"):
    return asyncio.run(live(site.url.replace("http", "ws"), tokens, until, location))


@pytest.mark.parametrize("location", ["subprotocol", "first_message"])
@pytest.mark.parametrize("token", ["ada", "café"])
def test_python_client_is_authenticated(site, tokens, location, token):
    assert run(site, [token], "authenticated", location=location)[-1] == [
        "authenticated",
        None,
        "7",
    ]


def test_python_client_asks_once_for_another_token(site, tokens):
    done = run(site, ["wrong", "next"], "authenticated")
    assert [details for name, *details in done if name == "get_token"] == [["open"], ["rejected"]]


def test_python_client_asks_for_a_login(site, tokens):
    assert run(site, ["wrong", "wrong-too"], "end")[-1] == [
        "end",
        4401,
        "token_invalid",
    ]


def test_python_client_reads_a_denial_over_http(site, tokens):
    assert run(site, ["x" * 5000], "end")[-1] == ["end", 4400, "malformed"]
