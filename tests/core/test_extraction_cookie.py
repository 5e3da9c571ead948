"""The cookie, which a browser adds by itself: it counts only with an Origin."""

import pytest

from channels_token_auth.core.close_codes import CloseReason
from tests.core.opening import HOST, HOSTILE, LONGEST, MALFORMED, MAX, ORIGIN, found, read


@pytest.mark.parametrize(
    ("value", "expected", "left"),
    [
        pytest.param(value, expected, left, id=name)
        for name, value, expected, left in [
            ("alone", b"token=abc", "abc", []),
            ("between others", b"b=2; token=abc; a=1", "abc", [b"b=2; a=1"]),
            ("quoted", b'token="abc"', "abc", []),
            ("without spaces", b"b=2;token=abc;a=1", "abc", [b"b=2; a=1"]),
            ("equals sign", b"token=a==", "a==", []),
            ("longest", b"token=" + LONGEST.encode(), LONGEST, []),
            ("too long", b"a=1; token=t" + LONGEST.encode(), HOSTILE, [b"a=1"]),
            ("blank", b"token=", MALFORMED, []),
            ("blank, quoted", b'token=""', MALFORMED, []),
            ("blank, and a good one before", b"token=abc; token=", MALFORMED, []),
            ("name only", b"token; a=1", None, [b"token; a=1"]),
            ("repeated", b"token=abc; a=1; token=abc", "abc", [b"a=1"]),
            ("of two, the last", b"token=old; token=abc", "abc", []),
            ("quoted, with escapes", rb'token="a\"b\054c\\d"', 'a"b,c\\d', []),
            ("quoted at one end", b'token="abc', '"abc', []),
            ("NUL", b"token=a\0", MALFORMED, []),
            ("not UTF-8", b"token=\xff", MALFORMED, []),
            ("other names", b"tokens=a; TOKEN=b", None, [b"tokens=a; TOKEN=b"]),
            ("rubbish", b"=; a; \xff", None, [b"=; a; \xff"]),
        ]
    ],
)
def test_cookie_is_read_and_taken_out(value, expected, left):
    handshake = read(ORIGIN, (b"cookie", value), max_token_bytes=MAX)
    assert found(handshake) == expected
    assert handshake.headers == [HOST, ORIGIN, *((b"cookie", each) for each in left)]


def test_cookie_is_found_in_any_of_several_headers():
    handshake = read(ORIGIN, (b"cookie", b"a=1"), (b"cookie", b"token=abc"), (b"cookie", b"b=2"))
    assert found(handshake) == "abc"
    assert handshake.headers == [HOST, ORIGIN, (b"cookie", b"a=1"), (b"cookie", b"b=2")]


def test_cookie_in_two_headers_is_read_as_in_one():
    assert found(read(ORIGIN, (b"cookie", b"token=a"), (b"cookie", b"token=b"))) == "b"


@pytest.mark.parametrize(
    ("cookie", "rivals"),
    [
        (b"token=abc", []),
        (b"token=abc; token=abc", []),
        (b"token=a; token=b; token=a; token=c", ["a", "b"]),
        (b"token=; token=a\xff; token=a b; token=abc", ["a\ufffd"]),
        (b"token=t" + LONGEST.encode() + b"; token=abc", []),
    ],
)
def test_other_cookies_of_the_name_are_rivals(cookie, rivals):
    handshake = read(ORIGIN, (b"cookie", cookie), max_token_bytes=MAX)
    assert [each.secret.reveal() for each in handshake.rivals] == rivals
    handshake.forget_credential()
    assert handshake.rivals == ()


def test_explicit_credential_has_no_rivals():
    headers = [(b"authorization", b"Bearer abc"), (b"cookie", b"token=a; token=b")]
    assert read(ORIGIN, *headers).rivals == ()


@pytest.mark.parametrize("cookie", [b"token=abc", b"token=", b"token=t" + LONGEST.encode()])
def test_cookie_without_an_origin_is_forbidden(cookie):
    assert found(read((b"cookie", cookie), max_token_bytes=MAX)) == CloseReason.FORBIDDEN


def test_cookie_that_stood_alone_leaves_no_header():
    handshake = read(ORIGIN, (b"cookie", b"token=abc; "))
    assert found(handshake) == "abc"
    assert handshake.headers == [HOST, ORIGIN]
