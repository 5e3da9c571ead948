"""django-channels-jwt-auth-middleware from PyPI, with an access token in the query.

Without the session middleware of its stack, which needs cookies that programs do not have.
"""

from django_channels_jwt_auth_middleware.auth import JWTAuthMiddleware

from benchmarks.project.stock import for_users

__all__ = ["application"]

application = JWTAuthMiddleware(for_users)
