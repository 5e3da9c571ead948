"""Explain to the site's developers why no backend accepted a token. Queries no store."""

from collections.abc import Sequence

from ..backends.contract import TokenBackend
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Location
from ..core.errors import Detail
from .denylist import is_shared
from .tickets import LIFETIME

__all__ = ["SCOPES_MISSING", "explain_token"]

SCOPES_MISSING = Detail(
    slug="scopes_missing",
    remedy="The token is valid, and lacks a scope that SCOPES, or this route, requires.",
)


def explain_token(
    code: CloseReason, credential: Credential, backends: Sequence[TokenBackend], *, cache: str
) -> Detail | None:
    """Return why this credential was refused, as far as its shape and the settings show it.

    `cache`: the alias of the cache that tickets are stored in.
    """
    if credential.location is Location.TICKET:
        return _ticket(code, cache)
    if code is not CloseReason.TOKEN_INVALID:
        return None
    names = ", ".join(repr(each.name) for each in backends)
    # By shape alone, as in a handshake: no refusal may cause a query for the log.
    recognized = [repr(each.name) for each in backends if each.recognizes(credential)]
    if not recognized:
        return Detail(
            slug="token_not_recognized",
            remedy="No backend recognises the token by its shape or its scheme. BACKENDS are:"
            f" {names}.",
        )
    return Detail(
        slug="token_unknown",
        remedy=f"No backend knows the token. Asked: {', '.join(recognized)}. It was mistyped, or"
        " belongs to another site or database.",
    )


def _ticket(code: CloseReason, cache: str) -> Detail | None:
    if code is CloseReason.FORBIDDEN:
        return Detail(
            slug="ticket_of_another_origin",
            remedy="The ticket was issued to a page of another origin than the one that opens the"
            " socket: have that page fetch its own ticket.",
        )
    if code is not CloseReason.TOKEN_INVALID:
        return None
    if not is_shared(cache):
        return Detail(
            slug="ticket_unknown_in_this_process",
            remedy=f"The ticket is unknown to this process, and CACHE {cache!r} is its own: if"
            " another process issued it, use a cache that all processes share.",
        )
    return Detail(
        slug="ticket_unknown",
        remedy=f"The ticket was used before, is older than {LIFETIME} s, or was issued for tokens"
        " that this route does not accept.",
    )
