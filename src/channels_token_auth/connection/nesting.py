"""Find a second token middleware around or inside another one.

The outer one verifies the token and removes it, so the inner one would find none and refuse every
client; or, if the token were still there, verify it twice. Neither is what a site wants.
"""

from collections.abc import Iterator
from typing import Any

from ..core.live_authentication import LiveAuthentication
from .application import ApplicationSide

__all__ = ["NESTED", "find_inside", "is_inside"]

NESTED = (
    "A TokenAuthMiddleware is inside another one, which has verified and removed the token: keep"
    " one of them around each route. To give routes different settings, put one around each route,"
    " and none around their URLRouter."
)

_INNER = ("application", "inner", "app")
"""Attributes by which middleware holds the application inside."""


def find_inside(application: Any, kind: type) -> bool:
    """Return whether an instance of the class is in the application, as far as routers and common
    middleware show what is inside them.
    """
    seen: set[int] = set()
    waiting = [application]
    while waiting:
        each = waiting.pop()
        if isinstance(each, kind):
            return True
        if id(each) not in seen:
            seen.add(id(each))
            waiting.extend(_parts(each))
    return False


def is_inside(scope: Any, receive: Any) -> bool:
    """Return whether a token middleware outside has admitted this socket already."""
    is_wrapped = isinstance(getattr(receive, "__self__", None), ApplicationSide)
    return is_wrapped or isinstance(scope.get("auth"), LiveAuthentication)


def _parts(application: Any) -> Iterator[Any]:
    # Only what an object holds itself: to ask for an attribute could run anybody's code.
    values = getattr(application, "__dict__", None)
    if not isinstance(values, dict):
        return
    yield from (values[name] for name in _INNER if name in values)
    mapping = values.get("application_mapping")  # of Channels' ProtocolTypeRouter
    if isinstance(mapping, dict):
        yield from mapping.values()
    routes = values.get("routes")  # of Channels' URLRouter
    if isinstance(routes, list | tuple):
        yield from (getattr(route, "callback", None) for route in routes)
