"""`?token=`, where a site has opted into it."""

import pytest

from tests.core.opening import HOSTILE, LONGEST, MALFORMED, MAX, found, read


@pytest.mark.parametrize(
    ("query", "expected", "left"),
    [
        pytest.param(query, expected, left, id=name)
        for name, query, expected, left in [
            ("alone", b"token=abc", "abc", b""),
            ("between others", b"z=1&token=abc&a=%zz&&z=2", "abc", b"z=1&a=%zz&&z=2"),
            ("escaped", b"token=a%62%63", "abc", b""),
            ("escaped name", b"%74oken=abc&a", "abc", b"a"),
            ("equals sign", b"token=a==", "a==", b""),
            ("escaped plus", b"token=a%2Bb", "a+b", b""),
            ("escaped UTF-8", b"token=caf%C3%A9", "café", b""),
            ("longest", b"token=" + b"%74" * MAX, LONGEST, b""),
            ("too long", b"token=" + b"t" * (MAX + 1), HOSTILE, b""),
            ("too long, escaped", b"a&token=" + b"%74" * (MAX + 1), HOSTILE, b"a"),
            ("blank", b"token=", MALFORMED, b""),
            ("name only", b"token&a", MALFORMED, b"a"),
            ("plus is a space", b"token=a+b", MALFORMED, b""),
            ("NUL", b"token=%00", MALFORMED, b""),
            ("not UTF-8", b"token=%ff", MALFORMED, b""),
            ("not UTF-8, raw", b"token=\xff", MALFORMED, b""),
            ("bare percent", b"token=abc%", MALFORMED, b""),
            ("half an escape", b"token=abc%6", MALFORMED, b""),
            ("no hex digits", b"token=%zz", MALFORMED, b""),
            ("second percent is bad", b"token=%61%", MALFORMED, b""),
            ("repeated", b"token=abc&a=1&token=abc", MALFORMED, b"a=1"),
            ("repeated, one blank", b"token=abc&token", MALFORMED, b""),
            ("one of two too long", b"token=a&token=" + b"t" * (MAX + 1), HOSTILE, b""),
            ("other names", b"tokens=a&atoken=b&TOKEN=c", None, b"tokens=a&atoken=b&TOKEN=c"),
            ("rubbish", b"=&%=;token=abc", None, b"=&%=;token=abc"),
            ("none", b"", None, b""),
        ]
    ],
)
@pytest.mark.asvs("15.3.7")
def test_query_parameter_is_read_and_taken_out(query, expected, left):
    handshake = read(query=query, max_token_bytes=MAX)
    assert found(handshake) == expected
    assert handshake.query_string == left
