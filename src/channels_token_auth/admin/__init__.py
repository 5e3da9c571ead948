"""Show the live sockets of all nodes in Django's admin, and close them there.

It needs no model. Whoever may view users sees it, and whoever may change them closes sockets. A
site with an `AdminSite` of its own calls `add_connections` with it.
"""

from django.contrib import admin

from .site import add_connections

__all__ = ["add_connections"]

add_connections(admin.site)
