"""Read the headers that name a handshake in the logs of proxies, tracers and other services.

A proxy sets them, but a client may set them too, and they are logged. So a value is taken only if
it cannot break a log line, fill a disk or contain the token. Any other value is ignored as if it
were absent: no handshake is refused because of these headers.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..redaction import redact

__all__ = [
    "MAX_REQUEST_ID",
    "REQUEST_ID",
    "TRACEPARENT",
    "UNCORRELATED",
    "Correlation",
    "read_correlation",
]

REQUEST_ID, TRACEPARENT = b"x-request-id", b"traceparent"

MAX_REQUEST_ID = 128
"""Characters of a request's id at most: UUIDs have 36, and the ids of nginx 32."""

_REQUEST_ID = re.compile(rf"[A-Za-z0-9._:/+=@~|-]{{1,{MAX_REQUEST_ID}}}")

# W3C Trace Context §3.2.2: version 255 is invalid, and so are ids of zeros only. A later version
# may append fields to those of version 00 (§4.3), whose format is unknown today: they are cut off.
_TRACEPARENT = re.compile(
    r"(?P<known>(?P<version>(?!ff)[0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}"
    r"-[0-9a-f]{2})(?P<more>-.*)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """The ids of a request that other services gave it; None where a header is missing.

    `request_id`: the header `X-Request-ID`. `traceparent`: the header of W3C Trace Context.
    """

    request_id: str | None = None
    traceparent: str | None = None


UNCORRELATED = Correlation()
"""Shared, since most sockets of a site without tracing have it."""


def read_correlation(
    headers: Sequence[tuple[bytes, bytes]], *, secret: str | None = None
) -> Correlation:
    """Return the ids in the headers of a request. Raises nothing.

    A repeated header is ignored, since nothing shows which one the proxy set. `secret`: the
    credential of the request. An id that contains it is ignored.
    """
    # Without a loop over the headers of each handshake: all names are one text in lower case.
    names = b" ".join(dict(headers)).lower()
    if REQUEST_ID not in names and TRACEPARENT not in names:
        return UNCORRELATED
    return Correlation(
        request_id=_request_id(_only(headers, REQUEST_ID), secret),
        traceparent=_traceparent(_only(headers, TRACEPARENT)),
    )


def _only(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> str:
    """Return the value of a header that came once, without the blanks around it (RFC 9110 §5.5)."""
    values = [value for name, value in headers if name.lower() == wanted]
    return values[0].decode("latin-1").strip(" \t") if len(values) == 1 else ""


SHORTEST = 8
"""Characters of the shortest credential that is searched for: many ids contain shorter ones."""


def _request_id(value: str, secret: str | None) -> str | None:
    if not _REQUEST_ID.fullmatch(value) or (secret and len(secret) >= SHORTEST and secret in value):
        return None
    return value if redact(value) == value else None


def _traceparent(value: str) -> str | None:
    found = _TRACEPARENT.fullmatch(value)
    if found is None or (found["version"] == "00" and found["more"]):
        return None
    return found["known"]
