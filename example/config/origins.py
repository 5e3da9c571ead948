"""Choose whose pages may open a socket: in development, those of every local port."""

from django.conf import settings

from channels_token_auth.middleware import TokenAuthMiddlewareStack

__all__ = ["authenticated"]

# What browsers send for a page that was opened from a file; a few shells send the second.
FROM_A_FILE = (b"null", b"file://")


def authenticated(application):
    """Return the application behind the token middleware.

    In development a page may be served by any local port (`npm run dev`), or opened from a file.
    A list of origins is exact to the port. Without one, the middleware allows the hosts of
    ALLOWED_HOSTS on every port, but never the `null` of a file. So each gets a stack of its own.
    """
    as_listed = TokenAuthMiddlewareStack(application)
    if not settings.ALLOW_LOCAL_PAGES:
        return as_listed
    on_any_port = TokenAuthMiddlewareStack(application, allowed_origins=None)

    async def choose(scope, receive, send):
        origin = dict(map(tuple, scope["headers"])).get(b"origin")
        chosen = as_listed if origin in FROM_A_FILE else on_any_port
        await chosen(scope, receive, send)

    return choose
