"""The options of the JWT backend: what they must be, and what is dangerous about them."""

import pytest

from channels_token_auth.backends.jwt import JWTBackend
from channels_token_auth.backends.jwt.options import JWTOptions
from tests.backends import checking
from tests.backends.jwt_keys import ec_keys, pem, rsa_keys

SECRET = "s" * 64
URL = "https://id.example.com/jwks"
RIGHT = {"algorithms": ["HS256"], "key": SECRET}
REMOTE = {
    "algorithms": ["RS256"],
    "jwks_url": URL,
    "issuer": "https://id",
    "audience": "chat",
    "profile": "at+jwt",
}


def find_user(claims):
    """Return no user: a site's function for the option `user`."""


def ids(options):
    return [message.id.removeprefix("channels_token_auth.") for message in check(options)]


def check(options):
    messages = checking.check(JWTBackend(**options))
    assert all(message.hint for message in messages)
    assert SECRET not in repr(messages)
    return messages


@pytest.mark.parametrize(
    "changes",
    [
        {"algorithms": "HS256"},
        {"algorithms": []},
        {"algorithms": [None]},
        {"key": ""},
        {"key": 7},
        {"key": None},
        {"key": None, "keys": SECRET},
        {"key": None, "keys": [None]},
        {"keys": [SECRET]},
        {"jwks_url": URL},
        {"jwks_url": ""},
        {"jwks_lifetime": -1},
        {"jwks_stale": float("inf")},
        {"jwks_timeout": 0},
        {"leeway": "5"},
        {"leeway": True},
        {"audience": []},
        {"audience": 7},
        {"issuer": ""},
        {"typ": ""},
        {"token_type": "access"},
        {"token_type": ["token_use"]},
        {"required_claims": "jti"},
        {"required_claims": {7: "jti"}},
        {"profile": "jwt"},
        {"profile": ["at+jwt"]},
        {"profile": "at+jwt"},
        {"profile": "at+jwt", "issuer": "https://id"},
        {"allow_machines": 1},
        {"labels": "tenant"},
        {"require_exp": 1},
        {"user_claim": None},
        {"user_field": ""},
        {"user": ""},
        {"scope_claim": ""},
        {"unheard_of": 1},
    ],
)
def test_option_that_cannot_be_is_refused_by_name(changes):
    with pytest.raises(TypeError) as caught:
        JWTBackend(**(RIGHT | changes))
    assert SECRET not in str(caught.value)
    assert any(repr(name) in str(caught.value) for name in changes)


def test_algorithms_must_be_named():
    with pytest.raises(TypeError, match="algorithms"):
        JWTBackend(key=SECRET)


def test_keys_are_shown_by_no_repr():
    options = [JWTOptions(**RIGHT), JWTOptions(algorithms=["HS256"], keys=[SECRET])]
    assert SECRET not in repr(options)


@pytest.mark.parametrize(
    "options",
    [
        RIGHT,
        {"algorithms": ["HS256", "HS384", "HS512"], "key": SECRET.encode()},
        {"algorithms": ["RS256", "ES256"], "keys": [pem(rsa_keys()[1]), pem(ec_keys()[1])]},
        {"algorithms": ["RS256"], "key": pem(rsa_keys()[0])},
        REMOTE,
        REMOTE | {"jwks_url": "http://localhost:8000/jwks"},
        REMOTE | {"profile": None, "token_type": ["token_use", "access"]},
        REMOTE
        | {
            "profile": None,
            "audience": None,
            "required_claims": {"token_use": "access", "client_id": ["web", "app"]},
        },
        RIGHT | {"allow_machines": True, "user": f"{__name__}.find_user"},
        RIGHT | {"user_claim": "email", "user": f"{__name__}.find_user"},
    ],
)
def test_safe_options_pass_the_check(options):
    assert ids(options) == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"algorithms": ["HS256", "none"], "key": SECRET}, ["E120", "E121"]),
        ({"algorithms": ["none"], "key": SECRET}, ["E120", "E122"]),
        ({"algorithms": ["HS1024"], "key": SECRET}, ["E120", "E122"]),
        ({"algorithms": ["HS256", "RS256"], "key": pem(rsa_keys()[1])}, ["E121"]),
        (REMOTE | {"algorithms": ["HS256"]}, ["E121"]),
        ({"algorithms": ["RS256"], "key": SECRET}, ["E122"]),
        ({"algorithms": ["HS256"], "key": pem(rsa_keys()[1])}, ["E122"]),
        ({"algorithms": ["RS256"], "key": pem(ec_keys()[1])}, ["E122"]),
        ({"algorithms": ["HS256"], "key": "s" * 31}, ["E123"]),
        ({"algorithms": ["HS384"], "keys": [SECRET, "s" * 47]}, ["E123"]),
        ({"algorithms": ["HS256", "HS512"], "key": "s" * 63}, ["E123"]),
        ({"algorithms": ["RS256"], "key": pem(rsa_keys("weak", 1024)[1])}, ["E123"]),
        (REMOTE | {"jwks_url": "http://id.example.com/jwks"}, ["E124"]),
        (RIGHT | {"user_field": "email"}, ["E125"]),
        (RIGHT | {"user": "no_such_module.function"}, ["E125"]),
        (REMOTE | {"profile": None, "typ": "at+jwt", "audience": None}, ["W120"]),
        (RIGHT | {"issuer": "https://id", "typ": "at+jwt"}, ["W120"]),
        (REMOTE | {"profile": None, "typ": "at+jwt", "issuer": None}, ["W121"]),
        (RIGHT | {"require_exp": False}, ["W122"]),
        (REMOTE | {"profile": None}, ["W123"]),
        (REMOTE | {"profile": None, "required_claims": ["token_use"]}, ["W123"]),
        (RIGHT | {"issuer": "https://id", "audience": "chat"}, ["W123"]),
        (RIGHT | {"allow_machines": True}, ["W124"]),
        (RIGHT | {"user_claim": "preferred_username", "user_field": "username"}, ["W125"]),
        (RIGHT | {"user_claim": "email", "user_field": "username"}, ["W125"]),
    ],
)
@pytest.mark.asvs("9.1.2", "9.2.2", "9.2.3", "10.3.3")
def test_dangerous_options_are_named(options, expected):
    assert ids(options) == expected


def test_key_is_named_by_its_number_and_not_shown():
    (message,) = check({"algorithms": ["HS256"], "keys": [SECRET, "short"]})
    assert message.msg.startswith("Key 2 ")
    assert "short'" not in repr(message)
