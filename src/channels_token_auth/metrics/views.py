"""Serve the metrics to Prometheus only."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from .. import conf
from ..views.health import is_loopback
from .collectors import refresh
from .registry import registry

__all__ = ["metrics"]


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics as text, for requests from this machine, or with `METRICS_TOKEN`."""
    if not (is_loopback(request) or _has_token(request)):
        # With a challenge, which each 401 needs (RFC 9110 §15.5.2).
        return HttpResponse(
            status=401, headers={"WWW-Authenticate": "Bearer", "Cache-Control": "no-store"}
        )
    refresh()
    return HttpResponse(
        generate_latest(registry()),
        content_type=CONTENT_TYPE_LATEST,
        headers={"Cache-Control": "no-store"},
    )


def _has_token(request: HttpRequest) -> bool:
    """Return True if METRICS_TOKEN is set, and sent as a bearer token (RFC 6750 §2.1)."""
    wanted = conf.configuration().metrics_token
    # The name of a scheme is case-insensitive (RFC 9110 §11.1).
    scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
    if wanted is None or scheme.lower() != "bearer":
        return False
    # The time of a plain comparison would show how many characters of a guess are right.
    return constant_time_compare(presented.strip(), wanted.reveal())
