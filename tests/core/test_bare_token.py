"""Tokens that are offered as subprotocols by themselves, and names of subprotocols."""

import string
from random import Random

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.redaction.bare_token import is_bare_token, is_name

NAMES = [
    "token-auth.v1",
    "chat",
    "chat.v2",
    "soap",
    "mqtt",
    "MBWS.huawei.com",
    "v10.stomp",
    "wamp.2.msgpack.batched",
    "ocpp2.0.1",
    "binary.ircv3.net",
    "graphql-ws",
    "graphql-transport-ws",
    "subscriptions-transport-ws",
    "graphqlTransportWs",
    "actioncable-unsupported",
    "v4.channel.k8s.io",
    "json.reliable.webpubsub.azure.v1",
    "protobuf.reliable.webpubsub.azure.v1",
    "office365",
    "com.example.RealtimeNotificationProtocolV2",
    "subscriptionsTransportWebSocket",
    "access_token",
    "Authorization",
]
TOKENS = {
    "drf": "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b",
    "knox": "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b31415926aabbccdd",
    "jwt": jwt.encode({"sub": "1"}, "k" * 32),
    "oauth": "1m4Zc3TtVxwyfLZpTLYz9qkOzkGGa7",
    "session": "q2w7v0n3x1c5z8m4k6j9h2g4f5d7s8a1",
    "urlsafe": "Drmhze6EPcv0fN_81Bj-nA",
    "uuid": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "uuid of words": "abcd1234-abcd-abcd-abcd-abcdefab1234",
    "digits": "31415926535897932384",
    "letters": "kqzvwxjybnmpdrtgfhlcsaoeiukqzvwx",
    "letters in both cases": "kqzVwxjyBnmpdRTgfhlcsaOeiukqzvwx",
    "with a prefix of its own": "sk_live_51HabcDEF9ghiJKLmno",
    "after a scheme": "token.9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b",
    "after a scheme in capitals": "Bearer.9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b",
}


@pytest.mark.parametrize("name", NAMES)
def test_name_of_a_subprotocol_is_no_token(name):
    assert is_name(name)
    assert not is_bare_token(name)


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_token_is_no_name(token):
    assert is_bare_token(token)
    assert not is_name(token)


@pytest.mark.parametrize("entry", ["tok3n9x", "9944b09199c62bc", "é" * 9, "a.b." * 20])
def test_text_that_may_be_either_is_passed_on_but_never_echoed(entry):
    assert not is_name(entry)
    assert not is_bare_token(entry)


ALPHABETS = [
    string.hexdigits.lower(),
    string.ascii_lowercase + string.digits,
    string.ascii_letters + string.digits,
    string.ascii_letters + string.digits + "-_",
]


@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("length", [32, 40, 64])
def test_random_tokens_are_recognized(alphabet, length):
    random = Random(length)
    tokens = ["".join(random.choices(alphabet, k=length)) for _ in range(500)]
    assert all(map(is_bare_token, tokens))
    assert not any(map(is_name, tokens))


@given(st.text())
def test_any_text_is_answered(text):
    assert not (is_name(text) and is_bare_token(text))
