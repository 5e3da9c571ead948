"""The application of `bench day`: the library's consumer, and Channels' own."""

from channels.routing import URLRouter
from django.urls import path

from benchmarks.project.ours import Echo
from benchmarks.project.stock import Echo as ChannelsEcho
from channels_token_auth.middleware import TokenAuthMiddlewareStack

__all__ = ["application"]


class Stock(ChannelsEcho):
    """Channels' consumer without a channel, which would end it when Redis is stopped."""

    channel_layer_alias = None


application = TokenAuthMiddlewareStack(
    URLRouter([path("", Echo.as_asgi()), path("stock", Stock.as_asgi())])
)
