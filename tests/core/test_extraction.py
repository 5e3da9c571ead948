"""Extraction: which of several credentials has precedence, and what is removed."""

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.handshake.origin import OriginRule
from tests.core.opening import HOST, LONGEST, MALFORMED, MAX, OFFER, ORIGIN, found, read

TOO_LONG = LONGEST + "t"
HEADER, SUBPROTOCOL, TICKET, QUERY, COOKIE, _first_message = Location
EXPLICIT = [HEADER, SUBPROTOCOL, TICKET, QUERY]
PLACES = [*EXPLICIT, COOKIE]


def presenting(tokens, *headers, **changes):
    """A handshake from our own page, with a token at each of these locations."""
    headers = [ORIGIN, *headers]
    if HEADER in tokens:
        headers.append((b"authorization", f"Bearer {tokens[HEADER]}".encode()))
    if COOKIE in tokens:
        headers.append((b"cookie", f"a=1; token={tokens[COOKIE]}".encode()))
    names = {TICKET: "ticket", QUERY: "token"}
    parameters = [f"{names[place]}={tokens[place]}" for place in names if place in tokens]
    return read(
        *headers,
        query="&".join(parameters).encode(),
        offer=["chat", f"bearer.{tokens[SUBPROTOCOL]}"] if SUBPROTOCOL in tokens else [],
        **changes,
    )


@pytest.mark.parametrize("location", PLACES)
def test_credential_says_where_it_stood_and_on_whose_page(location):
    credential = presenting({location: "abc"}).credential
    assert (credential.location, credential.secret.reveal()) == (location, "abc")
    assert credential.scheme == ("bearer" if location is HEADER else None)
    assert credential.origin == "https://example.com"


def test_credential_that_no_browser_sent_has_no_origin():
    assert read((b"authorization", b"Bearer abc")).credential.origin is None


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        pytest.param({HEADER: "a", SUBPROTOCOL: "a"}, HEADER, id="equal: the first counts"),
        pytest.param({SUBPROTOCOL: "a", QUERY: "a"}, SUBPROTOCOL, id="equal, without a header"),
        pytest.param({HEADER: "a", SUBPROTOCOL: "a", QUERY: "a"}, HEADER, id="three are equal"),
        pytest.param({HEADER: "a", TICKET: "a"}, HEADER, id="equal to a ticket"),
        pytest.param({SUBPROTOCOL: "a", TICKET: "a"}, SUBPROTOCOL, id="offer equal to a ticket"),
        pytest.param({TICKET: "a", QUERY: "a"}, TICKET, id="equal ticket and query"),
        pytest.param({TICKET: "a", COOKIE: "b"}, TICKET, id="ticket over cookie"),
        pytest.param({HEADER: "a", COOKIE: "b"}, HEADER, id="header over cookie"),
        pytest.param({SUBPROTOCOL: "a", COOKIE: "b"}, SUBPROTOCOL, id="subprotocol over cookie"),
        pytest.param({QUERY: "a", COOKIE: "b"}, QUERY, id="query over cookie"),
        pytest.param({QUERY: "a", COOKIE: TOO_LONG}, QUERY, id="a bad cookie is not read"),
    ],
)
def test_explicit_credential_wins_over_the_cookie(tokens, expected):
    credential = presenting(tokens, max_token_bytes=MAX).credential
    assert (credential.location, credential.secret.reveal()) == (expected, "a")


@pytest.mark.parametrize(
    "tokens",
    [
        {HEADER: "a", SUBPROTOCOL: "b"},
        {HEADER: "a", QUERY: "b"},
        {SUBPROTOCOL: "a", QUERY: "b"},
        {HEADER: "a", TICKET: "b"},
        {SUBPROTOCOL: "a", TICKET: "b"},
        {TICKET: "a", QUERY: "b"},
        {HEADER: "a", SUBPROTOCOL: "a", QUERY: "b"},
        {HEADER: "a", SUBPROTOCOL: "b", COOKIE: "a"},
    ],
)
def test_explicit_credentials_that_differ_are_malformed(tokens):
    assert found(presenting(tokens)) == MALFORMED


@pytest.mark.parametrize("other", PLACES)
@pytest.mark.parametrize("bad", EXPLICIT)
def test_bad_explicit_credential_never_falls_back(bad, other):
    assert found(presenting({other: "good"} | {bad: ""})) == MALFORMED


@pytest.mark.parametrize("other", EXPLICIT)
@pytest.mark.parametrize("long", EXPLICIT)
def test_oversized_credential_makes_the_handshake_hostile(long, other):
    handshake = presenting({other: ""} | {long: TOO_LONG}, max_token_bytes=MAX)
    assert found(handshake) == ("hostile", MALFORMED)


FOREIGN = ("hostile", CloseReason.FORBIDDEN)


@pytest.mark.parametrize(
    "tokens", [{}, *({each: "abc"} for each in PLACES[1:]), {HEADER: "a", COOKIE: "b"}]
)
@pytest.mark.parametrize("origin", [b"https://evil.test", b"", b"null"])
def test_foreign_origin_is_hostile_whatever_a_page_can_present(tokens, origin):
    handshake = presenting(tokens, (b"origin", origin))
    assert found(handshake) == FOREIGN


BASIC = (b"authorization", b"Basic abc")
BEARER = (b"authorization", b"Bearer abc")
JAR = (b"cookie", b"unrelated=1")
OF_PAGES = frozenset({"basic", "digest", "negotiate", "ntlm", "bearer", "api-key"})


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param([BEARER], "abc", id="native client"),
        pytest.param([(b"authorization", b"Api-Key abc")], "abc", id="a site's own scheme"),
        pytest.param([BEARER, JAR], FOREIGN, id="a proxy turned a cookie into a header"),
        pytest.param([BEARER, (b"cookie", b"")], FOREIGN, id="empty cookie header"),
        pytest.param([BASIC], FOREIGN, id="basic, which browsers repeat"),
        pytest.param([(b"authorization", b"Negotiate abc")], FOREIGN, id="negotiate"),
        pytest.param([(b"authorization", b"NTLM abc")], FOREIGN, id="NTLM"),
        pytest.param([(b"authorization", b"Digest abc")], FOREIGN, id="digest"),
        pytest.param([(b"authorization", b"Unknown abc")], FOREIGN, id="nobody's scheme"),
        pytest.param([(b"authorization", b"Bearer")], MALFORMED, id="native client's mistake"),
        pytest.param([BEARER, BASIC], MALFORMED, id="two schemes"),
        pytest.param([BASIC, BEARER], FOREIGN, id="two schemes, basic first"),
    ],
)
def test_origin_proves_nothing_where_no_browser_can_have_sent_the_handshake(headers, expected):
    foreign = (b"origin", b"https://evil.test")
    assert found(read(foreign, *headers, schemes=OF_PAGES)) == expected


def test_handshake_says_if_a_subprotocol_entry_carries_a_credential():
    assert presenting({SUBPROTOCOL: "abc"}).offers_credential
    assert presenting({SUBPROTOCOL: "abc"}, locations=frozenset()).offers_credential
    assert not presenting({HEADER: "abc"}).offers_credential


@pytest.mark.parametrize("tokens", [*({each: "abc"} for each in PLACES), {HEADER: ""}])
@pytest.mark.parametrize("origins", [OriginRule(hosts=("example.com",)), OriginRule(hosts=())])
def test_handshake_says_if_a_credential_was_taken_out_of_it(tokens, origins):
    assert presenting(tokens, origins=origins).is_cleaned
    assert not presenting({}, origins=origins).is_cleaned


def test_no_credential_is_no_problem_of_the_handshake():
    assert found(presenting({})) is None


@pytest.mark.parametrize("location", PLACES)
def test_location_that_is_off_holds_no_credential(location):
    others = frozenset(Location) - {location}
    assert found(presenting({location: "abc"}, locations=others)) is None


@pytest.mark.parametrize(
    ("location", "left"),
    [
        (HEADER, [(b"authorization", b"Bearer abc")]),
        (COOKIE, [(b"cookie", b"a=1; token=abc")]),
    ],
)
def test_header_that_is_no_location_is_the_applications(location, left):
    handshake = presenting({location: "abc"}, locations=frozenset({QUERY}))
    assert handshake.headers == [HOST, ORIGIN, *left]


@pytest.mark.parametrize(("location", "other"), [(QUERY, TICKET), (TICKET, QUERY)])
def test_parameter_that_is_no_location_is_the_applications(location, other):
    handshake = presenting({TICKET: "abc", QUERY: "abc"}, locations=frozenset({other}))
    assert handshake.query_string == {QUERY: b"token=abc", TICKET: b"ticket=abc"}[location]


def test_subprotocol_entry_goes_even_where_it_is_no_location():
    """Such an entry can only be a credential, and an application might echo it."""
    handshake = presenting({SUBPROTOCOL: "abc"}, locations=frozenset({HEADER}))
    assert handshake.subprotocols == ["chat"]
    assert handshake.headers == [HOST, ORIGIN, (OFFER, b"chat")]


@pytest.mark.parametrize("origins", [OriginRule(hosts=("example.com",)), OriginRule(hosts=())])
def test_every_location_is_emptied_whatever_comes_of_it(origins):
    handshake = presenting(dict.fromkeys(PLACES, "abc"), origins=origins)
    assert handshake.headers == [HOST, ORIGIN, (b"cookie", b"a=1"), (OFFER, b"chat")]
    assert (handshake.query_string, handshake.subprotocols) == (b"", ["chat"])


def test_what_was_handed_in_is_not_changed():
    headers = ((b"authorization", b"Bearer abc"), (b"x", b"1"))
    assert found(read(*headers)) == "abc"
    assert headers == ((b"authorization", b"Bearer abc"), (b"x", b"1"))


def test_names_of_query_and_cookie_are_the_routes_own():
    names = {"query_name": "key", "cookie_name": "session"}
    assert found(read(query=b"token=a&key=b", **names)) == "b"
    assert found(read(query=b"key2=a&ticket=c", **names)) == "c"
    assert found(read(ORIGIN, (b"cookie", b"token=a; session=c"), **names)) == "c"
