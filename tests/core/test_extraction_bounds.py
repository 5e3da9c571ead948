"""Bounds of a token: its maximal length, and the text around it that is removed."""

import pytest

from channels_token_auth.core.handshake.extraction import extract
from channels_token_auth.core.handshake.locations.subprotocol import MAX_OFFERED
from tests.core.opening import HOST, HOSTILE, MALFORMED, MAX, OFFER, ORIGIN, found, policy, read

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


# -- Floods: an attacker's header may have 400 KB, and each handshake is read in the event loop

NAMES = [f"p{number}" for number in range(MAX_OFFERED)]


def test_most_subprotocols_are_offered_as_they_were():
    assert read(offer=NAMES).subprotocols == NAMES
    assert found(read(offer=[*NAMES[1:], "bearer.abc"])) == "abc"


@pytest.mark.parametrize("locations", [{}, {"locations": frozenset()}])
@pytest.mark.parametrize("token", ["bearer.abc", "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b", "p"])
def test_more_subprotocols_are_refused_and_not_passed_on(token, locations):
    handshake = read(offer=[*NAMES, token], **locations)
    assert found(handshake) == HOSTILE
    assert (handshake.headers, handshake.subprotocols) == ([HOST], [])
    assert handshake.is_cleaned


@pytest.mark.parametrize(
    ("lines", "listed"),
    [
        ([b"p"] * (MAX_OFFERED + 1), []),
        ([b"," * MAX_OFFERED], []),
        ([], [*NAMES, "p"]),
        ([], [",".join([*NAMES, "p"])]),
        ([b"p"], [*NAMES, "p"]),
    ],
)
def test_subprotocols_are_counted_wherever_they_are(lines, listed):
    assert found(extract([(OFFER, line) for line in lines], b"", listed, policy())) == HOSTILE


class Counted(tuple):
    """A header that counts how often it is compared with another one."""

    compared = 0
    __slots__ = ()

    def __eq__(self, other):
        Counted.compared += 1
        return super().__eq__(other)

    __hash__ = tuple.__hash__


def test_headers_of_another_scheme_are_read_in_one_pass():
    headers = [Counted((b"authorization", b"Basic %d" % number)) for number in range(100)]
    assert read(*headers, query=b"token=abc").headers == [HOST, *map(tuple, headers)]
    Counted.compared = 0
    read(*headers)
    assert not Counted.compared


def test_few_of_many_rivals_are_kept():
    cookie = b";".join(b"token=%d" % number for number in range(1000))
    assert len(read(ORIGIN, (b"cookie", cookie)).rivals) < 10
