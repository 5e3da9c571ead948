"""How a refused handshake is answered."""

import json

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.handshake.policy import RefusalMode
from channels_token_auth.core.handshake.refusal import close_message, http_answer, refuse
from tests.core.opening import ORIGIN, read

AUTO, CLOSE, DENY = RefusalMode
NATIVE = read()
PAGE = read(ORIGIN)
OFFERING = read(offer=["token-auth.v1"])
WITH_TOKEN = read(offer=["chat", "bearer.abc"])
WITH_TOKEN_UNREAD = read(offer=["chat", "base64url.bearer.YWJj"], locations=frozenset())
FOREIGN = read((b"origin", b"https://evil.test"), offer=["token-auth.v1"])
OVERSIZED = read(offer=["token-auth.v1", "bearer.abcd"], max_token_bytes=3)


def answer(handshake, mode=AUTO, *, code=CloseReason.TOKEN_INVALID, http=True, retry_after=None):
    error = TokenAuthError(code, retry_after=retry_after)
    return refuse(error, handshake, mode=mode, http=http)


def kind(messages):
    """Return the kind of answer: over HTTP, the server's own denial, or accept and close.

    "told" is the latter with an `auth.error` before the close.
    """
    return {
        ("websocket.accept", "websocket.close"): "close",
        ("websocket.accept", "websocket.send", "websocket.close"): "told",
        ("websocket.http.response.start", "websocket.http.response.body"): "http",
        ("websocket.close",): "plain",
    }[tuple(message["type"] for message in messages)]


def http_headers(*args, **options):
    start, _ = answer(*args, **options)
    return dict(start["headers"])


@pytest.mark.parametrize(
    ("handshake", "mode", "with_http", "without_http"),
    [
        pytest.param(handshake, mode, *expected, id=f"{mode}, {name}")
        for name, handshake, rows in [
            ("native", NATIVE, {AUTO: "http plain", CLOSE: "close close", DENY: "http plain"}),
            ("page", PAGE, {AUTO: "close close", CLOSE: "close close", DENY: "http plain"}),
            ("offering", OFFERING, {AUTO: "told told", CLOSE: "told told", DENY: "http plain"}),
            ("token", WITH_TOKEN, {AUTO: "close close", CLOSE: "close close", DENY: "http plain"}),
            ("token, location off", WITH_TOKEN_UNREAD, {AUTO: "close close"}),
            ("foreign", FOREIGN, dict.fromkeys(RefusalMode, "http plain")),
            ("oversized", OVERSIZED, dict.fromkeys(RefusalMode, "http plain")),
        ]
        for mode, row in rows.items()
        for expected in [row.split()]
    ],
)
def test_answer_is_one_that_the_client_can_read(handshake, mode, with_http, without_http):
    assert kind(answer(handshake, mode, http=True)) == with_http
    assert kind(answer(handshake, mode, http=False)) == without_http


@pytest.mark.parametrize("code", CloseReason)
def test_accepted_refusal_closes_with_the_code_and_its_slug(code):
    close = {"type": "websocket.close", "code": code.close_code, "reason": code.value}
    assert answer(PAGE, code=code)[1:] == [close]
    assert close_message(code) == close


@pytest.mark.parametrize("code", CloseReason)
@pytest.mark.asvs("4.2.2")
def test_denial_carries_the_status_the_slug_and_the_challenge(code):
    if code.http_status is None:
        assert answer(NATIVE, code=code) == [close_message(code)]
        return
    start, body = answer(NATIVE, code=code)
    headers = dict(start["headers"])
    challenge = headers.get(b"www-authenticate")
    assert start["status"] == code.http_status
    assert json.loads(body["body"]) == {"code": code.value}
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    if code.challenge:
        assert challenge == f'Bearer error="{code.challenge}"'.encode()
    else:
        assert challenge == (b"Bearer" if code.http_status == 401 else None)


@pytest.mark.asvs("14.3.2")
def test_denial_is_kept_by_no_cache():
    assert http_headers(NATIVE)[b"cache-control"] == b"no-store"
    assert http_headers(NATIVE)[b"content-type"] == b"application/json"


@pytest.mark.parametrize(
    "code", [CloseReason.UNAVAILABLE, CloseReason.RATE_LIMITED, CloseReason.CONNECTION_LIMIT]
)
def test_denial_says_when_to_try_again(code):
    assert http_headers(NATIVE, code=code, retry_after=7)[b"retry-after"] == b"7"


def test_denial_that_is_final_names_no_time():
    assert b"retry-after" not in http_headers(NATIVE)


BARE = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"


@pytest.mark.parametrize(
    ("offer", "echo"),
    [
        pytest.param([], None, id="nothing was offered"),
        pytest.param(["token-auth.v1"], "token-auth.v1", id="ours"),
        pytest.param(["chat", "token-auth.v1"], "token-auth.v1", id="ours is not the first"),
        pytest.param(["chat", "soap"], "chat", id="the first of others"),
        pytest.param(["bearer.abc", "chat"], "chat", id="the first that is no credential"),
        pytest.param(["bearer.abc"], None, id="a credential only"),
        pytest.param([BARE], None, id="a token by itself"),
        pytest.param([BARE, "chat"], "chat", id="the first that is no token"),
        pytest.param(["s3cr3tly"], None, id="a text that may be a short token"),
        pytest.param(["base64url.bearer.phx.YQ", "token-auth.v1"], "token-auth.v1", id="encoded"),
    ],
)
def test_refusal_echoes_an_offer_but_never_a_credential(offer, echo):
    """A browser to which nothing of its offer is echoed fails the connection with 1006."""
    accept, *_ = answer(read(ORIGIN, offer=offer), CLOSE)
    assert accept == {"type": "websocket.accept", "subprotocol": echo}


def test_refusal_is_sent_in_a_message_where_our_protocol_is_echoed():
    _, told, close = answer(OFFERING, CLOSE)
    assert json.loads(told["text"]) == {
        "type": "auth.error",
        "code": close["reason"],
        "retry": False,
        "retry_after": None,
    }


@pytest.mark.parametrize("http", [True, False])
@pytest.mark.parametrize("mode", RefusalMode)
@pytest.mark.asvs("16.5.1")
def test_refusal_never_shows_the_token(mode, http):
    handshake = read(
        ORIGIN,
        (b"authorization", b"Bearer c4n4ry"),
        (b"cookie", b"token=c4n4ry"),
        query=b"token=c4n4ry",
        offer=["bearer.c4n4ry"],
    )
    assert "c4n4ry" not in repr(answer(handshake, mode, http=http))


@pytest.mark.parametrize(
    ("schemes", "status", "challenge"),
    [
        (["bearer"], 401, b'Bearer error="invalid_token"'),
        (["token", "bearer"], 401, b'Bearer error="invalid_token", Token'),
        (["token"], 401, b"Token"),
        (["token"], 403, None),
        (["token", "bearer"], 403, b'Bearer error="invalid_token"'),
        ([], 401, b'Bearer error="invalid_token"'),
        (["token"], 503, None),
    ],
)
def test_challenge_names_every_scheme_that_would_help(schemes, status, challenge):
    headers, _ = http_answer(TokenAuthError(CloseReason.TOKEN_INVALID), status, schemes)
    assert dict(headers).get(b"www-authenticate") == challenge
