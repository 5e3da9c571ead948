"""Report to a load balancer whether this process accepts new sockets."""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from ..django_internals import keep_out_of_cache
from ..node.node import here, local_nodes
from ..observability.error_log import log_error
from ..observability.outages import current_outages
from ..verification.authenticator import site_authenticator
from .non_atomic import non_atomic
from .operators import is_operator

__all__ = ["ready"]


@login_not_required
@non_atomic
@require_safe
async def ready(request: HttpRequest) -> HttpResponse:
    """Answer 503 while a node of this process drains or the site cannot serve; otherwise 200.

    Under ASGI, it starts the node of this process, so that a drain reaches a process that has had
    no socket yet.

    Outages of the channel layer, the cache, a token store or another server do not change the
    status: all nodes have them at once, and taking every node out of service would not end them.
    The body names the outages, for staff and for `is_operator` only.
    """
    keep_out_of_cache(request)
    if isinstance(request, ASGIRequest):  # under WSGI, the event loop ends with this answer
        _start_node()
    draining = [node.name for node in local_nodes() if node.drain.is_on]
    is_ready = not draining and _can_serve()
    body: dict[str, Any] = {"ready": is_ready}
    if is_operator(request) or await _is_staff(request):
        body["draining"] = draining
        body["down"] = [
            {"service": each.service, "name": each.name, "error": each.error}
            for each in current_outages()
        ]
    status = 200 if is_ready else 503
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


def _can_serve() -> bool:
    try:
        site_authenticator()
    except ImproperlyConfigured as error:
        # Anybody may send this request as often as they like.
        log_error("auth/ready/ answers 503.", error, brief=True, often=True)
        return False
    return True


def _start_node() -> None:
    try:
        here()
    except ImproperlyConfigured:
        return  # the settings are wrong: `_can_serve` logs that


@sync_to_async
def _is_staff(request: HttpRequest) -> bool:
    try:
        user = getattr(request, "user", None)
        return bool(user and user.is_active and user.is_staff)
    except Exception:  # noqa: BLE001 - the store of sessions may be unavailable, too
        return False
