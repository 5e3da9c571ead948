"""Scopes: what a token may be used for, and the decorator that requires some for a method.

It reads no settings: what a whole route requires is the setting `SCOPES`, which the route knows.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from ..core.close_codes import CloseReason
from ..core.errors import TokenAuthError

__all__ = ["read_scopes", "requires_scopes"]

Method = TypeVar("Method", bound=Callable[..., Any])


def requires_scopes(*scopes: str) -> Callable[[Method], Method]:
    """Have a consumer's method run only while the socket's token has all of these scopes.

    For plain and for asynchronous methods. A call raises TokenAuthError, with the code "forbidden"
    (RFC 6750, section 3.1: insufficient_scope), if a scope is missing or the socket is anonymous.
    If the consumer does not catch it, the socket is closed with 4403. Raises TypeError without a
    scope, and ValueError for an empty one.
    """
    required = read_scopes(scopes)
    if not required:
        raise TypeError("requires_scopes() needs at least one scope.")

    def decorate(method: Method) -> Method:
        @wraps(method)
        def guarded(consumer: Any, *args: Any, **kwargs: Any) -> Any:
            _require(required, consumer)
            return method(consumer, *args, **kwargs)

        @wraps(method)
        async def guarded_async(consumer: Any, *args: Any, **kwargs: Any) -> Any:
            _require(required, consumer)
            return await method(consumer, *args, **kwargs)

        # Two functions, because only one form fits: asynchronous consumers await their methods, and
        # a plain consumer would never run a coroutine.
        return cast("Method", guarded_async if iscoroutinefunction(method) else guarded)

    return decorate


def read_scopes(given: Iterable[str]) -> frozenset[str]:
    """Return the scopes as a set. Raises TypeError or ValueError for any other values."""
    scopes = tuple(given)
    # A text is iterable too: each of its letters would become a scope.
    if isinstance(given, str) or not all(isinstance(each, str) and each for each in scopes):
        raise ValueError(f"The scopes are {given!r}: give a list of texts that are not empty.")
    return frozenset(scopes)


def _require(scopes: frozenset[str], consumer: Any) -> None:
    # Read it for each call, since a reauthentication or a sweep may have changed the scopes.
    authentication = consumer.scope["auth"]
    if authentication is None or not scopes <= authentication.scopes:
        raise TokenAuthError(CloseReason.FORBIDDEN)
