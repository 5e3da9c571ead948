"""Messages that an application sends before it accepts, or instead of accepting."""

import pytest

from tests.connection.server import ACCEPT, CONNECT, Server, sends
from tests.connection.serving import GOOD, serve

PAGE = [(b"origin", b"https://example.com"), GOOD]
OFFERING = {"subprotocols": ["token-auth.v1", "chat"]}
HTTP = {"extensions": {"websocket.http.response": {}}}
RESPONSE = [
    {"type": "websocket.http.response.start", "status": 403, "headers": []},
    {"type": "websocket.http.response.body", "body": b"no", "more_body": True},
    {"type": "websocket.http.response.body", "body": b"!"},
]


@pytest.fixture(autouse=True)
def site(settings):
    settings.ALLOWED_HOSTS = ["example.com"]
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "tests.middleware.backend.OneTokenBackend"}],
        "LOCATIONS": ["header", "subprotocol", "first_message"],
    }


def saying(*messages, events=None):
    """An application that sends these messages, and receives what follows."""

    async def application(scope, receive, send):
        await receive()
        for message in messages:
            await send(message)
        while events is not None:
            events.append(await receive())
            if events[-1]["type"] == "websocket.disconnect":
                return

    return application


def close(**values):
    return {"type": "websocket.close", **values}


@pytest.mark.parametrize(
    ("offered", "chosen", "echoed"),
    [
        (["token-auth.v1", "chat"], None, "token-auth.v1"),
        (["token-auth.v1", "chat"], "chat", "chat"),
        (["chat"], None, None),
        ([], None, None),
    ],
)
async def test_application_chooses_the_subprotocol_and_ours_is_echoed_otherwise(
    offered, chosen, echoed
):
    server = Server(CONNECT)
    await serve(server, saying({**ACCEPT, "subprotocol": chosen}), subprotocols=offered)
    assert server.sent[0]["subprotocol"] == echoed


# -- Denials


DENIALS = [
    (close(), [4403], 4403),
    (close(code=None), [4403], 4403),
    (close(code=4001), [4001], 4001),
    (close(code=1008, reason="no"), [1008], 1008),
    (close(code=1000, reason=""), [4403], 4403),  # as Starlette denies
    (close(code=3000), [3000], 3000),
    (close(code=1006), [4403], 4403),  # in no close frame
    (close(code=400), [4403], 4403),
    (close(code="4001"), [4403], 4403),
    (RESPONSE[0], [4403], 4403),
]


@pytest.mark.parametrize(("denial", "sent", "code"), DENIALS)
async def test_denial_is_reported_to_a_page(denial, sent, code):
    server, events = Server(CONNECT), []
    told = await serve(server, saying(denial, events=events), headers=PAGE)
    assert told == ["accept", *sent]
    assert [(event["type"], event["code"]) for event in events] == [("websocket.disconnect", code)]


@pytest.mark.parametrize(("denial", "sent", "code"), DENIALS)
async def test_denial_after_a_first_message_is_reported_in_the_same_way(denial, sent, code):
    auth = '{"type":"auth","token":"g00d-canary"}'
    server = Server(CONNECT, {"type": "websocket.receive", "text": auth})
    events = []
    told = await serve(server, saying(denial, events=events), headers=[])
    explained = ["auth.error forbidden"] * (code == 4403)
    assert told == ["accept", "auth.required", "auth.ok", *explained, *sent]
    assert [event["code"] for event in events] == [code]


@pytest.mark.parametrize(
    ("denial", "sent"), [(close(), ["auth.error forbidden", 4403]), (close(code=4001), [4001])]
)
async def test_page_that_offers_our_protocol_gets_the_slug_where_there_is_one(denial, sent):
    server = Server(CONNECT)
    told = await serve(server, saying(denial), headers=[GOOD], **OFFERING)
    assert told == ["accept", *sent]
    assert server.sent[0]["subprotocol"] == "token-auth.v1"


async def test_page_gets_an_offered_protocol_selected_with_its_denial():
    server = Server(CONNECT)
    await serve(server, saying(close()), headers=PAGE, subprotocols=["chat", "soap"])
    assert server.sent[0]["subprotocol"] == "chat"


@pytest.mark.parametrize("denial", [close(), close(code=4001, reason="no")])
async def test_denial_of_another_client_is_the_servers(denial):
    server, events = Server(CONNECT), []
    await serve(server, saying(denial, events=events))
    assert server.sent == [denial]
    assert [event["code"] for event in events] == [denial.get("code", 1006)]


@pytest.mark.parametrize(
    ("mode", "values", "told"),
    [
        ("deny", {"headers": PAGE}, ["close"]),
        ("deny", {"headers": [GOOD], **OFFERING}, ["close"]),
        ("close", {}, ["accept", 4403]),
    ],
)
async def test_denial_follows_the_mode_of_refusals(mode, values, told):
    server = Server(CONNECT)
    assert await serve(server, saying(close()), overrides={"refusal": mode}, **values) == told


async def test_response_over_http_passes_where_the_client_can_read_it():
    server, events = Server(CONNECT), []
    await serve(server, saying(*RESPONSE, events=events), **HTTP)
    assert server.sent == RESPONSE
    assert [event["code"] for event in events] == [1006]


async def test_nothing_that_follows_a_denial_is_passed_on():
    server = Server(CONNECT)
    told = await serve(server, saying(close(), ACCEPT, sends("x"), *RESPONSE), headers=PAGE)
    assert told == ["accept", 4403]


async def test_second_accept_is_dropped():
    server = Server(CONNECT)
    assert await serve(server, saying(ACCEPT, ACCEPT, close(code=4000))) == ["accept", 4000]


async def test_close_that_the_server_cannot_send_becomes_4500():
    class Daphne(Server):
        async def send(self, message):
            if message.get("code", 1000) not in (1000, 4500):
                raise ValueError("invalid close code")
            await super().send(message)

    for code in (1008, 2000, 5000, "4001"):
        assert await serve(Daphne(CONNECT), saying(ACCEPT, close(code=code))) == ["accept", 4500]
    assert await serve(Daphne(CONNECT), saying(close(code=1013)), headers=PAGE) == ["accept", 4500]
