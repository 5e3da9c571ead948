"""Show the live sockets of all nodes in Django's admin, and close them there.

The page has no model. Staff who may view users can open it, and staff who may change users can
close sockets. A project with an `AdminSite` of its own calls `add_connections` with it.
"""

from django.contrib import admin

from .site import add_connections

__all__ = ["add_connections"]

add_connections(admin.site)
