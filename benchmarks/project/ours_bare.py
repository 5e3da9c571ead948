"""The library around the bare application, which shows the cost of authentication alone."""

from benchmarks.project.bare import application as bare
from channels_token_auth.middleware import TokenAuthMiddlewareStack

__all__ = ["application"]

application = TokenAuthMiddlewareStack(bare)
