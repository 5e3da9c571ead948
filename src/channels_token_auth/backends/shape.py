"""Compare credentials with the shape of a backend's tokens, to save queries for others."""

import re
from collections.abc import Iterator
from functools import cache

from django.core.checks import CheckMessage, Error

from ..core.credentials import Credential

__all__ = ["check_shape", "has_shape"]


def has_shape(credential: Credential, pattern: str) -> bool:
    """Return True if the whole token matches a regular expression."""
    return _compile(pattern).fullmatch(credential.secret.reveal()) is not None


_compile = cache(re.compile)  # faster than the cache of `re`, which compares flags and types too


def check_shape(pattern: str, number: str) -> Iterator[CheckMessage]:
    """Report a pattern that is not a regular expression."""
    try:
        re.fullmatch(pattern, "")
    except (TypeError, re.error) as error:
        yield Error(
            f"The option 'pattern' {pattern!r} is not a regular expression: {error}",
            hint="Set it to an expression that a whole token matches, or leave it out.",
            id=f"channels_token_auth.{number}",
        )
