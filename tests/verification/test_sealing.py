"""Handles that a ticket seals: only the same ticket opens them, and only as they were sealed."""

import json

import pytest

from channels_token_auth.core.credentials import Secret
from channels_token_auth.verification.sealing import seal, unseal

TICKET, OTHER = Secret("a" * 43), Secret("b" * 43)
SEALED = seal("a handle", TICKET)
PLACE = json.dumps(["value", "a handle"]).index("a h")


def changed(sealed):
    """The handle "b handle", as somebody makes it who knows neither the ticket nor the site."""
    signature, _, text = sealed.partition(".")
    data = bytearray.fromhex(text)
    data[PLACE] ^= ord("a") ^ ord("b")
    return f"{signature}.{data.hex()}"


def test_ticket_opens_its_own_handle():
    assert unseal(SEALED, TICKET) == "a handle"


@pytest.mark.parametrize(
    "text",
    [changed(SEALED), SEALED.partition(".")[2], seal("x", OTHER), ""],
    ids=["changed", "unsigned", "another's", "empty"],
)
def test_handle_that_this_ticket_did_not_seal_is_refused(text):
    with pytest.raises(ValueError, match="changed"):
        unseal(text, TICKET)
