"""Define the options of the JWT backend, with their meanings and types."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..sources.claims import CLIENTS

__all__ = ["JWTOptions"]


PROFILES = {"at+jwt": ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")}
"""The claims that each profile requires: RFC 9068, section 2.2."""

Values = Sequence[Any] | None


@dataclass(frozen=True, kw_only=True)
class JWTOptions:
    """The options that decide which tokens are accepted, and for which user. Times are seconds. A
    wrong option raises TypeError.

    `key`, `keys` or `jwks_url`: a secret or a PEM; several, while they are rotated; or the URL
    where the issuer publishes its own. `jwks_lifetime`: how long fetched keys are good;
    `jwks_stale`: how much longer while the key server is unavailable. `profile`: "at+jwt" for
    access tokens as in RFC 9068. `typ`: what the header's `typ` must be; `token_type`: a claim's
    name and value; `required_claims`: names of claims, or a mapping of names to the value that
    each must have, to a list of allowed values, or to None for any. `user_claim`, `user_field`:
    which claim names the user, and the field that holds it (None: the one users log in with); or
    `user`: the dotted path of a function from the claims to a user or None. `allow_machines`:
    accept tokens of clients themselves. `labels`: claims to revoke by, besides `sid` and the
    client's id.
    """

    algorithms: Sequence[str]
    key: str | bytes | None = field(default=None, repr=False)
    keys: Sequence[str | bytes] = field(default=(), repr=False)
    jwks_url: str | None = None
    jwks_lifetime: float = 300
    # An issuer's outage must not log everybody out. A key that was withdrawn meanwhile is trusted
    # for that long, hence not for ever.
    jwks_stale: float = 3600
    jwks_timeout: float = 3
    audience: str | Sequence[str] | None = None
    issuer: str | Sequence[str] | None = None
    profile: str | None = None
    typ: str | None = None
    token_type: Sequence[str] | None = None
    # None by default: clocks of servers are synchronized, and a leeway lengthens every token.
    leeway: float = 0
    required_claims: Sequence[str] | Mapping[str, Any] = ()
    # RFC 8725, section 3.10 and RFC 9068, section 2.2: a token without `exp` is valid for ever, and
    # its revocation would have to be kept for ever.
    require_exp: bool = True
    user_claim: str = "sub"
    user_field: str | None = "pk"
    user: str | None = None
    scope_claim: str | None = "scope"
    allow_machines: bool = False
    labels: Sequence[str] = ()

    def __post_init__(self) -> None:
        # Types first: the rules below would raise errors about values that nobody has set.
        for name, (is_right, kind) in _KINDS.items():
            if not is_right(getattr(self, name)):
                raise TypeError(f"{name!r} must be {kind}.")
        # Two sources of keys would be two issuers, which need two backends: with one, a key of the
        # first could sign for the second.
        if sum(map(bool, (self.key, self.keys, self.jwks_url))) != 1:
            raise TypeError("it needs exactly one of 'key', 'keys' and 'jwks_url'.")
        # RFC 9068, section 4: a resource server must check both.
        if self.profile and not (self.issuer and self.audience):
            raise TypeError(f"'profile' {self.profile!r} needs 'issuer' and 'audience' (RFC 9068).")

    @property
    def own_keys(self) -> Sequence[str | bytes]:
        """Return `key` or `keys`, as a list."""
        return self.keys if self.key is None else [self.key]

    @property
    def issuers(self) -> Sequence[str]:
        """Return `issuer`, as a list."""
        return [self.issuer] if isinstance(self.issuer, str) else self.issuer or ()

    @property
    def header_type(self) -> str | None:
        """Return what the header's `typ` must be."""
        return self.typ or self.profile

    @property
    def distinguishes_types(self) -> bool:
        """Return True if an ID token of the same issuer is refused."""
        return bool(self.header_type or any(self.required.values()))

    @property
    def names_client(self) -> bool:
        """Return True if only tokens of named clients are accepted."""
        return any(self.required.get(name) for name in CLIENTS)

    @cached_property
    def required(self) -> Mapping[str, Values]:
        """Return the claims that must be there, and the values that each may have: None for any."""
        given = self.required_claims
        pairs = given if isinstance(given, Mapping) else dict.fromkeys(given)
        found: dict[str, Values] = dict.fromkeys(PROFILES.get(self.profile or "", ()))
        found |= {"exp": None} if self.require_exp else {}
        found |= {name: _allowed(value) for name, value in pairs.items()}
        if self.token_type is not None:
            name, value = self.token_type
            found[name] = (value,)
        return found


def _allowed(value: Any) -> Values:
    return value if value is None or isinstance(value, list | tuple) else (value,)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_optional_text(value: Any) -> bool:
    return value is None or _is_text(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_text, value))


def _are_names(value: Any) -> bool:
    return value is None or _is_text(value) or (_are_texts(value) and len(value) > 0)


def _are_claims(value: Any) -> bool:
    return _are_texts(list(value) if isinstance(value, Mapping) else value)


def _are_keys(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_key, value))


def _is_key(value: Any) -> bool:
    return isinstance(value, str | bytes) and len(value) > 0


def _is_duration(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


_DURATION = (_is_duration, "a number of seconds")
_TEXTS = (_are_names, "None, a text, or a list of some")
_OPTIONAL = (_is_optional_text, "None or a text")
_FLAG = (lambda value: isinstance(value, bool), "True or False")

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
    "profile": (lambda value: value is None or value in list(PROFILES), "None or 'at+jwt'"),
    "typ": _OPTIONAL,
    "token_type": (
        lambda value: value is None or (_are_texts(value) and len(value) == 2),
        "None or a claim's name and value",
    ),
    "leeway": _DURATION,
    "required_claims": (_are_claims, "a list of claims, or a mapping of claims to values"),
    "require_exp": _FLAG,
    "user_claim": (_is_text, "the name of a claim"),
    "user_field": _OPTIONAL,
    "user": _OPTIONAL,
    "scope_claim": _OPTIONAL,
    "allow_machines": _FLAG,
    "labels": (_are_texts, "a list of claims"),
}
