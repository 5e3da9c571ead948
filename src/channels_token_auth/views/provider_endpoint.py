"""Turn functions into endpoints for identity providers: bounded bodies, answers by specification.

The token in a request is the only credential: cookies, sessions and CSRF tokens are ignored. An
endpoint answers 404 unless an entry of IDENTITY_PROVIDERS names it.
"""

import functools
from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from ..conf.identity_providers import ProviderEndpoint
from ..core.close_codes import CloseReason
from ..core.errors import Detail, TokenAuthError
from ..core.identity import unavailable
from ..limits.addresses import site_address_limits
from ..observability.error_log import log_error
from ..observability.events import RequestRefused, emit
from ..providers.receiving import providers_at
from ..providers.rejection import is_signed, malformed
from .endpoint import refused
from .non_atomic import non_atomic
from .request_address import request_address

__all__ = ["MAX_BODY", "media_type", "provider_endpoint", "read_body"]

MAX_BODY = 64 * 1024
"""The maximal size of a body, in bytes. `MAX_TOKEN` bounds the token in it."""

TOO_LARGE = Detail(
    slug="body_too_large", remedy=f"A request to this endpoint has at most {MAX_BODY} bytes."
)

View = Callable[[HttpRequest], HttpResponse]
Refuse = Callable[[TokenAuthError], HttpResponse]


def provider_endpoint(endpoint: ProviderEndpoint, refuse: Refuse) -> Callable[[View], View]:
    """Turn a function into the view of an endpoint.

    `refuse` returns the answer to a rejected request, as the endpoint's specification requires it.
    """

    def decorate(answer: View) -> View:
        @login_not_required
        @csrf_exempt  # no browser sends these requests, and no cookie is read
        @non_atomic  # a failure afterwards must not roll a revocation back
        @functools.wraps(answer)
        def view(request: HttpRequest) -> HttpResponse:
            response = _answer(request, answer, endpoint, refuse)
            response["Cache-Control"] = "no-store"
            return response

        return view

    return decorate


def _answer(
    request: HttpRequest, answer: View, endpoint: ProviderEndpoint, refuse: Refuse
) -> HttpResponse:
    if not providers_at(endpoint):
        return JsonResponse({"code": "not_found"}, status=404)
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    try:
        return answer(request)
    except ImproperlyConfigured as error:
        message = f"{endpoint} is configured wrongly: see `manage.py check`."
        log_error(message, error, brief=True, often=True)
        return _refusal(request, unavailable(), refuse)
    except TokenAuthError as error:
        return _refusal(request, error, refuse)


def _refusal(request: HttpRequest, error: TokenAuthError, refuse: Refuse) -> HttpResponse:
    """Count a refusal, log its reason for the site's developers, and answer it."""
    # Only rejected requests count: a provider at a limited address can still report logouts.
    error = _over_limit(request, error) or error
    response = _response(error, refuse)
    if RequestRefused.is_wanted():
        code = _CODES.get(response.status_code, error.code)
        emit(refused(request, code, error.detail))
    return response


def _over_limit(request: HttpRequest, error: TokenAuthError) -> TokenAuthError | None:
    """Count a rejected request. Return the refusal of an address that already had too many."""
    if error.code is CloseReason.UNAVAILABLE:
        return None
    limits, address = site_address_limits(), request_address(request)
    if is_signed(error):  # a provider made a mistake: it receives the error of its request
        limits.note_refusal(address, error.code)
        return None
    try:
        limits.check(address)
    except TokenAuthError as exceeded:
        return exceeded
    limits.note_refusal(address, error.code)
    return None


def _response(error: TokenAuthError, refuse: Refuse) -> HttpResponse:
    if error.code.is_transient:  # unavailable, or over a limit: the provider sends it again
        status = error.code.http_status
        response: HttpResponse = JsonResponse({"error": error.code.value}, status=status)
        response["Retry-After"] = str(error.retry_after or 1)
        return response
    response = refuse(error)
    if error.code is CloseReason.TOO_LARGE:
        response.status_code = 413
    return response


_CODES = {400: CloseReason.MALFORMED, 403: CloseReason.FORBIDDEN}
"""The reason to log for an HTTP status, if the status differs from that of the refused token."""


def read_body(request: HttpRequest) -> bytes:
    """Return the body. Raises TokenAuthError for one that is too long or does not arrive."""
    too_large = TokenAuthError(CloseReason.TOO_LARGE, detail=TOO_LARGE)
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise malformed("malformed_request", "The Content-Length is not a number.") from None
    if announced > MAX_BODY:
        raise too_large
    try:
        # One byte over the maximum shows that there are more. A chunked request (RFC 9112 §7.1) has
        # no Content-Length.
        body = request.read(MAX_BODY + 1)
    except (OSError, RawPostDataException, UnreadablePostError):
        raise malformed("malformed_request", "The request was cut short.") from None
    if len(body) > MAX_BODY:
        raise too_large
    return bytes(body)


def media_type(request: HttpRequest) -> str:
    """Return the media type of the body, without parameters."""
    return str(request.content_type or "").lower()
