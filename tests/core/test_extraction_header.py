"""`Authorization: <scheme> <token>` (RFC 6750 §2.1), where a backend claims the scheme."""

import pytest

from channels_token_auth.core.credentials import Location
from tests.core.opening import HOST, HOSTILE, LONGEST, MALFORMED, MAX, found, read


def case(name, given, expected):
    return pytest.param(given, expected, id=name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        case("bearer", b"Bearer abc", "abc"),
        case("token", b"Token abc", "abc"),
        case("lower case", b"bearer abc", "abc"),
        case("mixed case", b"bEARER abc", "abc"),
        case("spaces and tabs", b" \tBearer \t abc\t ", "abc"),
        case("visible UTF-8", "Bearer café".encode(), "café"),
        case("punctuation", b"Bearer a=b,c;d%20", "a=b,c;d%20"),
        case("longest", b"Bearer " + LONGEST.encode(), LONGEST),
        case("padding does not count", b"Bearer  " + LONGEST.encode() + b" ", LONGEST),
        case("too long", b"Bearer " + LONGEST.encode() + b"t", HOSTILE),
        case("bytes count, not characters", b"Bearer " + "é".encode() * 21, HOSTILE),
        case("blank", b"Bearer", MALFORMED),
        case("spaces only", b"Bearer   ", MALFORMED),
        case("no space", b"Bearer,abc", MALFORMED),
        case("no space, before a space", b"Bearer, abc", MALFORMED),
        case("a parameter", b'Bearer="abc"', MALFORMED),
        case("no space, too long", b"Bearer," + LONGEST.encode(), HOSTILE),
        case("two words", b"Bearer a b", MALFORMED),
        case("NUL", b"Bearer a\0b", MALFORMED),
        case("newline", b"Bearer a\nb", MALFORMED),
        case("newline at the end", b"Bearer abc\n", MALFORMED),
        case("DEL", b"Bearer a\x7f", MALFORMED),
        case("C1 control", "Bearer a\x85".encode(), MALFORMED),
        case("no-break space", "Bearer a\xa0b".encode(), MALFORMED),
        case("not UTF-8", b"Bearer a\xff", MALFORMED),
        case("overlong UTF-8", b"Bearer \xc0\xaf", MALFORMED),
    ],
)
def test_claimed_scheme_is_read_and_taken_out(value, expected):
    handshake = read((b"authorization", value), max_token_bytes=MAX)
    assert found(handshake) == expected
    assert handshake.headers == [HOST]


@pytest.mark.parametrize("rest", [b",abc", b":abc", b"=abc", b'"abc"', b"/1 abc", b",", b"\xff"])
def test_scheme_that_something_else_than_a_space_follows_is_malformed(rest):
    handshake = read((b"authorization", b"Bearer" + rest))
    assert found(handshake) == MALFORMED
    assert handshake.headers == [HOST]


@pytest.mark.parametrize(
    "value",
    [
        b"Basic dTpw",
        b"Negotiate",
        b"Bearer2 abc",
        b"XBearer abc",
        b"Basic,abc",
        b"abc",
        b"",
        b" ",
        b"\xff\xfe",
        b"Basic " + b"t" * 5000,
    ],
)
def test_scheme_that_no_backend_claims_is_no_credential(value):
    handshake = read((b"authorization", value), max_token_bytes=MAX)
    assert found(handshake) is None
    assert handshake.headers == [HOST, (b"authorization", value)]


@pytest.mark.parametrize("turn", [1, -1])
def test_unclaimed_scheme_stays_beside_a_claimed_one(turn):
    both = [(b"authorization", b"Basic dTpw"), (b"authorization", b"Bearer abc")]
    handshake = read(*both[::turn])
    assert found(handshake) == "abc"
    assert handshake.headers == [HOST, (b"authorization", b"Basic dTpw")]


@pytest.mark.parametrize(
    ("value", "expected", "left"),
    [
        pytest.param(b"Basic dTpw,Bearer abc", "abc", b"Basic dTpw", id="without a space"),
        pytest.param(b"Basic dTpw, \tToken abc ", "abc", b"Basic dTpw", id="with spaces"),
        pytest.param(b"Basic a,Bearer abc,Basic b", "abc", b"Basic a, Basic b", id="between two"),
        pytest.param(b"Basic a,Bearer abc,Token abc", MALFORMED, b"Basic a", id="repeated"),
        pytest.param(b"Bearer abc,Basic dTpw", "abc", b"Basic dTpw", id="in front"),
        pytest.param(b"Basic a,Bearer", None, b"Basic a,Bearer", id="a bare word"),
        pytest.param(b'Digest a="b", c="d"', None, b'Digest a="b", c="d"', id="parameters"),
        pytest.param(b"Basic a,,", None, b"Basic a,,", id="empty elements"),
    ],
)
def test_claimed_scheme_is_found_behind_a_line_that_a_server_joined(value, expected, left):
    handshake = read((b"authorization", value))
    assert found(handshake) == expected
    assert handshake.headers == [HOST, (b"authorization", left)]


@pytest.mark.parametrize("second", [b"Bearer abc", b"Token abc", b"Bearer other", b"Bearer"])
@pytest.mark.asvs("15.3.7")
def test_header_twice_is_malformed(second):
    handshake = read((b"authorization", b"Bearer abc"), (b"authorization", second))
    assert found(handshake) == MALFORMED
    assert handshake.headers == [HOST]


def test_credential_of_a_header_names_its_scheme_in_lower_case():
    credential = read((b"authorization", b"TOKEN abc")).credential
    assert (credential.location, credential.scheme) == (Location.HEADER, "token")
