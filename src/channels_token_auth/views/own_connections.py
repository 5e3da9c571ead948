"""The caller's own sockets, listed and signed out: "where am I signed in".

What is deleted is signed out: the token behind the socket ends. Of the caller's own token only the
socket is closed, so that nobody signs himself out by tidying up.
"""

from typing import Any

from django.http import Http404, HttpRequest
from django.views.decorators.http import require_http_methods

from ..cluster import connections as cluster
from ..cluster.connections import LiveConnection
from ..core.identity import Identity, unavailable
from ..revocation import api
from .endpoint import endpoint, store
from .identity import identify

__all__ = ["connection", "connections"]


@require_http_methods(["GET", "HEAD", "DELETE"])
@endpoint
def connections(request: HttpRequest) -> dict[str, Any] | None:
    """List the caller's sockets; or sign out all but those of the token that he asks with."""
    identity = identify(request)
    if request.method == "DELETE":
        with store():
            api.revoke_user(identity.user.pk, except_token=identity.authentication)
        return None
    found = cluster.connections(user=identity.user.pk)
    return {
        "connections": [_shown(each, identity) for each in found.connections],
        "total": found.total,
        "missing": list(found.missing),
    }


@require_http_methods(["DELETE"])
@endpoint
def connection(request: HttpRequest, connection_id: str) -> None:
    """Sign out one of the caller's sockets. Other users' are not found."""
    identity = identify(request)
    found = cluster.connections(user=identity.user.pk, connection_id=connection_id)
    if found.connections:
        _sign_out(found.connections[0], identity)
    elif found.missing:
        raise unavailable()  # it may be one of theirs
    else:
        raise Http404


def _sign_out(each: LiveConnection, identity: Identity) -> None:
    user_pk = identity.user.pk
    with store():
        if _is_current(each, identity):
            api.disconnect(user=user_pk, connection_id=each.connection_id)
        else:
            api.revoke_token(str(each.token_id), user=user_pk)


def _is_current(each: LiveConnection, identity: Identity) -> bool:
    """Whether it was opened with the token, or in the session, that is asking."""
    own = identity.authentication
    return (each.backend, each.token_id) == (own.backend, own.token_id)


def _shown(each: LiveConnection, identity: Identity) -> dict[str, Any]:
    """Without the token's id: with it, who sees this list could end what he does not hold."""
    return {
        "id": each.connection_id,
        "node": each.node,
        "location": each.location,
        "address": each.address,
        "origin": each.origin,
        "path": each.path,
        "opened_at": each.opened_at,
        "expires_at": each.expires_at,
        "is_current": _is_current(each, identity),
    }
