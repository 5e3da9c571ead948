"""Scopes as servers and other middleware write them: what is read, and what is left in them."""

import traceback
from types import MappingProxyType

import pytest
from django.core.exceptions import ImproperlyConfigured

from channels_token_auth import middleware
from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.observability import refusal_log
from tests.connection.server import ACCEPT, CONNECT, Server, scope

GOOD, BAD = "g00d-canary", "b4d-canary"
OFFER = b"sec-websocket-protocol"
LOCATIONS = ["header", "subprotocol", "query", "cookie", "first_message"]


@pytest.fixture(autouse=True)
def site(settings):
    settings.ALLOWED_HOSTS = ["example.com"]
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "tests.middleware.backend.OneTokenBackend"}],
        "LOCATIONS": LOCATIONS,
    }


def presenting(token):
    """A scope for each location that holds the token there, and all of them at once."""
    bearer = (b"authorization", f"Token {token}".encode())
    offer = (OFFER, f"chat, bearer.{token}".encode())
    page = (b"origin", b"https://example.com")
    cookie = (b"cookie", f"a=1; token={token}; token={token}".encode())
    query = {"query_string": f"room=1&token={token}".encode()}
    listed = {"subprotocols": ["chat", f"bearer.{token}"]}
    parsed = {"cookies": {"a": "1", "token": token}}
    return {
        "header": {"headers": [bearer]},
        "subprotocol": {"headers": [offer], **listed},
        "unsplit subprotocol": {"headers": [offer], "subprotocols": [f"chat, bearer.{token}"]},
        "query": {"headers": [], **query},
        "cookie": {"headers": [page, cookie], **parsed},
        "foreign page": {"headers": [(b"origin", b"https://evil.test"), offer], **listed},
        "all": {"headers": [page, bearer, offer, cookie], **query, **listed, **parsed},
    }


KINDS = {
    "dict": dict,
    "tuples": lambda given: {**given, "headers": tuple(given["headers"])},
    "iterator": lambda given: {**given, "headers": iter(given["headers"])},
    "generator": lambda given: {**given, "headers": (list(each) for each in given["headers"])},
    "capitals": lambda given: {
        **given,
        "headers": [(name.title(), value) for name, value in given["headers"]],
    },
}
WAYS = [(way, token) for token in (GOOD, BAD) for way in presenting(token)]


class Recorder:
    """Middleware outside: reads its scope when the socket has ended, as error reporters do."""

    def __init__(self, application, *, copies):
        self.application = application
        self.copies = copies
        self.seen = None

    async def __call__(self, scope, receive, send):
        try:
            await self.application({**scope} if self.copies else scope, receive, send)
        finally:
            self.seen = repr(scope)


async def accepting(scope, receive, send):
    await receive()
    await send(ACCEPT)
    await receive()


GOODBYE = {"type": "websocket.disconnect", "code": 1000}


async def serve(application, given, *, copies=False):
    server = Server(CONNECT, GOODBYE)
    recorder = Recorder(TokenAuthMiddleware(application), copies=copies)
    await recorder(given, server.receive, server.send)
    return recorder, server


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("way", "token"), WAYS)
async def test_middleware_outside_finds_no_token_afterwards(way, token, kind):
    recorder, server = await serve(accepting, KINDS[kind](scope(**presenting(token)[way])))
    assert server.sent
    assert "canary" not in recorder.seen


OFF = {
    "query": {"query_string": b"room=1&token=g00d-canary"},
    "ticket": {"query_string": b"ticket=g00d-canary"},
    "cookie": {"headers": [(b"cookie", b"a=1; token=g00d-canary")], "cookies": {"token": "canary"}},
    "scheme": {"headers": [(b"authorization", b"Unknown g00d-canary")]},
    "no scheme": {"headers": [(b"authorization", b"g00d-canary")]},
    "foreign page": {
        "headers": [(b"origin", b"https://evil.test")],
        "query_string": b"token=g00d-canary",
    },
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", OFF)
async def test_refused_client_leaves_no_token_in_a_location_that_is_off(way, kind, settings):
    settings.CHANNELS_TOKEN_AUTH |= {"LOCATIONS": ["header", "subprotocol"]}
    recorder, server = await serve(accepting, KINDS[kind](scope(**OFF[way])))
    assert server.types == ["websocket.close"]
    assert "canary" not in recorder.seen


NAMED = {"query_name": "key", "cookie_name": "key"}
OWN_NAMES = {
    "own query": {"query_string": b"room=1&key=g00d-canary"},
    "own cookie": {"headers": [(b"cookie", b"a=1; key=g00d-canary")]},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", [*presenting(GOOD), *OFF, *OWN_NAMES])
async def test_wrong_setting_leaves_no_token(way, kind, settings):
    """A middleware that is built before Django is set up reads the settings at its first socket."""
    values = {**presenting(GOOD), **OFF, **OWN_NAMES}[way]
    middleware = TokenAuthMiddleware(accepting, **(NAMED if way in OWN_NAMES else {}))
    settings.CHANNELS_TOKEN_AUTH |= {"LOCATION": []}
    server, recorder = Server(CONNECT), Recorder(middleware, copies=False)
    with pytest.raises(ImproperlyConfigured, match="LOCATION"):
        await recorder(KINDS[kind](scope(**values)), server.receive, server.send)
    assert "canary" not in recorder.seen


BARE = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"
BARE_OFFERS = {
    "alone": [BARE],
    "first": [BARE, "chat"],
    "after a name": ["access_token", BARE],
    "unsplit": [f"{BARE}, chat"],
    "not in the header": None,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("headers", [[], [(b"authorization", b"Token " + GOOD.encode())]])
@pytest.mark.parametrize("offer", BARE_OFFERS.values(), ids=BARE_OFFERS)
async def test_token_that_is_a_subprotocol_by_itself_is_seen_by_nobody(
    offer, headers, kind, caplog
):
    """Neither the application nor middleware outside has it, and it is never selected."""
    middleware.throttle.reset()
    refusal_log.throttle.reset()
    seen = []

    async def application(scope, receive, send):
        seen.append(repr(scope))
        await accepting(scope, receive, send)

    line = [] if offer is None else [(OFFER, ", ".join(offer).encode())]
    page = (b"origin", b"https://example.com")
    given = scope(headers=[page, *headers, *line], subprotocols=offer or [BARE])
    recorder, server = await serve(application, KINDS[kind](given))
    assert len(seen) == len(headers)
    assert BARE not in f"{seen} {recorder.seen} {server.sent} {caplog.text}"
    assert any("'bearer.<token>'" in each for each in caplog.messages)


async def test_application_keeps_what_no_location_reads(settings):
    settings.CHANNELS_TOKEN_AUTH |= {"LOCATIONS": ["header"]}
    given = scope(headers=[(b"authorization", b"Token g00d-canary")], query_string=b"token=own")
    recorder, server = await serve(accepting, given)
    assert server.types == ["websocket.accept"]
    assert "token=own" in recorder.seen


@pytest.mark.parametrize("way", ["header", "all"])
async def test_shallow_copy_outside_shares_a_clean_list_of_headers(way):
    given = scope(**presenting(GOOD)[way])
    recorder, _ = await serve(accepting, given, copies=True)
    assert "canary" not in repr(given["headers"])
    assert "canary" not in repr(given.get("cookies"))
    assert recorder.seen


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", [way for way in presenting(GOOD) if way != "foreign page"])
async def test_credential_is_found_however_the_scope_is_written(way, kind):
    seen = []

    async def application(scope, receive, send):
        seen.append(scope)
        await accepting(scope, receive, send)

    _, server = await serve(application, KINDS[kind](scope(**presenting(GOOD)[way])))
    assert server.types == ["websocket.accept"]
    assert "canary" not in repr(seen)


async def test_scope_that_cannot_be_changed_is_served_all_the_same():
    given = MappingProxyType(scope(**presenting(GOOD)["all"]))
    _, server = await serve(accepting, given)
    assert server.types == ["websocket.accept"]


async def test_scope_without_a_credential_is_not_touched():
    given = scope(headers=((b"host", b"example.com"),), subprotocols=("chat",))
    before = {**given}
    await serve(accepting, given)
    assert given == before


SPARSE = [
    {"headers": None, "query_string": None, "subprotocols": None},
    {"headers": (), "query_string": "", "subprotocols": ""},
    {"headers": iter(()), "subprotocols": iter(())},
]
ABSENT = ["headers", "query_string", "subprotocols", "path", "client", "extensions"]


@pytest.mark.parametrize("values", [*SPARSE, *({each: ...} for each in ABSENT)])
@pytest.mark.parametrize("anonymous", [True, False])
async def test_scope_may_lack_what_asgi_makes_optional(values, anonymous, settings, caplog):
    caplog.set_level("INFO", "channels_token_auth.audit")  # the audit reads the scope as well
    locations = [each for each in LOCATIONS if each != "first_message"]
    settings.CHANNELS_TOKEN_AUTH |= {"ANONYMOUS": anonymous, "LOCATIONS": locations}
    given = {k: v for k, v in (scope() | values).items() if v is not ...}
    _, server = await serve(accepting, given)
    assert server.types == ["websocket.accept" if anonymous else "websocket.close"]


@pytest.mark.parametrize(
    "listed",
    [None, "", "chat, token-auth.v1", ["chat, token-auth.v1"], [], iter(["chat"]), ("chat",)],
)
async def test_consumer_sees_what_the_header_offers(listed):
    seen = []

    async def application(scope, receive, send):
        seen.append(scope["subprotocols"])
        await accepting(scope, receive, send)

    headers = [(b"authorization", f"Token {GOOD}".encode()), (OFFER, b"chat, token-auth.v1")]
    _, server = await serve(application, scope(headers=headers, subprotocols=listed))
    known = [listed] if isinstance(listed, tuple) else []
    assert "chat" in seen[0]
    assert known or not [entry for entry in seen[0] if "," in entry]
    assert server.sent[0]["type"] == "websocket.accept"


@pytest.mark.parametrize("way", presenting(GOOD))
async def test_exception_carries_no_token_in_any_frame_that_a_reporter_reads(way):
    async def application(scope, receive, send):
        raise RuntimeError("a bug of the site's")

    given = scope(**presenting(GOOD)[way])
    if way == "foreign page":  # no application runs
        await serve(application, given)
        return
    with pytest.raises(RuntimeError) as raised:
        await serve(application, given)
    frames = [frame for frame, _ in traceback.walk_tb(raised.value.__traceback__)]
    for frame in frames[1:]:
        assert "canary" not in repr(frame.f_locals)
