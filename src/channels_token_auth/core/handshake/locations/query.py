"""The parameters `ticket` and `token` of the query string."""

import re
from urllib.parse import unquote_to_bytes

from ...credentials import Location
from ..policy import Policy
from .found import Found, read_value, spoil

__all__ = ["take_query"]

_BAD_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def take_query(
    location: Location, wanted: str, query_string: bytes, policy: Policy
) -> tuple[Found | None, bytes]:
    """Take the parameter of that name, however its name is encoded."""
    if location not in policy.locations or not query_string:
        return None, query_string
    values, left, sought = [], [], wanted.encode()
    # By its length first: a query of 64 KB may have as many names, and decoding takes far longer.
    shortest, longest = len(sought), len(sought) * len("%41")
    for pair in query_string.split(b"&"):
        name, _, value = pair.partition(b"=")
        if shortest <= len(name) <= longest and _decode(name) == sought:
            values.append(_unquote(value, policy.max_token_bytes))
        else:
            left.append(pair)
    return read_value(location, values, policy.max_token_bytes), b"&".join(left)


def _decode(name: bytes) -> bytes:
    return unquote_to_bytes(name.replace(b"+", b" "))


def _unquote(value: bytes, max_bytes: int) -> bytes:
    """Percent-decode (RFC 3986 §2.1). `+` is a space, as HTML forms write it."""
    if _BAD_PERCENT.search(value):
        return spoil(value, max_bytes)
    return unquote_to_bytes(value.replace(b"+", b" "))
