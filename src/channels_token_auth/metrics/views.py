"""Serve the metrics to Prometheus only."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ..django_internals import keep_out_of_cache
from ..views.non_atomic import non_atomic
from ..views.operators import is_operator
from .collectors import refresh
from .registry import registry

__all__ = ["metrics"]


@login_not_required
@non_atomic  # metrics are needed most while a database is unavailable
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics as text, for requests from this machine, or with `METRICS_TOKEN`."""
    keep_out_of_cache(request)
    if not is_operator(request):
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
