"""A cookie is read here as Django reads it over HTTP."""

import pytest
from django.http.cookie import parse_cookie

from tests.core.opening import MALFORMED, ORIGIN, found, read


@pytest.mark.parametrize(
    "cookie",
    [
        b"sessionid=a; sessionid=b",
        b'sessionid="a b"; x; =y; sessionid="c\\"d"',
        b"sessionid = a ; SESSIONID=b",
        b"x=1; sessionid=; sessionid",
        b'sessionid="',
        b"sessionid=a=b==",
        b"a=sessionid=b; sessionid=c",
    ],
)
def test_cookie_is_the_one_that_django_reads(cookie):
    read_by_django = parse_cookie(cookie.decode())["sessionid"]
    handshake = read(ORIGIN, (b"cookie", cookie), cookie_name="sessionid")
    if read_by_django and " " not in read_by_django:
        assert found(handshake) == read_by_django
    else:
        assert found(handshake) == MALFORMED
