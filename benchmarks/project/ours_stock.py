"""The library around Channels' own consumer."""

from benchmarks.project.stock import application as stock
from channels_token_auth.middleware import TokenAuthMiddlewareStack

__all__ = ["application"]

application = TokenAuthMiddlewareStack(stock)
