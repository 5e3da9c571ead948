"""What a site may say of the JWTs it accepts: each option, and what it must be."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["JWTOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JWTOptions:
    """Which tokens are accepted, and whose they are. Times are seconds; what an option cannot be
    raises TypeError.

    `key`, `keys` or `jwks_url`: a secret or a PEM; several, while they are rotated; or where the
    issuer publishes its own. `jwks_lifetime`: how long fetched keys are good; `jwks_stale`: how
    much longer while the key server is away. `typ`: what the header has to say; `token_type`: a
    claim's name and value. `user_claim`, `user_field`: which claim names the user, and which of
    his fields has it (None: the one he logs in with); or `user`: the dotted path of a function
    from the claims to a user or None.
    """

    algorithms: Sequence[str]
    key: str | bytes | None = field(default=None, repr=False)
    keys: Sequence[str | bytes] = field(default=(), repr=False)
    jwks_url: str | None = None
    jwks_lifetime: float = 300
    jwks_stale: float = 3600
    jwks_timeout: float = 3
    audience: str | Sequence[str] | None = None
    issuer: str | Sequence[str] | None = None
    typ: str | None = None
    token_type: Sequence[str] | None = None
    leeway: float = 0
    required_claims: Sequence[str] = ()
    require_exp: bool = True
    user_claim: str = "sub"
    user_field: str | None = "pk"
    user: str | None = None
    scope_claim: str | None = "scope"

    def __post_init__(self) -> None:
        for name, (is_right, kind) in _KINDS.items():
            if not is_right(getattr(self, name)):
                raise TypeError(f"{name!r} must be {kind}.")
        if sum(map(bool, (self.key, self.keys, self.jwks_url))) != 1:
            raise TypeError("it needs exactly one of 'key', 'keys' and 'jwks_url'.")

    @property
    def own_keys(self) -> Sequence[str | bytes]:
        """`key` or `keys`, as a list."""
        return self.keys if self.key is None else [self.key]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_optional_text(value: Any) -> bool:
    return value is None or _is_text(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_text, value))


def _are_names(value: Any) -> bool:
    return value is None or _is_text(value) or (_are_texts(value) and len(value) > 0)


def _are_keys(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_key, value))


def _is_key(value: Any) -> bool:
    return isinstance(value, str | bytes) and len(value) > 0


def _is_duration(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


_DURATION = (_is_duration, "a number of seconds")
_TEXTS = (_are_names, "None, a text, or a list of some")
_OPTIONAL = (_is_optional_text, "None or a text")

_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "algorithms": (lambda value: _are_texts(value) and len(value) > 0, "a list of algorithms"),
    "key": (lambda value: value is None or _is_key(value), "a secret or a PEM"),
    "keys": (_are_keys, "a list of secrets or PEMs"),
    "jwks_url": _OPTIONAL,
    "jwks_lifetime": _DURATION,
    "jwks_stale": _DURATION,
    "jwks_timeout": (lambda value: _is_duration(value) and value > 0, "a number over 0"),
    "audience": _TEXTS,
    "issuer": _TEXTS,
    "typ": _OPTIONAL,
    "token_type": (
        lambda value: value is None or (_are_texts(value) and len(value) == 2),
        "None or a claim's name and value",
    ),
    "leeway": _DURATION,
    "required_claims": (_are_texts, "a list of claims"),
    "require_exp": (lambda value: isinstance(value, bool), "True or False"),
    "user_claim": (_is_text, "the name of a claim"),
    "user_field": _OPTIONAL,
    "user": _OPTIONAL,
    "scope_claim": _OPTIONAL,
}
