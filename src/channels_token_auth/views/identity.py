"""Identify a request: by its `Authorization` header, or by Django's session with CSRF."""

from dataclasses import replace

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_protect

from .. import conf
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Location
from ..core.errors import Detail, TokenAuthError
from ..core.handshake.decision import Refuse, Verify, decide
from ..core.handshake.explanation import explain
from ..core.handshake.extraction import Handshake, extract
from ..core.handshake.policy import Policy
from ..core.identity import Identity
from ..tasks import is_in_loop
from ..verification.authenticator import site_authenticator
from ..verification.explanation import SCOPES_MISSING, explain_token

__all__ = ["identify", "may_reach_other_tokens"]


def identify(request: HttpRequest) -> Identity:
    """Return the identity of the caller. Raises TokenAuthError."""
    # As on sockets: otherwise a token without SCOPES could obtain a ticket, or revoke others.
    identity = _identify(request)
    if not conf.configuration().scopes <= identity.authentication.scopes:
        raise TokenAuthError(CloseReason.FORBIDDEN, detail=SCOPES_MISSING)
    return identity


def may_reach_other_tokens(identity: Identity) -> bool:
    """Return True if the credential may list and revoke other tokens of its user.

    A delegated credential, such as the OAuth token of another application, has limited rights: it
    needs all of `CONNECTIONS_SCOPES`.
    """
    name = identity.authentication.backend
    backends = {each.name: each for each in site_authenticator().backends}
    if name not in backends or not backends[name].is_delegated:
        return True
    # None, the default: no delegated credential may.
    wanted = conf.configuration().connections_scopes
    return wanted is not None and wanted <= identity.authentication.scopes


def _identify(request: HttpRequest) -> Identity:
    # The rules of the handshake decide, so that both accept and refuse the same headers.
    policy = replace(
        conf.configuration().policy,
        locations=frozenset({Location.HEADER}),
        anonymous=False,
        schemes=site_authenticator().schemes,
    )
    handshake = _read(request, policy)
    decision = decide(handshake, policy)
    if isinstance(decision, Verify):
        return _by_token(request, decision.credential)
    code = decision.code if isinstance(decision, Refuse) else CloseReason.TOKEN_MISSING
    detail = explain(code, handshake, policy)
    if code is CloseReason.TOKEN_MISSING:
        return _by_session(request, detail)
    raise TokenAuthError(code, detail=detail)


def _read(request: HttpRequest, policy: Policy) -> Handshake:
    """Read the header as in a handshake, without an Origin: for HTTP, browsers enforce CORS."""
    value = request.headers.get("Authorization")
    headers = [] if value is None else [(b"authorization", value.encode("latin-1", "replace"))]
    return extract(headers, b"", (), policy)


def _by_token(request: HttpRequest, credential: Credential) -> Identity:
    authenticator = site_authenticator()
    # Under ASGI, Django starts a thread for each request. In an event loop nothing may wait for it.
    if isinstance(request, ASGIRequest) and not is_in_loop():
        verdict = authenticator.authenticate_in_lane(credential)
    else:
        verdict = authenticator.authenticate_now(credential)
    if isinstance(verdict, TokenAuthError):
        cache = conf.configuration().cache
        detail = explain_token(verdict.code, credential, authenticator.backends, cache=cache)
        raise TokenAuthError(verdict.code, verdict.retry_after, verdict.detail or detail)
    return verdict


def _by_session(request: HttpRequest, detail: Detail | None) -> Identity:
    """Return the identity of the user of Django's session.

    `detail`: the reason to report if the request has neither a token nor a session.
    """
    # Not by `request.user`: a middleware of the site may have set it from another credential.
    key = getattr(getattr(request, "session", None), "session_key", None)
    if not key:
        raise TokenAuthError(CloseReason.TOKEN_MISSING, detail=detail)
    verdict = site_authenticator().authenticate_session(key)
    if isinstance(verdict, TokenAuthError):
        # A cookie of an ended session is common: its visitor counts as one without a credential.
        if verdict.code in (CloseReason.TOKEN_INVALID, CloseReason.TOKEN_EXPIRED):
            raise TokenAuthError(CloseReason.TOKEN_MISSING, detail=detail)
        raise verdict
    if not _passes_csrf(request):
        raise TokenAuthError(CloseReason.FORBIDDEN, detail=_csrf_missing())
    return verdict


def _csrf_missing() -> Detail:
    """Return the reason, with the names that the site has given to the cookie and the header."""
    return Detail(
        slug="csrf",
        remedy=f"A request by session needs Django's CSRF token: send {_place_of_csrf_token()} in"
        f" the header {_csrf_header()}, from an origin in CSRF_TRUSTED_ORIGINS. Requests with an"
        " Authorization header need none.",
    )


def _place_of_csrf_token() -> str:
    if settings.CSRF_USE_SESSIONS:
        return "the value of the template's {{ csrf_token }} (CSRF_USE_SESSIONS is on)"
    if settings.CSRF_COOKIE_HTTPONLY:
        return "the value of the template's {{ csrf_token }} (CSRF_COOKIE_HTTPONLY is on)"
    return f"the value of the cookie {settings.CSRF_COOKIE_NAME!r}"


def _csrf_header() -> str:
    """Return the header's name on the wire: the setting has its key in `request.META`."""
    name = settings.CSRF_HEADER_NAME
    if name == "HTTP_X_CSRFTOKEN":
        return "X-CSRFToken"  # as Django's documentation writes it
    return str(name).removeprefix("HTTP_").replace("_", "-").title()


def _passes_csrf(request: HttpRequest) -> bool:
    """Return True if Django's CSRF check passes. Its middleware need not be installed."""
    return csrf_protect(lambda _: HttpResponse())(request).status_code == 200
