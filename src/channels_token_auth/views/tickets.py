"""Issue tickets for opening sockets, and check whether a token or a session is valid."""

from typing import Any

from django.http import HttpRequest
from django.views.decorators.http import require_POST, require_safe

from ..clock import lifetime
from ..verification.authenticator import site_authenticator
from ..verification.tickets import LIFETIME
from .endpoint import endpoint, store
from .identity import identify

__all__ = ["check", "ticket"]


@require_POST
@endpoint
def ticket(request: HttpRequest) -> dict[str, Any]:
    """Issue a ticket to the caller, bound to the Origin if the request has one."""
    identity = identify(request)
    with store():
        issued = site_authenticator().tickets.issue(identity, origin=request.headers.get("Origin"))
    return {"ticket": issued, "expires_in": LIFETIME}


@require_safe
@endpoint
def check(request: HttpRequest) -> dict[str, Any]:
    """Return the user of the token or session, and the seconds left; None: it never expires."""
    identity = identify(request)
    left = lifetime(identity)
    return {"user_id": str(identity.user.pk), "expires_in": None if left is None else int(left)}
