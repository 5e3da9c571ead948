"""One decision about each opening handshake."""

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.handshake.decision import (
    Anonymous,
    AwaitMessage,
    Refuse,
    Verify,
    decide,
)
from channels_token_auth.core.handshake.extraction import PROTOCOL

from .opening import ORIGIN, policy, read

TOKEN = (b"authorization", b"Bearer t0ken")
BLANK = (b"authorization", b"Bearer ")
FOREIGN = (b"origin", b"https://attacker.example")
COOKIE = (b"cookie", b"token=t0ken")
MISSING = Refuse(code=CloseReason.TOKEN_MISSING)
NO_MESSAGE = {"locations": frozenset(Location) - {Location.FIRST_MESSAGE}}


def decision(*headers, offer=(), **changes):
    return decide(read(*headers, offer=offer, **changes), policy(**changes))


def test_credential_is_verified():
    handshake = read(TOKEN)
    assert decide(handshake, policy()) == Verify(credential=handshake.credential)


@pytest.mark.parametrize("anonymous", [True, False])
@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ([BLANK], CloseReason.MALFORMED),
        ([TOKEN, TOKEN], CloseReason.MALFORMED),
        ([FOREIGN], CloseReason.FORBIDDEN),
        ([COOKIE], CloseReason.FORBIDDEN),
        ([COOKIE, FOREIGN], CloseReason.FORBIDDEN),
    ],
)
def test_problem_is_refused_even_where_anonymous_clients_are_admitted(headers, code, anonymous):
    assert decision(*headers, anonymous=anonymous) == Refuse(code=code)


def test_bad_credential_is_never_followed_by_a_first_message():
    assert decision(BLANK, offer=[PROTOCOL]) == Refuse(code=CloseReason.MALFORMED)


@pytest.mark.parametrize("offer", [[], [PROTOCOL], ["chat", PROTOCOL]])
def test_client_without_a_credential_may_send_a_first_message(offer):
    assert decision(ORIGIN, offer=offer) == AwaitMessage()


def test_client_that_speaks_other_subprotocols_only_is_refused():
    assert decision(ORIGIN, offer=["chat"]) == MISSING


def test_client_that_offers_a_token_by_itself_only_is_refused():
    """Such a client expects the server to select it, and would never answer `auth.required`."""
    assert decision(ORIGIN, offer=["9944b09199c62bcf9418ad846dd0e4bb"]) == MISSING


def test_client_without_a_credential_is_refused_where_first_messages_are_off():
    assert decision(ORIGIN, **NO_MESSAGE) == MISSING


@pytest.mark.parametrize("offer", [[], [PROTOCOL], ["chat"]])
def test_anonymous_client_is_admitted_at_once(offer):
    assert decision(ORIGIN, offer=offer, anonymous=True) == Anonymous()


def test_credential_is_verified_where_anonymous_clients_are_admitted():
    assert isinstance(decision(TOKEN, anonymous=True), Verify)
