"""Report the risk of each setting that is looser than its default.

RFC 6750 §2.3 and RFC 9700 §4.3.2 advise against tokens in URLs. Cookies are a risk because browsers
do not apply CORS to WebSockets: only the server can refuse the pages of other sites.
"""

from collections.abc import Iterator

from django.conf import settings
from django.core import checks

from .. import conf
from ..core.credentials import Location
from ..core.handshake.policy import Policy

__all__ = ["loosened"]

# The default of MAX_TOKEN_BYTES.
SAFE_TOKEN_BYTES = 4096


def loosened() -> Iterator[checks.CheckMessage]:
    """Report each setting that admits more than its default.

    RFC 6750 §2.3 and RFC 9700 §4.3.2 advise against tokens in URLs. CORS does not apply to
    WebSockets: the server alone can refuse other sites' pages.
    """
    policy = conf.configuration().policy
    if policy.anonymous and conf.configuration().scopes:
        yield checks.Warning(
            "ANONYMOUS is True, but SCOPES requires scopes, which an anonymous socket never has.",
            hint="Remove one of the two, or pass SCOPES to the middleware of single routes.",
            id="channels_token_auth.W005",
        )
    if policy.origins.exact and "null" in policy.origins.exact and not settings.DEBUG:
        yield checks.Error(
            "ALLOWED_ORIGINS has 'null': every sandboxed frame of any site may open sockets.",
            hint="List the origins of your pages; 'null' is for pages opened from a file.",
            id="channels_token_auth.E003",
        )
    yield from _risky_locations(policy)
    if policy.max_token_bytes > SAFE_TOKEN_BYTES:
        yield checks.Warning(
            f"MAX_TOKEN_BYTES is over {SAFE_TOKEN_BYTES}: uvicorn's default WebSocket"
            " implementation hangs for ever on a handshake line over 8,192 bytes, and nginx"
            " refuses one.",
            hint="Keep tokens small, or run a server that answers: see the servers page.",
            id="channels_token_auth.W003",
        )


def _risky_locations(policy: Policy) -> Iterator[checks.CheckMessage]:
    if Location.QUERY in policy.locations:
        yield checks.Warning(
            "LOCATIONS has 'query': URLs contain tokens, and servers, proxies, browsers and"
            " error reporters log URLs.",
            hint="Let browsers use 'subprotocol' and other clients 'header' (RFC 9700 §4.3.2).",
            id="channels_token_auth.W001",
        )
    if Location.COOKIE in policy.locations:
        yield checks.Warning(
            "LOCATIONS has 'cookie': a browser adds it to handshakes that other sites' pages"
            " start, so the Origin check is the only protection.",
            hint="Keep ALLOWED_ORIGINS exact, and the cookie SameSite, Secure and HttpOnly.",
            id="channels_token_auth.W002",
        )
