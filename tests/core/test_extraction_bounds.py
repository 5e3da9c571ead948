"""Bounds of a token: its maximal length, and the text around it that is removed."""

import pytest

from tests.core.opening import HOSTILE, MALFORMED, MAX, ORIGIN, found, read

NO_BASE64 = "!" * MAX
NO_PERCENT = "%" * MAX


def subprotocol(text):
    return found(read(offer=[f"base64url.bearer.{text}"], max_token_bytes=MAX))


def query(text):
    return found(read(query=f"token={text}".encode(), max_token_bytes=MAX))


@pytest.mark.parametrize(("read_from", "text"), [(subprotocol, NO_BASE64), (query, NO_PERCENT)])
def test_what_cannot_be_decoded_is_malformed_and_over_the_bound_hostile(read_from, text):
    assert read_from(text) == MALFORMED
    assert read_from(text + text[0]) == HOSTILE


def test_space_in_the_query_counts_as_one_byte():
    assert query("t" * (MAX - 1) + "+") == MALFORMED


def test_name_in_the_query_is_form_encoded():
    assert found(read(query=b"my+token=abc", query_name="my token")) == "abc"


@pytest.mark.parametrize(
    ("headers", "rest"),
    [
        pytest.param([(b"authorization", b"Bearer XaX \t")], {}, id="header"),
        pytest.param([ORIGIN, (b"cookie", b'token="XaX" ')], {}, id="cookie"),
        pytest.param([], {"query": b"token=XaX"}, id="query"),
        pytest.param([], {"offer": ["bearer.XaX\t"]}, id="subprotocol"),
        pytest.param([], {"offer": ["base64url.bearer.WGFY"]}, id="base64url"),
    ],
)
def test_nothing_but_white_space_and_quotes_is_cut_off(headers, rest):
    assert found(read(*headers, **rest)) == "XaX"


def test_base64url_keeps_its_last_letter():
    assert subprotocol("YWJX") == "abW"


def test_neighbours_of_a_token_in_the_offer_keep_their_letters():
    assert read(offer=["Xbearer.a", "bearer.b"]).subprotocols == ["Xbearer.a"]
    assert read(offer=["Xbearer.a"]).credential is None
