"""Identify a request: by its `Authorization` header, or by Django's session with CSRF."""

from dataclasses import replace

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
from ..verification.authenticator import site_authenticator
from ..verification.explanation import SCOPES_MISSING, explain_token

__all__ = ["identify", "may_reach_other_tokens"]

CSRF = Detail(
    slug="csrf",
    remedy="A request by session needs Django's CSRF token: send the value of the cookie"
    " 'csrftoken' in the header X-CSRFToken, from an origin in CSRF_TRUSTED_ORIGINS. Requests with"
    " an Authorization header need none.",
)


def identify(request: HttpRequest) -> Identity:
    """Return whose request it is, with the scopes that the site's sockets need too.

    Raises TokenAuthError.
    """
    identity = _identify(request)
    if not conf.configuration().scopes <= identity.authentication.scopes:
        raise TokenAuthError(CloseReason.FORBIDDEN, detail=SCOPES_MISSING)
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
    policy = replace(
        conf.configuration().policy,
        locations=frozenset({Location.HEADER}),
        anonymous=False,
        schemes=site_authenticator().schemes,
    )
    handshake = _read(request, policy)
    decision = decide(handshake, policy)
    if isinstance(decision, Verify):
        return _by_token(decision.credential)
    code = decision.code if isinstance(decision, Refuse) else CloseReason.TOKEN_MISSING
    detail = explain(code, handshake, policy)
    if code is CloseReason.TOKEN_MISSING:
        return _by_session(request, detail)
    raise TokenAuthError(code, detail=detail)


def _read(request: HttpRequest, policy: Policy) -> Handshake:
    """Read the header as a handshake's. CORS decides about origins."""
    value = request.headers.get("Authorization")
    headers = [] if value is None else [(b"authorization", value.encode("latin-1", "replace"))]
    return extract(headers, b"", (), policy)


def _by_token(credential: Credential) -> Identity:
    authenticator = site_authenticator()
    verdict = authenticator.authenticate_now(credential)
    if isinstance(verdict, TokenAuthError):
        cache = conf.configuration().cache
        detail = explain_token(verdict.code, credential, authenticator.backends, cache=cache)
        raise TokenAuthError(verdict.code, verdict.retry_after, verdict.detail or detail)
    return verdict


def _by_session(request: HttpRequest, detail: Detail | None) -> Identity:
    """Return who is logged in by Django's session, whatever `request.user` is.

    `detail`: why the request has no token, where it has neither.
    """
    key = getattr(getattr(request, "session", None), "session_key", None)
    if not key:
        raise TokenAuthError(CloseReason.TOKEN_MISSING, detail=detail)
    verdict = site_authenticator().authenticate_session(key)
    if isinstance(verdict, TokenAuthError):
        # Of a session that has ended, the page knows already: it is a visitor without a token.
        if verdict.code in (CloseReason.TOKEN_INVALID, CloseReason.TOKEN_EXPIRED):
            raise TokenAuthError(CloseReason.TOKEN_MISSING, detail=detail)
        raise verdict
    if not _passes_csrf(request):
        raise TokenAuthError(CloseReason.FORBIDDEN, detail=CSRF)
    return verdict


def _passes_csrf(request: HttpRequest) -> bool:
    """Django's own check, whether or not its middleware is installed."""
    return csrf_protect(lambda _: HttpResponse())(request).status_code == 200
