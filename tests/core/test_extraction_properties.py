"""Properties of every handshake, whatever it contains."""

from base64 import urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.credentials import Location
from channels_token_auth.core.handshake.extraction import Handshake, extract
from channels_token_auth.core.handshake.origin import OriginRule
from tests.core.opening import HOST, ORIGIN, found, policy, read, read_again
from tests.plugins.examples import times

SIZE = 64
every = times(1.5)

# Visible: what a token may consist of. No space, control character or surrogate.
visible = st.characters(codec="utf-8", exclude_categories=["C", "Z"])
tokens = st.text(visible, min_size=1, max_size=SIZE).filter(lambda it: len(it.encode()) <= SIZE)
cookies = tokens.filter(lambda it: ";" not in it and it == it.strip('"'))

# Handshakes that look like some: pieces that mean something, and anything between them.
anything = st.binary(max_size=12)
pieces = st.one_of(
    anything,
    st.sampled_from(
        [
            b"bearer.",
            b"Bearer ",
            b"Basic ",
            b"token",
            b"token=",
            b"ticket=",
            b"=",
            b"%74",
            b"%",
            b"%zz",
            b"+",
        ]
    ),
    st.sampled_from([b" ", b";", b"&", b'"', b",", b".", b"\0", b"\xff", b"t" * (SIZE + 1)]),
)
values = st.lists(pieces, max_size=6).map(b"".join)
names = st.sampled_from(
    [b"authorization", b"cookie", b"origin", b"host", b"sec-websocket-protocol", b"x"]
)
headers = st.lists(st.tuples(names | anything, values), max_size=5)
entries = st.one_of(
    st.text(max_size=12) | st.just("\udcff"),  # a server may hand on what is no text
    st.builds(
        "{}{}".format,
        st.sampled_from(["bearer.", "base64url.bearer.", "base64url.bearer.phx."]),
        st.text(max_size=8) | st.just("\ud800") | st.just("YQ") | st.just("t" * 2 * SIZE),
    ),
)
policies = st.builds(
    policy,
    locations=st.frozensets(st.sampled_from(Location)),
    origins=st.sampled_from([OriginRule(hosts=("*",)), OriginRule(hosts=(), exact=frozenset())]),
    max_token_bytes=st.just(SIZE),
)


@every
@given(headers, values, st.lists(entries, max_size=4), policies)
@pytest.mark.asvs("2.2.1")
def test_any_bytes_give_a_handshake_and_what_is_left_has_no_credential(head, query, offer, rules):
    first = extract(head, query, offer, rules)
    assert isinstance(first, Handshake)
    assert not (first.problem and first.credential)
    assert first.problem or not first.is_hostile
    left = first.headers, first.query_string, first.subprotocols
    second = extract(*left, rules)
    assert second.credential is None
    assert (second.headers, second.query_string) == left[:2]
    # Where nothing is left to list, the header alone tells what was offered.
    assert second.subprotocols == first.subprotocols or not first.subprotocols


def carried(location: Location, token: str, encoded: str) -> dict:
    """The token in its place, among innocent neighbours."""
    return {
        Location.HEADER: {"headers": [(b"authorization", b"Bearer " + token.encode())]},
        Location.SUBPROTOCOL: {"offer": ["chat", encoded, "token-auth.v1"]},
        Location.TICKET: {"query": b"a=1&ticket=" + quote(token, safe="").encode() + b"&b=2"},
        Location.QUERY: {"query": b"a=1&token=" + quote(token, safe="").encode() + b"&b=2"},
        Location.COOKIE: {"headers": [(b"cookie", b"a=1; token=" + token.encode() + b"; b=2")]},
    }[location]


def base64url(token: str) -> str:
    return urlsafe_b64encode(token.encode()).rstrip(b"=").decode()


@every
@given(tokens, st.sampled_from(["header", "subprotocol", "ticket", "query"]))
def test_any_visible_token_comes_through_each_explicit_location(token, location):
    encoded = f"base64url.bearer.{base64url(token)}"
    request = carried(Location(location), token, encoded)
    handshake = read(*request.pop("headers", ()), **request, max_token_bytes=SIZE)
    assert found(handshake) == token
    assert handshake.credential.location == location


@every
@given(st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1, max_size=SIZE))
def test_any_token_that_a_subprotocol_can_hold_comes_through_it_as_it_is(token):
    handshake = read(offer=[f"bearer.{token}"], max_token_bytes=SIZE)
    assert found(handshake) == token


@every
@given(cookies)
def test_any_token_that_a_cookie_can_hold_comes_through_it(token):
    (header,) = carried(Location.COOKIE, token, "")["headers"]
    handshake = read(ORIGIN, header, max_token_bytes=SIZE)
    assert found(handshake) == token
    assert handshake.headers == [HOST, ORIGIN, (b"cookie", b"a=1; b=2")]


@every
@given(
    st.text("0123456789", min_size=12, max_size=40),  # no neighbour has such a run of digits
    st.sampled_from(Location).filter(lambda it: it is not Location.FIRST_MESSAGE),
    st.sampled_from(["bearer.{}", "base64url.bearer.{}", "base64url.bearer.phx.{}"]),
)
def test_token_that_was_found_remains_nowhere(token, location, dialect):
    inside = token if dialect == "bearer.{}" else base64url(token)
    request = carried(location, token, dialect.format(inside))
    handshake = read(ORIGIN, *request.pop("headers", ()), **request)
    assert found(handshake) == token
    assert token not in repr(handshake)
    assert inside not in repr(handshake)
    assert found(read_again(handshake)) is None
