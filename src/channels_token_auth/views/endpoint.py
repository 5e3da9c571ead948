"""Turn functions into endpoints: uncached JSON, and refusals as in the table of close codes."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from ..core.close_codes import CloseReason
from ..core.errors import Detail, TokenAuthError
from ..core.handshake.correlation import read_correlation
from ..core.handshake.refusal import http_answer
from ..core.identity import unavailable
from ..django_internals import keep_out_of_cache
from ..limits.addresses import site_address_limits
from ..observability.error_log import log_error
from ..observability.events import RequestRefused, emit
from ..verification.authenticator import site_authenticator
from .non_atomic import non_atomic
from .request_address import address_text, request_address

__all__ = ["endpoint", "refused", "store"]

NOT_KEPT = {"Cache-Control": "no-store"}
Handler = Callable[..., dict[str, Any] | None]
View = Callable[..., HttpResponse]


def endpoint(answer: Handler) -> View:
    """Turn a function into a view: it returns a dictionary or None, or raises TokenAuthError or
    Http404.
    """

    # LoginRequiredMiddleware would redirect a client with a token to the login page.
    @login_not_required
    # No browser adds an Authorization header by itself. `identity` checks CSRF for sessions.
    @csrf_exempt
    # In a transaction of the request, a query that fails would turn the answer into an error 500.
    @non_atomic
    @functools.wraps(answer)
    def view(request: HttpRequest, **named: str) -> HttpResponse:
        keep_out_of_cache(request)
        try:
            body = _limited(answer, request, named)
        except TokenAuthError as error:
            if RequestRefused.is_wanted():
                emit(refused(request, error.code, error.detail))
            return _refusal(error)
        except Http404:
            return JsonResponse({"code": "not_found"}, status=404, headers=NOT_KEPT)
        if body is None:
            return HttpResponse(status=204, headers=NOT_KEPT)
        return JsonResponse(body, headers=NOT_KEPT)

    return view


def _limited(answer: Handler, request: HttpRequest, named: dict[str, str]) -> dict[str, Any] | None:
    """Answer, unless too many credentials of the address were rejected."""
    # Before any query, so that guessing tokens costs the database nothing.
    limits, address = site_address_limits(), request_address(request)
    limits.check(address)
    try:
        return answer(request, **named)
    except TokenAuthError as error:
        limits.note_refusal(address, error.code)
        raise


@contextlib.contextmanager
def store() -> Iterator[None]:
    """Raise TokenAuthError ("unavailable") if a store of sessions, tickets or tokens raises."""
    try:
        yield
    except TokenAuthError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a store raises
        log_error("A store did not answer: answered unavailable.", error, often=True)
        raise unavailable() from None


def refused(request: HttpRequest, code: CloseReason, detail: Detail | None) -> RequestRefused:
    """Return the event of a refused request, with the ids that a proxy has given it."""
    # Passed on, so that no part of the token is logged, even if the client sent it as an id.
    token = request.headers.get("Authorization", "").rpartition(" ")[2]
    correlation = read_correlation(list(_naming_headers(request)), secret=token)
    return RequestRefused(
        method=str(request.method),
        path=request.path,
        code=code,
        detail=detail,
        address=address_text(request),
        request_id=correlation.request_id,
        traceparent=correlation.traceparent,
    )


def _naming_headers(request: HttpRequest) -> Iterator[tuple[bytes, bytes]]:
    """Yield the headers with ids of the request. Django joins the values of repeated headers."""
    for name in ("X-Request-ID", "traceparent"):
        value = request.headers.get(name)
        if value is not None:
            yield name.encode(), value.encode("latin-1", "replace")


def _refusal(error: TokenAuthError) -> HttpResponse:
    # Reasons of open sockets, such as "idle", have no HTTP status. No backend should use them here.
    status = error.code.http_status or 403
    headers, body = http_answer(error, status, site_authenticator().schemes)
    named = {name.decode(): value.decode() for name, value in headers}
    return HttpResponse(body, status=status, headers=named)
