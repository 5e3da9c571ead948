"""The `Authorization` header (RFC 6750 §2.1)."""

import re

from ...credentials import Location
from ..policy import Policy
from .found import Found, Header, read_value, spoil

__all__ = ["AUTHORIZATION", "take_header"]

# Looked up for every handshake: before Python 3.12 an enum's attribute costs ten times as much.
_HEADER = Location.HEADER

AUTHORIZATION = b"authorization"

# scheme [1*SP token], with a scheme as in RFC 9110 §11.1. Group 2 captures text that follows the
# scheme without a space, such as the comma in "Bearer,x": it is neither scheme nor token.
_SCHEME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_VALUE = re.compile(rb"[ \t]*(%b)([^ \t]*)[ \t]*(.*)" % _SCHEME, re.DOTALL)
# Two header lines, the proxy's and the client's: daphne joins them with a comma.
_JOINED = re.compile(rb",[ \t]*(?=%b[ \t]+[^ \t])" % _SCHEME)


def take_header(headers: list[Header], policy: Policy) -> tuple[Found | None, list[Header]]:
    """Take `Authorization: <scheme> <token>` if a backend recognises the scheme.

    A header with another scheme (`Basic`, for a proxy) is no credential of ours and stays in place.
    """
    if _HEADER not in policy.locations:
        return None, headers
    schemes: list[str] = []
    values: list[bytes] = []
    left: list[Header] = []
    # In one pass, since a client may send thousands of these headers.
    for header in headers:
        name, value = header
        if name != AUTHORIZATION:
            left.append(header)
            continue
        others = []
        for part in _JOINED.split(value) if b"," in value else (value,):
            match = _VALUE.fullmatch(part)
            if match and (scheme := match[1].decode().lower()) in policy.schemes:
                schemes.append(scheme)
                token = match[3].rstrip(b" \t")
                values.append(spoil(part, policy.max_token_bytes) if match[2] else token)
            else:
                others.append(part)
        if others:
            left.append((name, b", ".join(others)))
    scheme_of_first = schemes[0] if schemes else None
    return read_value(_HEADER, values, policy.max_token_bytes, scheme=scheme_of_first), left
