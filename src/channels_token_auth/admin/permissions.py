"""Decide who may open the page and close sockets, by the permissions of the user model.

The page has no model with permissions of its own.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth import get_permission_codename, get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

__all__ = ["may_close", "may_view", "only_if"]

Rule = Callable[[HttpRequest], bool]


def may_view(request: HttpRequest) -> bool:
    """Return True for staff who may view or change users."""
    return _may("view", request) or may_close(request)


def may_close(request: HttpRequest) -> bool:
    """Return True for staff who may change users: deactivating a user closes sockets, too."""
    return _may("change", request)


def only_if(rule: Rule) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Return a decorator for views that answers 403 unless the rule allows the request."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(self: Any, request: HttpRequest, **named: str) -> HttpResponse:
            # `AdminSite.admin_view` has checked only that the user is active and staff.
            if not rule(request):
                raise PermissionDenied
            return view(self, request, **named)

        return guarded

    return decorate


def _may(action: str, request: HttpRequest) -> bool:
    options = get_user_model()._meta
    # From the options, because a site's own user model has another app and another name.
    codename = get_permission_codename(action, options)
    return request.user.has_perm(f"{options.app_label}.{codename}")
