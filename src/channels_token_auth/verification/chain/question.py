"""Call a backend or a store that may fail. Blocks, and raises nothing."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connections

from ...backends.sources.users import concrete
from ...core.errors import TokenAuthError
from ...core.identity import Identity, unavailable
from ...observability.error_log import log_error
from ..denylist import CacheUnavailable
from ..tickets import Found

__all__ = ["UNANSWERED", "put"]

UNANSWERED = "A token could not be verified: answered unavailable."

# Errors of an unavailable store, which no single credential has caused.
_UNAVAILABLE = (OperationalError, InterfaceError, CacheUnavailable)

Asked = TypeVar("Asked")


def put(
    question: Callable[[Sequence[Asked]], Sequence[Any]],
    asked: Sequence[Asked],
    *,
    usable: Callable[[Any], Any] | None = None,
) -> list[Any]:
    """Return the answers, each as `usable` returns it: by default verdicts, with loaded users.

    If the call raises, it is repeated once, and then the answer is "unavailable", never "invalid":
    a store that fails proves nothing about a token. One token that makes a backend fail must not
    affect the others of its batch, so the two halves are then tried separately.
    """
    if not asked:
        return []
    usable = usable or _usable
    try:
        return _answers(question, asked, usable)
    except Exception:  # noqa: BLE001 - of a backend or its store
        # The store may have been restarted, which breaks open connections: try new ones.
        _close_connections()
    try:
        return _answers(question, asked, usable)
    except Exception as error:  # noqa: BLE001 - as above
        if len(asked) == 1 or isinstance(error, _UNAVAILABLE):
            log_error(UNANSWERED, error, about=asked, often=True)
            return [unavailable() for _ in asked]
    middle: int = len(asked) // 2
    halves = asked[:middle], asked[middle:]
    return [answer for half in halves for answer in put(question, half, usable=usable)]


def _answers(
    question: Callable[[Sequence[Asked]], Sequence[Any]],
    asked: Sequence[Asked],
    usable: Callable[[Any], Any],
) -> list[Any]:
    answers = [usable(each) for each in question(asked)]
    if len(answers) != len(asked):
        raise TypeError(f"A token backend gave {len(answers)} verdicts on {len(asked)} tokens.")
    return answers


def _usable(verdict: Any) -> Any:
    """Return the verdict with a user that is loaded here, where queries may be made."""
    if isinstance(verdict, Identity):
        user = concrete(verdict.user)
        return verdict if user is verdict.user else replace(verdict, user=user)
    if verdict is None or isinstance(verdict, TokenAuthError | Found):
        return verdict
    raise TypeError(f"A token backend returned a {type(verdict).__name__} instead of a verdict.")


def _close_connections() -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
