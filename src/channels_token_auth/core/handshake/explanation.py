"""Explain to the site's developers why a handshake was refused before any backend was called.

The usual causes are settings: a location that is off, an Origin that is not listed. A client never
receives these explanations. They depend on the values that a client sent, but never quote them.
"""

from collections.abc import Iterator

from ..close_codes import CloseReason
from ..credentials import Location
from ..errors import Detail
from .extraction import PROTOCOL, TICKET_NAME, Handshake
from .locations.cookie import COOKIE
from .locations.header import AUTHORIZATION
from .policy import Policy

__all__ = ["BARE_TOKEN", "NOTHING_SENT", "explain"]

NOTHING_SENT = "no_token"
"""The slug of a handshake that shows no attempt to send a token."""

BARE_TOKEN = (
    "The client offers a token as a subprotocol, without 'bearer.' before it. It was removed, since"
    f" a subprotocol is echoed and logged. Have the client offer [{PROTOCOL!r}, 'bearer.<token>']."
)

_NO_CREDENTIAL = (CloseReason.TOKEN_MISSING, CloseReason.AUTH_TIMEOUT)


def explain(code: CloseReason, handshake: Handshake, policy: Policy) -> Detail | None:
    """Return the reason and the remedy, or None if the handshake does not show them."""
    if code is CloseReason.FORBIDDEN and handshake.problem is code:
        return _origin(handshake, policy)
    if code in _NO_CREDENTIAL and handshake.credential is None:
        return next(_missing(handshake, policy), None)
    if code is CloseReason.MALFORMED and handshake.problem is code:
        return Detail(
            slug="malformed_handshake",
            remedy="The handshake has a credential that is no token (blank, NUL, not UTF-8), is"
            f" repeated, is longer than MAX_TOKEN_BYTES ({policy.max_token_bytes}), or two that"
            " differ. Send one token, in one location.",
        )
    return None


def _origin(handshake: Handshake, policy: Policy) -> Detail:
    # RFC 6454, section 7.3: browsers send an Origin with every WebSocket handshake. Without one,
    # the client is no browser, and a cookie has no page that it could be protected from.
    if not any(name == b"origin" for name, _ in handshake.headers):
        return Detail(
            slug="cookie_without_origin",
            remedy="The credential is a cookie, and the handshake has no Origin. Clients that are"
            " no browser have to send their token in another location, such as the header.",
        )
    # RFC 6454, section 6.1: all pages without scheme and host have one origin, the text "null".
    if any(header == (b"origin", b"null") for header in handshake.headers):
        return Detail(
            slug="origin_is_null",
            remedy="A page that was opened from a file, or in a sandboxed frame, has the origin"
            ' "null". Serve the page over HTTP; or add "null" to ALLOWED_ORIGINS while DEBUG is on,'
            ' with "self" for the site\'s own pages.',
        )
    return _not_allowed(policy)


def _not_allowed(policy: Policy) -> Detail:
    if policy.origins.exact is not None:
        return Detail(
            slug="origin_not_listed",
            remedy="Add the page's origin to ALLOWED_ORIGINS, with scheme, host and port. Listed:"
            f" {', '.join(sorted(policy.origins.exact)) or 'none'}.",
        )
    # With ALLOWED_HOSTS = ["*"], the Host header is what the client wants it to be: it can only be
    # compared with the Origin of the same request.
    if "*" in policy.origins.hosts:
        return Detail(
            slug="origin_is_not_the_host",
            remedy='ALLOWED_HOSTS has "*", so only pages of the host that was asked for may open'
            " sockets. To allow the page, list its origin in ALLOWED_ORIGINS, with 'self' for the"
            " site's own pages.",
        )
    return Detail(
        slug="origin_not_in_allowed_hosts",
        remedy="Add the host of the page's origin to ALLOWED_HOSTS; or list the origin in"
        ' ALLOWED_ORIGINS, with "self" for the site\'s own pages.'
        f" ALLOWED_HOSTS is: {', '.join(policy.origins.hosts) or 'empty'}.",
    )


def _missing(handshake: Handshake, policy: Policy) -> Iterator[Detail]:
    """Yield why no credential was found, the likeliest reason first."""
    # The order of the following questions is that of the mistakes in practice: a location that is
    # switched off, then a scheme or a subprotocol with a typing error.
    names = _query_names(handshake.query_string)
    if policy.query_name in names and Location.QUERY not in policy.locations:
        yield Detail(
            slug="query_is_off",
            remedy=f"The query has {policy.query_name!r}, but LOCATIONS has no 'query'. Have the"
            " client send the token as a subprotocol or header, or add 'query' to LOCATIONS.",
        )
    if TICKET_NAME in names and Location.TICKET not in policy.locations:
        yield _off("ticket", "The query has a ticket")
    if any(name == AUTHORIZATION for name, _ in handshake.headers):
        yield _authorization(handshake, policy)
    if handshake.offers_credential and Location.SUBPROTOCOL not in policy.locations:
        yield _off("subprotocol", "A subprotocol has a token")
    if _has_cookie(handshake, policy.cookie_name) and Location.COOKIE not in policy.locations:
        yield _off("cookie", f"There is a cookie {policy.cookie_name!r}")
    if handshake.has_bare_token:
        yield Detail(slug="subprotocol_is_a_token", remedy=BARE_TOKEN)
    # A library that offers its own subprotocol (GraphQL, STOMP) is not asked for a first message:
    # it would close the socket on a message that it does not know.
    may_wait = Location.FIRST_MESSAGE in policy.locations
    if may_wait and handshake.subprotocols and PROTOCOL not in handshake.subprotocols:
        yield Detail(
            slug="protocol_not_offered",
            remedy=f"The client offers subprotocols without {PROTOCOL!r}, so that it cannot send a"
            f" first message. Have it offer [{PROTOCOL!r}, 'bearer.<token>'], or send the token in"
            " another location.",
        )
    locations = ", ".join(each.value for each in Location if each in policy.locations)
    yield Detail(slug=NOTHING_SENT, remedy=f"The client sent no token. LOCATIONS are: {locations}.")


def _authorization(handshake: Handshake, policy: Policy) -> Detail:
    if Location.HEADER not in policy.locations:
        return _off("header", "There is an Authorization header")
    schemes = " or ".join(sorted(each.capitalize() for each in policy.schemes)) or "none"
    values = (value for name, value in handshake.headers if name == AUTHORIZATION)
    # RFC 9110, section 11.4: credentials are a scheme and then, after a space, the token.
    if any(b" " not in value.strip() for value in values):
        return Detail(
            slug="authorization_without_scheme",
            remedy="The Authorization header has a single word. It needs a scheme before the token:"
            f" {schemes}.",
        )
    return Detail(
        slug="authorization_scheme",
        remedy=f"No backend recognises the Authorization header's scheme. Known: {schemes}.",
    )


def _off(location: str, found: str) -> Detail:
    return Detail(
        slug=f"{location}_is_off", remedy=f"{found}, but LOCATIONS has no {location!r}: add it."
    )


def _query_names(query_string: bytes) -> set[str]:
    return {pair.partition(b"=")[0].decode("latin-1") for pair in query_string.split(b"&") if pair}


def _has_cookie(handshake: Handshake, name: str) -> bool:
    pairs = (
        pair
        for header, value in handshake.headers
        if header == COOKIE
        for pair in value.split(b";")
    )
    return any(pair.partition(b"=")[0].strip() == name.encode() for pair in pairs)
