"""List the caller's own sockets and sign them out: "where am I signed in".

Deleting a connection signs it out: its token is revoked. If the connection belongs to the token
that the caller uses, only the socket is closed: users who tidy up must not log themselves out.
"""

from typing import Any

from django.http import Http404, HttpRequest
from django.views.decorators.http import require_http_methods

from ..cluster import connections as cluster
from ..cluster.connections import LiveConnection
from ..core.close_codes import CloseReason
from ..core.errors import Detail, TokenAuthError
from ..core.identity import Identity, is_foreign, unavailable
from ..revocation.disconnecting import disconnect_known
from ..revocation.tokens import revoke_known_token
from ..revocation.users import revoke_user
from .endpoint import endpoint, store
from .identity import identify, may_reach_other_tokens

__all__ = ["connection", "connections"]

DELEGATED = Detail(
    slug="connections_scopes",
    remedy="The token is delegated, and lacks a scope of CONNECTIONS_SCOPES: it may not list or"
    " revoke its user's other tokens.",
)


@require_http_methods(["GET", "HEAD", "DELETE"])
@endpoint
def connections(request: HttpRequest) -> dict[str, Any] | None:
    """List the caller's sockets, or sign out all except those of the token in use."""
    identity = identify(request)
    may_reach_others = may_reach_other_tokens(identity)
    if request.method == "DELETE":
        if not may_reach_others:
            raise TokenAuthError(CloseReason.FORBIDDEN, detail=DELEGATED)
        with store():
            revoke_user(identity.user_key, except_token=identity.authentication)
        return None
    # Without the right to see other tokens, the list has only the sockets of the token in use.
    own = identity.authentication
    named = {"token_id": own.token_id, "backend": own.backend, "issuer": own.issuer}
    which: dict[str, Any] = {} if may_reach_others else named
    found = cluster.connections(user=identity.user_key, **which)
    body = {
        "connections": [_shown(each, identity) for each in found.connections],
        "total": found.total,
        "is_complete": not found.missing,
    }
    # Host names and process ids are for the site's staff only.
    return body | {"missing": list(found.missing)} if _is_staff(identity) else body


@require_http_methods(["DELETE"])
@endpoint
def connection(request: HttpRequest, connection_id: str) -> None:
    """Sign out one of the caller's sockets; 404 for those of other users."""
    identity = identify(request)
    found = cluster.connections(user=identity.user_key, connection_id=connection_id)
    if found.connections:
        _sign_out(found.connections[0], identity)
    elif found.missing:
        raise unavailable()  # a node that did not answer may have the socket
    else:
        raise Http404


def _sign_out(each: LiveConnection, identity: Identity) -> None:
    user = identity.user_key
    with store():
        if _is_current(each, identity):
            # Not "token_revoked": the client would discard a token that is still valid.
            disconnect_known(
                user=user,
                connection_id=each.connection_id,
                code=CloseReason.FORBIDDEN,
            )
        elif not may_reach_other_tokens(identity):
            raise TokenAuthError(CloseReason.FORBIDDEN, detail=DELEGATED)
        else:
            # The names are those of the socket: this process may not have its route.
            named = {"backend": each.backend, "issuer": each.issuer}
            revoke_known_token(str(each.token_id), user=user, **named)


def _is_current(each: LiveConnection, identity: Identity) -> bool:
    """Return True if the socket was opened with the credential of this request."""
    own = identity.authentication
    return (each.backend, each.issuer, each.token_id) == (own.backend, own.issuer, own.token_id)


def _shown(each: LiveConnection, identity: Identity) -> dict[str, Any]:
    """Return the socket as the caller may see it."""
    # Without the token id: with it, readers of this list could revoke tokens that they do not have.
    shown = {
        "id": each.connection_id,
        "location": each.location,
        "address": each.address,
        "origin": each.origin,
        "path": each.path,
        "opened_at": each.opened_at,
        "expires_at": each.expires_at,
        "is_current": _is_current(each, identity),
    }
    return shown | {"node": each.node} if _is_staff(identity) else shown


def _is_staff(identity: Identity) -> bool:
    """Return True if the caller is staff of this site, with all of their rights."""
    # A delegated token has not all rights of its user; and the staff of another service, as its
    # stateless tokens name them, are no staff here.
    is_ours = not is_foreign(identity.user_key.kind) and may_reach_other_tokens(identity)
    return is_ours and bool(getattr(identity.user, "is_staff", False))
