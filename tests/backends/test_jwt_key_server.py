"""Where an issuer publishes its keys: how rarely it is asked, and what it may answer."""

import json
import threading
import time

import pytest

from channels_token_auth.backends.jwt.key_server import (
    MAX_BYTES,
    RETRY_SECONDS,
    UNKNOWN_KEY_SECONDS,
    KeyServer,
    KeyServerAwayError,
    is_safe_url,
)
from tests.backends.jwks_server import jwks_server
from tests.backends.jwt_keys import ec_keys, jwk, rsa_keys

LIFETIME, STALE = 300, 3600
FIRST = {"keys": [jwk(rsa_keys()[1], kid="1")]}
SECOND = {"keys": [jwk(rsa_keys()[1], kid="2")]}


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server():
    with jwks_server(FIRST) as running:
        yield running


@pytest.fixture
def keys(server, clock):
    return keys_of(server.url, clock=clock)


def keys_of(url, **options):
    given = {"algorithms": ["RS256", "ES256"], "lifetime": LIFETIME, "stale": STALE, "timeout": 2}
    return KeyServer(url, **(given | options))


def ids(found):
    return [key.key_id for key in found]


def publish(*entries):
    return {"keys": list(entries)}


def test_keys_are_fetched_once_in_their_lifetime(server, clock, keys):
    assert ids(keys.find("1")) == ["1"]
    clock.now += LIFETIME
    assert ids(keys.find("1")) == ["1"]
    assert len(server.asked) == 1


def test_key_that_is_withdrawn_is_gone_after_the_lifetime(server, clock, keys):
    keys.find("1")
    server.document = SECOND
    clock.now += LIFETIME + 1
    assert keys.find("1") == []
    assert ids(keys.find("2")) == ["2"]


def test_unknown_key_is_fetched_once_a_minute(server, clock, keys):
    keys.find("1")
    server.document = SECOND
    clock.now += UNKNOWN_KEY_SECONDS - 1
    assert [keys.find(name) for name in ("2", "3", "4")] == [[], [], []]
    assert len(server.asked) == 1
    clock.now += 1
    assert ids(keys.find("2")) == ["2"]
    assert [keys.find(name) for name in ("3", "4")] == [[], []]
    assert len(server.asked) == 2


def test_first_token_with_an_unknown_key_costs_one_fetch(server, keys):
    assert keys.find("2") == []
    assert len(server.asked) == 1


def test_token_without_a_key_id_may_be_of_any_key(server, keys):
    server.document = publish(*FIRST["keys"], *SECOND["keys"])
    assert ids(keys.find(None)) == ["1", "2"]


def test_keys_outlive_their_server_by_the_stale_seconds(server, clock, keys):
    keys.find("1")
    server.status = 500
    clock.now += LIFETIME + STALE
    assert ids(keys.find("1")) == ["1"]
    clock.now += 1
    with pytest.raises(KeyServerAwayError):
        keys.find("1")


def test_unknown_key_is_not_called_invalid_while_the_server_is_away(server, clock, keys):
    keys.find("1")
    server.status = 500
    clock.now += UNKNOWN_KEY_SECONDS
    for _ in range(2):
        with pytest.raises(KeyServerAwayError):
            keys.find("2")
    assert ids(keys.find("1")) == ["1"]
    assert len(server.asked) == 2


def test_server_that_is_away_is_asked_again_after_a_pause(server, clock, keys):
    server.status = 500
    for _ in range(3):
        with pytest.raises(KeyServerAwayError):
            keys.find("1")
    assert len(server.asked) == 1
    server.status = 200
    clock.now += RETRY_SECONDS
    assert ids(keys.find("1")) == ["1"]


def test_server_that_comes_to_no_end_is_left_at_the_timeout(server):
    server.is_open.clear()
    keys = keys_of(server.url, timeout=0.3)
    began = time.monotonic()
    with pytest.raises(KeyServerAwayError):
        keys.find("1")
    assert time.monotonic() - began < 2
    for thread in threading.enumerate():
        if thread.name == "jwks":
            thread.join(2)
            assert not thread.is_alive(), "each fetch of a slow server would leave a thread behind"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(server, keys, status):
    with jwks_server(FIRST) as other:
        server.status, server.headers = status, {"Location": other.url}
        with pytest.raises(KeyServerAwayError):
            keys.find("1")
        assert other.asked == []


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        [],
        "keys",
        {},
        {"keys": None},
        {"keys": 7},
        {"keys": []},
        {"keys": ["key"]},
        publish({"kty": "RSA", "n": "AQAB", "kid": "1"}),
        publish({"kty": ["RSA"], "kid": "1"}),
        publish({"kty": "oct", "k": "c2VjcmV0", "kid": "1"}),
        publish(jwk(rsa_keys()[1], kid="1", use="enc")),
        publish(jwk(rsa_keys()[1], kid="1", alg="PS512")),
        b" " * MAX_BYTES + b"{}",
    ],
)
def test_answer_without_a_usable_key_is_none(server, keys, document):
    server.document = document
    with pytest.raises(KeyServerAwayError):
        keys.find("1")


def test_bad_answer_costs_no_good_key(server, clock, keys):
    keys.find("1")
    server.document = b"rubbish"
    clock.now += LIFETIME + 1
    assert ids(keys.find("1")) == ["1"]


def test_key_is_for_the_algorithm_it_names_or_else_for_those_of_its_type(server, keys):
    server.document = publish(
        jwk(rsa_keys()[1], kid="named", alg="RS256"),
        jwk(ec_keys()[1], "ES256", kid="open"),
        {"kty": "unheard of", "kid": "new"},
    )
    assert [each.algorithms for each in keys.find(None)] == [("RS256",), ("ES256",)]


def test_failure_is_logged_with_its_reason(server, keys, caplog):
    server.status = 503
    with pytest.raises(KeyServerAwayError):
        keys.find("1")
    (record,) = caplog.records
    assert record.name == "channels_token_auth"
    assert "503" in record.getMessage()


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://id.example.com/jwks", True),
        ("http://127.0.0.1:8000/jwks", True),
        ("http://[::1]/jwks", True),
        ("http://localhost/jwks", True),
        ("http://id.example.com/jwks", False),
        ("http://127.0.0.1.example.com/jwks", False),
        ("http://localhost@example.com/", False),
        ("http://10.0.0.1/", False),
        ("file:///etc/passwd", False),
        ("ftp://127.0.0.1/jwks", False),
        ("https://", False),
        ("https://[bad/jwks", False),
        ("jwks", False),
    ],
)
def test_keys_come_by_https_or_from_this_machine(url, is_safe):
    assert is_safe_url(url) is is_safe


def test_nothing_is_fetched_from_an_unsafe_url(tmp_path):
    file = tmp_path / "jwks"
    file.write_text(json.dumps(FIRST))
    with pytest.raises(KeyServerAwayError):
        keys_of(file.as_uri()).find("1")


def test_secret_that_a_server_publishes_is_none(server):
    server.document = publish({"kty": "oct", "k": "c2VjcmV0" * 8, "kid": "1"})
    with pytest.raises(KeyServerAwayError):
        keys_of(server.url, algorithms=["HS256"]).find("1")


def test_key_is_shown_by_no_repr(keys):
    (key,) = keys.find("1")
    assert "RSA" not in repr(key)
