"""The prototype around the library's own consumer."""

from channels.routing import URLRouter
from django.urls import path

from benchmarks.project.ours import Echo
from benchmarks.project.prototype import prototype

__all__ = ["application"]

application = prototype(URLRouter([path("", Echo.as_asgi())]))
