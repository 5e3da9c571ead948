"""Receive the requests of identity providers: logouts, security events, and revocations."""

import json
from typing import Any
from urllib.parse import parse_qs

from django.http import HttpRequest, HttpResponse, JsonResponse

from ..conf.identity_providers import ProviderEndpoint
from ..core.close_codes import CloseReason
from ..core.errors import TokenAuthError
from ..providers.provider import Provider
from ..providers.receiving import receive
from ..providers.rejection import ErrorCode, Rejected, error_code, malformed, rejected, unsigned
from ..providers.subjects import Claims
from ..providers.tokens import Notice, read_logout, read_revocation, read_security_event
from .provider_endpoint import media_type, provider_endpoint, read_body

__all__ = ["backchannel_logout", "global_token_revocation", "security_events"]

FORM = "application/x-www-form-urlencoded"
SECURITY_EVENT = "application/secevent+jwt"
JSON = "application/json"

NO_TOKEN = "no_token"  # noqa: S105 - a reason

MAX_FIELDS = 10
"""The maximal number of fields in a form. Only one is read."""


def _refuse_logout(error: TokenAuthError) -> HttpResponse:
    """Answer as OpenID Connect Back-Channel Logout 1.0, section 2.8."""
    body = {"error": "invalid_request", "error_description": error_code(error).description}
    return JsonResponse(body, status=400)


def _refuse_event(error: TokenAuthError) -> HttpResponse:
    """Answer as RFC 8935, section 2.3."""
    code = error_code(error)
    body = {"err": code.value, "description": code.description}
    # RFC 8935 §2.3 requires the header. The description is English in every site.
    return JsonResponse(body, status=400, headers={"Content-Language": "en"})


def _refuse_revocation(error: TokenAuthError) -> HttpResponse:
    """Answer as draft-parecki-oauth-global-token-revocation. 401 is for the bearer token only."""
    code = error_code(error)
    if code is ErrorCode.ACCESS_DENIED:
        status, slug = 403, "access_denied"
    elif error.code is CloseReason.TOKEN_INVALID:
        status, slug = 401, "invalid_token"
    else:
        status, slug = 400, "invalid_request"
    body = {"error": slug, "error_description": code.description}
    response = JsonResponse(body, status=status)
    if status == 401:  # RFC 9110 §11.6.1 requires a challenge
        is_missing = error.detail is not None and error.detail.slug == NO_TOKEN
        # RFC 6750 §3.1: a request without a token is answered without an error code.
        response["WWW-Authenticate"] = "Bearer" if is_missing else 'Bearer error="invalid_token"'
    return response


@provider_endpoint(ProviderEndpoint.BACKCHANNEL_LOGOUT, _refuse_logout)
def backchannel_logout(request: HttpRequest) -> HttpResponse:
    """End a session, or all sessions of a user (OpenID Connect Back-Channel Logout 1.0)."""
    received = receive(_logout_token(request), ProviderEndpoint.BACKCHANNEL_LOGOUT, _read_logout)
    if received.is_replay:  # §2.6, step 8
        raise rejected("replayed", "The logout token was received before: it is accepted once.")
    return HttpResponse(status=200)


@provider_endpoint(ProviderEndpoint.SECURITY_EVENTS, _refuse_event)
def security_events(request: HttpRequest) -> HttpResponse:
    """Act on a security event token that the provider pushes (RFC 8935)."""
    if media_type(request) != SECURITY_EVENT:
        raise malformed("content_type", f"A security event token has the type {SECURITY_EVENT}.")
    raw = read_body(request).decode("ascii", "replace").strip()
    # RFC 8935 §2.2: a token that was received before is acknowledged again, without effect.
    receive(raw, ProviderEndpoint.SECURITY_EVENTS, _read_event)
    return HttpResponse(status=202)


@provider_endpoint(ProviderEndpoint.GLOBAL_TOKEN_REVOCATION, _refuse_revocation)
def global_token_revocation(request: HttpRequest) -> HttpResponse:
    """Revoke all tokens of a user, as Okta's Universal Logout asks."""
    scheme, _, raw = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise unsigned(NO_TOKEN, "The request has no token in 'Authorization: Bearer …'.")
    body = read_body(request)

    def read(provider: Provider, claims: Claims) -> list[Notice]:
        settings = provider.settings
        by = settings.user_claim if settings.user is None else None
        try:
            return read_revocation(
                claims, _json(request, body), issuer=settings.issuer, user_claim=by
            )
        except Rejected as error:
            raise _about_the_body(error) from None

    received = receive(raw.strip(), ProviderEndpoint.GLOBAL_TOKEN_REVOCATION, read)
    if received.is_replay:
        raise rejected("replayed", "The token of the request was received before.")
    return HttpResponse(status=204 if received.is_known else 404)


def _read_logout(provider: Provider, claims: Claims) -> list[Notice]:
    settings = provider.settings
    return read_logout(claims, issuer=settings.issuer, audience=settings.audience)


def _read_event(provider: Provider, claims: Claims) -> list[Notice]:
    return read_security_event(claims, issuer=provider.settings.issuer)


def _logout_token(request: HttpRequest) -> str:
    """Return the form's one field `logout_token` (§2.5). Raises TokenAuthError."""
    if media_type(request) != FORM:
        raise malformed("content_type", f"A logout token comes in a form of the type {FORM}.")
    try:
        text = read_body(request).decode("ascii")
        tokens = parse_qs(text, max_num_fields=MAX_FIELDS).get("logout_token", [])
    except ValueError:
        tokens = []
    if len(tokens) != 1:
        raise malformed("no_logout_token", "The form needs the field 'logout_token' once.")
    return tokens[0]


def _json(request: HttpRequest, body: bytes) -> Any:
    if media_type(request) != JSON:
        raise malformed("content_type", f"The request's body has the type {JSON}.")
    try:
        return json.loads(body)
    except (RecursionError, ValueError):
        raise malformed("malformed_request", "The request's body is not JSON.") from None


def _about_the_body(error: Rejected) -> Rejected:
    """Return the same rejection for a request whose token is valid: the body is malformed."""
    detail = error.detail
    assert detail is not None  # noqa: S101 - each rejection has one
    return Rejected(CloseReason.MALFORMED, detail, error.error, is_signed=True)
