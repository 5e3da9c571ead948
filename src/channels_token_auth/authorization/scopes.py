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

    Each call raises TokenAuthError, with the code "forbidden", where it has not, or where the
    socket is anonymous. What the consumer does not catch closes the socket with 4403.
    """
    required = read_scopes(scopes)
    if not required:
        raise TypeError("requires_scopes() is given no scopes.")

    def decorate(method: Method) -> Method:
        @wraps(method)
        def guarded(consumer: Any, *args: Any, **kwargs: Any) -> Any:
            _require(required, consumer)
            return method(consumer, *args, **kwargs)

        @wraps(method)
        async def guarded_async(consumer: Any, *args: Any, **kwargs: Any) -> Any:
            _require(required, consumer)
            return await method(consumer, *args, **kwargs)

        return cast("Method", guarded_async if iscoroutinefunction(method) else guarded)

    return decorate


def read_scopes(given: Iterable[str]) -> frozenset[str]:
    """The scopes that were given. Raises TypeError or ValueError where they are anything else."""
    scopes = tuple(given)
    # Of a text the letters would be taken for scopes.
    if isinstance(given, str) or not all(isinstance(each, str) and each for each in scopes):
        raise ValueError(f"These are no scopes: {given!r}")
    return frozenset(scopes)


def _require(scopes: frozenset[str], consumer: Any) -> None:
    authentication = consumer.scope["auth"]
    if authentication is None or not scopes <= authentication.scopes:
        raise TokenAuthError(CloseReason.FORBIDDEN)
