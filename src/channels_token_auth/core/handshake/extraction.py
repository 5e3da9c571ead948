"""Find the credential of an opening handshake, and take it out.

Total: any bytes give a `Handshake`, never an exception. What is wrong with one is its `problem`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..close_codes import CloseReason
from ..credentials import Credential, Location
from .locations import (
    OFFER,
    Found,
    Header,
    Headers,
    Problem,
    take_cookie,
    take_header,
    take_query,
    take_subprotocol,
)
from .policy import Policy

__all__ = ["PROTOCOL", "TICKET_NAME", "Handshake", "extract"]

PROTOCOL = "token-auth.v1"
"""The subprotocol under which this library speaks (spec: PROTOCOL.md)."""

TICKET_NAME = "ticket"
"""The query parameter that holds a ticket, and nothing else."""


@dataclass(slots=True, kw_only=True)
class Handshake:
    """An opening handshake, read: its credential, until that is forgotten, and all the rest.

    `problem` is set where the handshake is refused whatever a backend would say, and
    `is_hostile` where it is not even accepted to be told so.
    """

    credential: Credential | None
    problem: CloseReason | None
    is_hostile: bool
    headers: list[Header]
    query_string: bytes
    subprotocols: list[str]

    def forget_credential(self) -> None:
        """Keep the rest of it only."""
        self.credential = None


def extract(
    headers: Headers, query_string: bytes, subprotocols: Sequence[str], policy: Policy
) -> Handshake:
    """Read a handshake by `policy`: its Origin, then an explicit credential, then the cookie."""
    # Few handshakes have more than one of these: what is not there need not be looked for.
    present = dict(headers)
    in_header = in_subprotocol = in_ticket = in_query = in_cookie = None
    left, query_left, listed = list(headers), query_string, list(subprotocols)
    if b"authorization" in present:
        in_header, left = take_header(left, policy)
    if listed or OFFER in present:
        in_subprotocol, left, listed = take_subprotocol(left, listed, policy)
    if query_string:
        in_ticket, query_left = take_query(Location.TICKET, TICKET_NAME, query_left, policy)
        in_query, query_left = take_query(Location.QUERY, policy.query_name, query_left, policy)
    if b"cookie" in present:
        in_cookie, left = take_cookie(left, policy)
    origin = present[b"origin"].decode("latin-1") if b"origin" in present else None
    if origin is not None and not policy.origins.allows(headers):
        found: Found | None = Problem(code=CloseReason.FORBIDDEN, is_hostile=True)
    else:
        explicit = [each for each in (in_header, in_subprotocol, in_ticket, in_query) if each]
        found = _agree(explicit) if explicit else _guard(in_cookie, origin)
    problem = found if isinstance(found, Problem) else None
    return Handshake(
        credential=_bind(found, origin) if isinstance(found, Credential) else None,
        problem=problem.code if problem else None,
        is_hostile=problem.is_hostile if problem else False,
        headers=left,
        query_string=query_left,
        subprotocols=listed,
    )


def _agree(found: Sequence[Found]) -> Found:
    """One answer of several: any problem, or two tokens that differ, spoil them all."""
    if len(found) == 1:
        return found[0]
    problems = [each for each in found if isinstance(each, Problem)]
    if problems:
        return max(problems, key=lambda each: each.is_hostile)
    if len({each.secret for each in found if isinstance(each, Credential)}) > 1:
        return Problem(code=CloseReason.MALFORMED)
    return found[0]


def _guard(in_cookie: Found | None, origin: str | None) -> Found | None:
    """A cookie proves nothing about the page that used it; its Origin does."""
    return Problem(code=CloseReason.FORBIDDEN) if in_cookie and origin is None else in_cookie


def _bind(credential: Credential, origin: str | None) -> Credential:
    return credential if origin is None else replace(credential, origin=origin)
