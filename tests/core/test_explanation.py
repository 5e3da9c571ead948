"""Developers get the reason of a refused handshake, and nothing that its client has sent."""

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.handshake.explanation import explain
from channels_token_auth.core.handshake.extraction import PROTOCOL, extract
from channels_token_auth.core.handshake.origin import OriginRule
from channels_token_auth.core.handshake.policy import Policy
from channels_token_auth.core.redaction import redact

CANARY = "c4nary-c4nary-c4nary"
TOKEN = CANARY.encode()
ORIGIN = (b"origin", b"https://c4nary.example")
DEFAULT = frozenset(
    {Location.HEADER, Location.SUBPROTOCOL, Location.FIRST_MESSAGE, Location.TICKET}
)


def policy(locations=DEFAULT, *, hosts=("testserver",), exact=None, schemes=("bearer", "token")):
    return Policy(
        locations=frozenset(locations),
        origins=OriginRule(hosts=hosts, exact=None if exact is None else frozenset(exact)),
        schemes=frozenset(schemes),
    )


def explained(code, rule, *headers, query=b"", subprotocols=()):
    handshake = extract(list(headers), query, list(subprotocols), rule)
    return explain(code, handshake, rule)


def without(location):
    return policy(DEFAULT - {location})


BARE = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"
OFFER = (b"sec-websocket-protocol", b"bearer." + TOKEN)

MISSING = {
    "query_is_off": (policy(), [], {"query": b"token=" + TOKEN}),
    "ticket_is_off": (without(Location.TICKET), [], {"query": b"ticket=" + TOKEN}),
    "header_is_off": (without(Location.HEADER), [(b"authorization", b"Bearer " + TOKEN)], {}),
    "authorization_without_scheme": (policy(), [(b"authorization", TOKEN)], {}),
    "authorization_scheme": (policy(), [(b"authorization", b"JWT " + TOKEN)], {}),
    "subprotocol_is_off": (without(Location.SUBPROTOCOL), [OFFER], {}),
    "cookie_is_off": (policy(), [(b"cookie", b"a=b; token=" + TOKEN)], {}),
    "subprotocol_is_a_token": (policy(), [], {"subprotocols": ["chat", BARE]}),
    "protocol_not_offered": (policy(), [], {"subprotocols": ["chat"]}),
    "no_token": (policy(), [], {}),
}


@pytest.mark.parametrize("code", [CloseReason.TOKEN_MISSING, CloseReason.AUTH_TIMEOUT])
@pytest.mark.parametrize(("slug", "case"), MISSING.items(), ids=MISSING)
def test_missing_token_is_explained_by_what_the_handshake_has(slug, case, code):
    rule, headers, rest = case
    detail = explained(code, rule, *headers, **rest)
    assert detail.slug == slug
    assert CANARY not in detail.remedy
    assert BARE not in detail.remedy
    assert redact(detail.remedy) == detail.remedy  # as the log has it


ORIGINS = {
    "origin_not_listed": policy(exact=["https://example.com"]),
    "origin_is_not_the_host": policy(hosts=("*",)),
    "origin_not_in_allowed_hosts": policy(hosts=(".example.com",)),
}


@pytest.mark.parametrize(("slug", "rule"), ORIGINS.items(), ids=ORIGINS)
@pytest.mark.parametrize("origin", [ORIGIN, (b"origin", b"nonsense")])
def test_forbidden_origin_is_explained_by_the_setting_that_decides(slug, rule, origin):
    detail = explained(CloseReason.FORBIDDEN, rule, origin, (b"host", b"testserver"))
    assert detail.slug == slug
    assert "c4nary" not in detail.remedy


@pytest.mark.parametrize("rule", ORIGINS.values(), ids=ORIGINS)
def test_page_that_was_opened_from_a_file_is_explained(rule):
    null = (b"origin", b"null")
    assert explained(CloseReason.FORBIDDEN, rule, null, (b"host", b"a")).slug == "origin_is_null"


def test_cookie_without_an_origin_is_explained():
    rule = policy([Location.COOKIE])
    detail = explained(CloseReason.FORBIDDEN, rule, (b"cookie", b"token=" + TOKEN))
    assert detail.slug == "cookie_without_origin"


@pytest.mark.parametrize("token", [b"\x00", b"", b"\xff", b"x" * 5000])
def test_malformed_credential_is_explained(token):
    detail = explained(CloseReason.MALFORMED, policy(), (b"authorization", b"Bearer " + token))
    assert detail.slug == "malformed_handshake"


@pytest.mark.parametrize("code", sorted(set(CloseReason) - {"token_missing", "auth_timeout"}))
def test_verdict_on_a_token_is_not_explained_by_its_handshake(code):
    detail = explained(code, policy(), (b"authorization", b"Bearer " + TOKEN))
    assert detail is None


def test_first_message_is_possible_with_our_protocol():
    detail = explained(CloseReason.AUTH_TIMEOUT, policy(), subprotocols=["chat", PROTOCOL])
    assert detail.slug == "no_token"
