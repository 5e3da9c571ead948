"""channels-auth-token-middlewares from PyPI, with a DRF token in the header."""

from channels_auth_token_middlewares.middleware import DRFAuthTokenMiddleware

from benchmarks.project.stock import for_users

__all__ = ["application"]

application = DRFAuthTokenMiddleware(for_users)
