"""Find the credential of an opening handshake, and take it out.

Any bytes result in a `Handshake`, never in an exception: its `problem` is the reason to refuse it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..close_codes import CloseReason
from ..credentials import Credential, Location
from .correlation import REQUEST_ID, TRACEPARENT
from .locations.cookie import COOKIE, take_cookie
from .locations.found import Found, Header, Headers, Problem
from .locations.header import AUTHORIZATION, take_header
from .locations.query import take_query
from .locations.subprotocol import OFFER, take_subprotocol
from .policy import Policy

__all__ = ["ANSWERED", "PROTOCOL", "TICKET_NAME", "Handshake", "extract", "extract_everywhere"]

PROTOCOL = "token-auth.v1"
"""The subprotocol of this library's messages (see spec/PROTOCOL.md)."""

TICKET_NAME = "ticket"
"""The query parameter that holds a ticket, and nothing else."""

# Schemes whose credentials a browser, or a proxy, adds by itself to requests of other sites' pages.
_AMBIENT_SCHEMES = frozenset({"basic", "digest", "negotiate", "ntlm"})


@dataclass(slots=True, kw_only=True)
class Handshake:
    """An opening handshake that was read: its credential, and the rest without it.

    `problem`: set if the handshake is refused, whatever the backends would return. `is_hostile`:
    refuse it before accept, so that the client never receives the code. `rivals`: other cookies of
    the credential's name, which must not belong to another user. `offers_credential`: a subprotocol
    entry carries one. `has_bare_token`: an entry is a token by itself, and is no credential.
    `is_cleaned`: a token was taken out of the headers, the query or the subprotocols.
    `cookie_name`: the cookie that was taken, or None. `is_correlated`: `read_correlation` may find
    the ids of a proxy or a tracer in the headers.
    """

    headers: list[Header]
    query_string: bytes
    subprotocols: list[str]
    credential: Credential | None = None
    problem: CloseReason | None = None
    is_hostile: bool = False
    rivals: tuple[Credential, ...] = ()
    offers_credential: bool = False
    has_bare_token: bool = False
    is_cleaned: bool = False
    cookie_name: str | None = None
    is_correlated: bool = False

    def forget_credential(self) -> None:
        """Drop the credential and its rivals, and keep the rest."""
        self.credential = None
        self.rivals = ()


ANSWERED = Handshake(headers=[], query_string=b"", subprotocols=[])
"""The handshake of every open socket: nothing reads its own any more, which takes memory."""


FOREIGN = Problem(code=CloseReason.FORBIDDEN, is_hostile=True)
"""The answer to an Origin that is not allowed."""


def extract(
    headers: Headers, query_string: bytes, subprotocols: Sequence[str], policy: Policy
) -> Handshake:
    """Read a handshake by `policy`: its Origin, then an explicit credential, then the cookie."""
    present = dict(headers)
    handshake = Handshake(
        headers=[*headers],
        query_string=query_string,
        subprotocols=[*subprotocols],
        is_correlated=REQUEST_ID in present or TRACEPARENT in present,
    )
    in_header, explicit = _take_explicit(handshake, present, policy)
    in_cookie = _take_cookie(handshake, policy) if COOKIE in present else None
    origin = present[b"origin"].decode("latin-1") if b"origin" in present else None
    found: Found | None = FOREIGN
    is_of_no_browser = origin is None or _is_of_no_browser(in_header, present)
    if is_of_no_browser or policy.origins.allows(headers):
        # An explicit credential wins over the ambient cookie (PROTOCOL.md, "Precedence").
        found = _agree(explicit) if explicit else _guard(in_cookie, origin)
    if isinstance(found, Credential):
        handshake.credential = found if origin is None else replace(found, origin=origin)
    elif found:
        handshake.problem, handshake.is_hostile = found.code, found.is_hostile
    if explicit:
        handshake.rivals = ()
    handshake.is_cleaned = bool(
        explicit or in_cookie or handshake.offers_credential or handshake.has_bare_token
    )
    return handshake


def extract_everywhere(
    headers: Headers, query_string: bytes, subprotocols: Sequence[str], policy: Policy
) -> Handshake:
    """Read a handshake whose client is refused: take out all that may be a token.

    `policy`: with all locations, since refused clients often use one that is not enabled.
    """
    # Whatever its scheme is: it may be one that no backend knows.
    others = [header for header in headers if header[0] != AUTHORIZATION]
    found = extract(others, query_string, subprotocols, policy)
    found.is_cleaned |= len(others) < len(headers)
    return found


def _take_explicit(
    handshake: Handshake, present: dict[bytes, bytes], policy: Policy
) -> tuple[Found | None, list[Found]]:
    """Take out all credentials but the cookie. Return that of the header, and all of them.

    `present` shows which locations there are: most handshakes have one.
    """
    in_header: Found | None = None
    explicit: list[Found | None] = []
    if AUTHORIZATION in present:
        in_header, handshake.headers = take_header(handshake.headers, policy)
        explicit.append(in_header)
    if handshake.subprotocols or OFFER in present:
        found, handshake.headers, entries = take_subprotocol(
            handshake.headers, handshake.subprotocols, policy
        )
        explicit.append(found)
        handshake.subprotocols = entries.selectable
        handshake.offers_credential = entries.has_credential
        handshake.has_bare_token = entries.has_bare_token
    # The ticket first. The token is then looked for in the rest of the query.
    if query := handshake.query_string:
        found, left = take_query(Location.TICKET, TICKET_NAME, query, policy)
        explicit.append(found)
        found, handshake.query_string = take_query(Location.QUERY, policy.query_name, left, policy)
        explicit.append(found)
    return in_header, [each for each in explicit if each]


def _take_cookie(handshake: Handshake, policy: Policy) -> Found | None:
    found, handshake.rivals, handshake.headers = take_cookie(handshake.headers, policy)
    if found:
        handshake.cookie_name = policy.cookie_name
    return found


def _is_of_no_browser(in_header: Found | None, present: dict[bytes, bytes]) -> bool:
    """Return True if no page can have caused the handshake, so that its Origin proves nothing.

    A page can set no `Authorization` header on a WebSocket. A proxy may turn a cookie into one, but
    then the cookie is there too. (React Native on Android and other native clients send an Origin.)
    """
    return (
        in_header is not None and in_header.scheme not in _AMBIENT_SCHEMES and COOKIE not in present
    )


def _agree(found: Sequence[Found]) -> Found:
    """Return the one credential of several locations; a problem if one has it, or if two differ."""
    if len(found) == 1:
        return found[0]
    problems = [each for each in found if isinstance(each, Problem)]
    if problems:
        # A hostile problem has precedence, since it must be refused before the accept.
        return max(problems, key=lambda each: each.is_hostile)
    # The same token in two locations is one credential. Two tokens are a mistake of the client, and
    # to choose one could admit another user than the client means (PROTOCOL.md, "Precedence").
    if len({each.secret for each in found if isinstance(each, Credential)}) > 1:
        return Problem(code=CloseReason.MALFORMED)
    return found[0]


def _guard(in_cookie: Found | None, origin: str | None) -> Found | None:
    """Refuse a cookie without an Origin: only the Origin shows which page opened the socket."""
    return Problem(code=CloseReason.FORBIDDEN) if in_cookie and origin is None else in_cookie
