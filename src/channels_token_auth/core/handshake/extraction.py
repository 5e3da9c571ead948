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

    credential: Credential | None
    problem: CloseReason | None
    is_hostile: bool
    rivals: tuple[Credential, ...]
    offers_credential: bool
    has_bare_token: bool
    is_cleaned: bool
    cookie_name: str | None
    headers: list[Header]
    query_string: bytes
    subprotocols: list[str]
    is_correlated: bool = False

    def forget_credential(self) -> None:
        """Drop the credential and its rivals, and keep the rest."""
        self.credential = None
        self.rivals = ()


ANSWERED = Handshake(
    credential=None,
    problem=None,
    is_hostile=False,
    rivals=(),
    offers_credential=False,
    has_bare_token=False,
    is_cleaned=False,
    cookie_name=None,
    headers=[],
    query_string=b"",
    subprotocols=[],
)
"""The handshake of every open socket: nothing reads its own any more, which takes memory."""


@dataclass(slots=True, kw_only=True)
class _Taken:
    """The finding of each location, and the handshake without the credentials."""

    headers: list[Header]
    query_string: bytes
    selectable: list[str]
    has_credential: bool = False
    has_bare_token: bool = False
    in_header: Found | None = None
    in_subprotocol: Found | None = None
    in_ticket: Found | None = None
    in_query: Found | None = None
    in_cookie: Found | None = None
    rivals: tuple[Credential, ...] = ()


FOREIGN = Problem(code=CloseReason.FORBIDDEN, is_hostile=True)
"""The answer to an Origin that is not allowed."""


def extract(
    headers: Headers, query_string: bytes, subprotocols: Sequence[str], policy: Policy
) -> Handshake:
    """Read a handshake by `policy`: its Origin, then an explicit credential, then the cookie."""
    present = dict(headers)
    taken = _take(headers, query_string, subprotocols, present, policy)
    # An explicit credential wins over the ambient cookie (PROTOCOL.md, "Precedence").
    in_order = (taken.in_header, taken.in_subprotocol, taken.in_ticket, taken.in_query)
    explicit = [each for each in in_order if each]
    origin = present[b"origin"].decode("latin-1") if b"origin" in present else None
    found: Found | None = FOREIGN
    is_of_no_browser = origin is None or _is_of_no_browser(taken.in_header, present)
    if is_of_no_browser or policy.origins.allows(headers):
        found = _agree(explicit) if explicit else _guard(taken.in_cookie, origin)
    if origin is not None and isinstance(found, Credential):
        found = replace(found, origin=origin)
    problem = found if isinstance(found, Problem) else None
    return Handshake(
        credential=found if isinstance(found, Credential) else None,
        problem=problem.code if problem else None,
        is_hostile=problem.is_hostile if problem else False,
        rivals=() if explicit else taken.rivals,
        offers_credential=taken.has_credential,
        has_bare_token=taken.has_bare_token,
        is_cleaned=bool(
            explicit or taken.in_cookie or taken.has_credential or taken.has_bare_token
        ),
        cookie_name=policy.cookie_name if taken.in_cookie else None,
        headers=taken.headers,
        query_string=taken.query_string,
        subprotocols=taken.selectable,
        is_correlated=REQUEST_ID in present or TRACEPARENT in present,
    )


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


def _take(
    headers: Headers,
    query_string: bytes,
    subprotocols: Sequence[str],
    present: dict[bytes, bytes],
    policy: Policy,
) -> _Taken:
    """Read each location. `present` shows which ones are there, and most handshakes have one."""
    selectable = [*subprotocols]
    taken = _Taken(headers=[*headers], query_string=query_string, selectable=selectable)
    if AUTHORIZATION in present:
        taken.in_header, taken.headers = take_header(taken.headers, policy)
    if subprotocols or OFFER in present:
        taken.in_subprotocol, taken.headers, entries = take_subprotocol(
            taken.headers, subprotocols, policy
        )
        taken.selectable = entries.selectable
        taken.has_credential, taken.has_bare_token = entries.has_credential, entries.has_bare_token
    # The ticket first. The token is then looked for in the rest of the query.
    if query_string:
        ticket, token = Location.TICKET, Location.QUERY
        taken.in_ticket, left = take_query(ticket, TICKET_NAME, query_string, policy)
        taken.in_query, taken.query_string = take_query(token, policy.query_name, left, policy)
    if COOKIE in present:
        taken.in_cookie, taken.rivals, taken.headers = take_cookie(taken.headers, policy)
    return taken


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
