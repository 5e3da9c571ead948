"""Whose request it is: by the `Authorization` header, or by Django's session with CSRF."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_protect

from .. import conf
from ..clock import lifetime
from ..core.authentication import Authentication
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Location, Secret
from ..core.errors import TokenAuthError
from ..core.handshake.extraction import extract
from ..core.identity import Identity
from ..verification.authenticator import site_authenticator
from ..verification.tickets import SESSION
from .endpoint import store

__all__ = ["identify"]


def identify(request: HttpRequest) -> Identity:
    """Whose request it is. Raises TokenAuthError."""
    credential = _presented(request)
    if credential is None:
        return _by_session(request)
    (verdict,) = site_authenticator().chain.authenticate([credential])
    if isinstance(verdict, TokenAuthError):
        raise verdict
    left = lifetime(verdict)
    if left is not None and left <= 0:
        raise TokenAuthError(CloseReason.TOKEN_EXPIRED)
    return verdict


def _presented(request: HttpRequest) -> Credential | None:
    """The header's credential, read as in a handshake. Foreign origins are for CORS to allow."""
    value = request.headers.get("Authorization")
    if value is None:
        return None
    policy = replace(
        conf.configuration().policy,
        locations=frozenset({Location.HEADER}),
        schemes=site_authenticator().schemes,
    )
    found = extract([(b"authorization", value.encode("latin-1", "replace"))], b"", (), policy)
    if found.problem:
        raise TokenAuthError(found.problem)
    return found.credential


def _by_session(request: HttpRequest) -> Identity:
    """Who is logged in, by Django's session alone: no other middleware's `request.user` counts."""
    session = getattr(request, "session", None)
    if session is None:
        raise TokenAuthError(CloseReason.TOKEN_MISSING)
    with store():
        user = get_user(request)
        left = timedelta(seconds=session.get_expiry_age())
    if not user.is_authenticated:
        raise TokenAuthError(CloseReason.TOKEN_MISSING)
    if not user.is_active:
        raise TokenAuthError(CloseReason.USER_INACTIVE)
    if not _passes_csrf(request):
        raise TokenAuthError(CloseReason.FORBIDDEN)
    authentication = Authentication(
        backend=SESSION,
        token_id=Secret(str(session.session_key)).digest,
        location=Location.COOKIE,
        expires_at=datetime.now(UTC) + left,
    )
    return Identity(user=user, authentication=authentication)


def _passes_csrf(request: HttpRequest) -> bool:
    """Django's own check, whether or not its middleware is installed."""
    return csrf_protect(lambda _: HttpResponse())(request).status_code == 200
