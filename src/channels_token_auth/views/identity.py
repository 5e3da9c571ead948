"""Identify a request: by its `Authorization` header, or by Django's session with CSRF."""

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

__all__ = ["identify", "may_reach_other_tokens"]


def identify(request: HttpRequest) -> Identity:
    """Return whose request it is, with the scopes that the site's sockets need too.

    Raises TokenAuthError.
    """
    identity = _identify(request)
    if not conf.configuration().scopes <= identity.authentication.scopes:
        raise TokenAuthError(CloseReason.FORBIDDEN)
    return identity


def may_reach_other_tokens(identity: Identity) -> bool:
    """Return True if the credential may list and revoke other tokens of its user.

    A delegated one, such as another application's OAuth token, acts with limited rights: it needs
    all of `CONNECTIONS_SCOPES`.
    """
    name = identity.authentication.backend
    backends = {each.name: each for each in site_authenticator().backends}
    if name not in backends or not backends[name].is_delegated:
        return True
    wanted = conf.configuration().connections_scopes
    return wanted is not None and wanted <= identity.authentication.scopes


def _identify(request: HttpRequest) -> Identity:
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
    """Return the header's credential, read as in a handshake. CORS decides about origins."""
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
    """Return who is logged in by Django's session, whatever `request.user` is."""
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
