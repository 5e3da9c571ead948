"""Read the cookie that holds a token or a session key, in the way that Django reads cookies.

Django takes the last of several cookies with one name. A browser sends several if they were set for
different paths or domains. Such a client can log in over HTTP, so it has to be admitted here too.
But another host of the same site may have set one of the cookies ("cookie tossing"). So the others
are kept as `rivals`, and the handshake is refused if they belong to another user.
"""

import re
from itertools import islice

from ...credentials import Credential, Location, Secret, is_token
from ..policy import Policy
from .found import Found, Header, read_value

__all__ = ["COOKIE", "take_cookie"]

COOKIE = b"cookie"

MOST_READ = 8
"""Rivals that are kept at most, of the thousands that a header may have: a few are too many."""

# Escapes that `http.cookies` writes in a quoted value: a backslash before a character, or before
# three octal digits.
_ESCAPE = re.compile(rb"\\(?:([0-3][0-7][0-7])|(.))", re.DOTALL)


def take_cookie(
    headers: list[Header], policy: Policy
) -> tuple[Found | None, tuple[Credential, ...], list[Header]]:
    """Take the cookies of that name: the last one counts, and differing ones are its rivals."""
    if Location.COOKIE not in policy.locations:
        return None, (), headers
    wanted = policy.cookie_name.encode()
    values: list[bytes] = []
    left: list[Header] = []
    for header in headers:
        name, value = header
        if name != COOKIE:
            left.append(header)
            continue
        others = []
        for pair in value.split(b";"):
            key, equals, token = pair.partition(b"=")
            if equals and key.strip() == wanted:
                values.append(_unquote(token.strip()))
            elif pair.strip():
                others.append(pair.strip())
        if others:
            left.append((name, b"; ".join(others)))
    # The last one counts, as in Django's `parse_cookie`, which fills a dictionary.
    found = read_value(Location.COOKIE, values[-1:], policy.max_token_bytes)
    return found, _rivals(values, policy.max_token_bytes), left


def _rivals(values: list[bytes], max_bytes: int) -> tuple[Credential, ...]:
    """Return the values that differ from the last one and may be tokens."""
    differing = dict.fromkeys(value for value in values if value != values[-1])
    texts = (value.decode(errors="replace") for value in differing)
    tokens = islice((text for text in texts if is_token(text, max_bytes)), MOST_READ)
    return tuple(Credential(location=Location.COOKIE, secret=Secret(text)) for text in tokens)


def _unquote(value: bytes) -> bytes:
    if len(value) < 2 or not (value.startswith(b'"') and value.endswith(b'"')):
        return value
    return _ESCAPE.sub(lambda m: bytes([int(m[1], 8)]) if m[1] else m[2], value[1:-1])
