"""Find a second token middleware around or inside another one.

The outer one verifies the token and removes it. So the inner one would find no token and refuse
every client; or, if the token were left in place, verify it a second time.
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
"""Attributes in which middleware stores the application that it wraps."""


def find_inside(application: Any, kind: type) -> bool:
    """Return whether the application contains an instance of the class, as far as the attributes of
    routers and common middleware show.
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
    """Return whether an outer token middleware has admitted this socket already."""
    is_wrapped = isinstance(getattr(receive, "__self__", None), ApplicationSide)
    return is_wrapped or ("auth" in scope and isinstance(scope["auth"], LiveAuthentication))


def _parts(application: Any) -> Iterator[Any]:
    # Read `__dict__` only: to read an attribute could run a property or `__getattr__` of any class.
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
