"""The HTTP face: a ticket to open a socket with, and whether a token or a session still stands.

A credential comes in the `Authorization` header; where there is none, the session counts, and with
it Django's CSRF check. Nothing is read from the query. Answers are JSON, and never cached.
"""

import contextlib
import functools
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from . import conf
from .backends.base import Identity, unavailable
from .core.authentication import Authentication
from .core.close_codes import Code
from .core.credentials import Credential, Location, Secret
from .core.errors import TokenAuthError
from .core.extraction import extract
from .core.refusal import http_answer
from .sockets.door import lifetime
from .verification.authenticator import site_authenticator
from .verification.tickets import LIFETIME, SESSION

__all__ = ["check", "ticket"]

logger = logging.getLogger("channels_token_auth")

Answer = Callable[[HttpRequest], dict[str, Any]]
View = Callable[[HttpRequest], HttpResponse]


def _endpoint(answer: Answer) -> View:
    """A view of what answers with a dictionary, or refuses with a TokenAuthError."""

    @csrf_exempt  # a browser adds no Authorization by itself; sessions are checked further down
    @transaction.non_atomic_requests  # a query that fails must not cost the answer to it
    @functools.wraps(answer)
    def view(request: HttpRequest) -> HttpResponse:
        try:
            return JsonResponse(answer(request), headers={"Cache-Control": "no-store"})
        except TokenAuthError as error:
            return _refusal(error)

    return view


@require_POST
@_endpoint
def ticket(request: HttpRequest) -> dict[str, Any]:
    """Issue a ticket to whoever asks, bound to the page's Origin where a browser sent one."""
    identity = _identify(request)
    with _store():
        issued = site_authenticator().tickets.issue(identity, origin=request.headers.get("Origin"))
    return {"ticket": issued, "expires_in": LIFETIME}


@require_safe
@_endpoint
def check(request: HttpRequest) -> dict[str, Any]:
    """Whose token or session it is, and for how many more whole seconds; None: for good."""
    identity = _identify(request)
    left = lifetime(identity)
    return {"user_id": str(identity.user.pk), "expires_in": None if left is None else int(left)}


def _identify(request: HttpRequest) -> Identity:
    """Whose request it is. Raises TokenAuthError."""
    credential = _presented(request)
    if credential is None:
        return _by_session(request)
    (verdict,) = site_authenticator().judge.authenticate([credential])
    if isinstance(verdict, TokenAuthError):
        raise verdict
    left = lifetime(verdict)
    if left is not None and left <= 0:
        raise TokenAuthError(Code.TOKEN_EXPIRED)
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
        raise TokenAuthError(Code.TOKEN_MISSING)
    with _store():
        user = get_user(request)
        left = timedelta(seconds=session.get_expiry_age())
    if not user.is_authenticated:
        raise TokenAuthError(Code.TOKEN_MISSING)
    if not user.is_active:
        raise TokenAuthError(Code.USER_INACTIVE)
    if not _passes_csrf(request):
        raise TokenAuthError(Code.FORBIDDEN)
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


@contextlib.contextmanager
def _store() -> Iterator[None]:
    """A session's or a ticket's store that is away is no error of ours, and says nothing else."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever a store raises
        text = "".join(traceback.format_exception(error))
        logger.error("A store is away: answered unavailable.\n%s", text)  # noqa: TRY400 - an error reporter would read secrets in the frames' locals
        raise unavailable() from None


def _refusal(error: TokenAuthError) -> HttpResponse:
    # Codes that exist on open sockets only have no status; no backend should give one.
    status = error.code.http_status or 403
    headers, body = http_answer(error, status)
    named = {name.decode(): value.decode() for name, value in headers}
    return HttpResponse(body, status=status, headers=named)
