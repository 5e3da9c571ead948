"""Add the page to an admin site, through two methods of `AdminSite` that Django documents."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import path
from django.utils.translation import gettext as _

from .pages import Pages
from .permissions import may_view

__all__ = ["add_connections"]

PATH = "channels_token_auth/connections/"


def add_connections(site: AdminSite) -> None:
    """Add the page to the site, and an entry to its index. Call it before its `urls` are read."""
    # The instance is patched: a project may use `admin.site`, whose class it does not choose.
    pages = Pages(site)
    get_urls, get_app_list = site.get_urls, site.get_app_list

    def with_ours() -> list[Any]:
        # First, because the last pattern of the admin matches every path.
        return [*_urls(site, pages), *get_urls()]

    def with_our_line(request: HttpRequest, app_label: str | None = None) -> list[Any]:
        # With an `app_label`, Django builds the index page of one app, which this page is not in.
        apps = get_app_list(request, app_label)
        return [*apps, _app(pages)] if may_view(request) and not app_label else apps

    site.get_urls = with_ours  # type: ignore[method-assign]
    site.get_app_list = with_our_line  # type: ignore[method-assign]


def _urls(site: AdminSite, pages: Pages) -> list[Any]:
    views = {
        "": ("connections", pages.listing),
        "data/": ("connections_data", pages.data),
        "close/<str:connection_id>/": ("connection_close", pages.close),
        "close-user/<str:user_id>/": ("connections_close_user", pages.close_user),
        "close-label/": ("connections_close_label", pages.close_label),
    }
    return [
        path(f"{PATH}{route}", site.admin_view(view), name=f"channels_token_auth_{name}")
        for route, (name, view) in views.items()
    ]


def _app(pages: Pages) -> dict[str, Any]:
    """Describe the page as `AdminSite.get_app_list` describes an app and its models."""
    url = pages.url("connections")
    model = {
        "name": _("Live connections"),
        "object_name": "Connection",
        "admin_url": url,
        # The index links to the forms of a model, which this page does not have.
        "add_url": None,
        "view_only": True,
        "perms": {"view": True, "change": False, "add": False, "delete": False},
    }
    return {
        "name": _("Sockets"),
        "app_label": "channels_token_auth",
        "app_url": url,
        "has_module_perms": True,
        "models": [model],
    }
