"""Read the setting `IDENTITY_PROVIDERS`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .problem import WrongValueError
from .readers import (
    REQUIRED,
    Fields,
    list_of,
    one_of,
    or_none,
    read_boolean,
    read_entry,
    read_list,
    text,
)

__all__ = ["IdentityProvider", "ProviderEndpoint", "read_identity_providers"]


class ProviderEndpoint(StrEnum):
    """An endpoint that receives an identity provider's messages."""

    BACKCHANNEL_LOGOUT = "backchannel-logout"
    """OpenID Connect Back-Channel Logout 1.0."""
    SECURITY_EVENTS = "security-events"
    """Push-based delivery of security event tokens (RFC 8935)."""
    GLOBAL_TOKEN_REVOCATION = "global-token-revocation"  # noqa: S105 - a path
    """Okta's Universal Logout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProvider:
    """An identity provider whose logouts and security events revoke tokens here.

    `audience`: the client ids of this site at the provider. `keys`: secrets or PEMs; or `jwks_url`:
    the URL at which the provider publishes its keys. `backends`: the names of the backends that
    accept its access tokens. `user`: the dotted path of a function that returns the user of claims;
    or `user_claim` and `user_field`. `require_typ`: whether a token must have the `typ` of its
    kind.
    """

    issuer: str
    audience: Sequence[str]
    algorithms: Sequence[str]
    backends: Sequence[str]
    endpoints: frozenset[ProviderEndpoint]
    keys: Sequence[str | bytes] = field(default=(), repr=False)
    jwks_url: str | None = None
    user: str | None = None
    user_claim: str = "sub"
    user_field: str | None = "pk"
    require_typ: bool = True


def read_identity_providers(value: Any) -> tuple[IdentityProvider, ...]:
    # The value is not shown: it may hold keys.
    if not isinstance(value, list | tuple):
        raise WrongValueError("must be a list of dictionaries, one for each provider.")
    return tuple(read_list(value, _read_provider, "a list"))


def _read_provider(entry: Any) -> IdentityProvider:
    read = read_entry(entry, _FIELDS)
    key, keys = read.pop("KEY"), read.pop("KEYS")
    # With several, it would be open which keys verify a token; without any, all are refused.
    if sum((key is not None, bool(keys), read["JWKS_URL"] is not None)) != 1:
        raise WrongValueError("needs exactly one of the keys JWKS_URL, KEY and KEYS.")
    # By the entry's own keys, since the other two have defaults.
    if read["USER"] is not None and {"USER_CLAIM", "USER_FIELD"} & entry.keys():
        raise WrongValueError("needs either USER, or USER_CLAIM and USER_FIELD.")
    read["KEYS"] = keys if key is None else (key,)
    return IdentityProvider(**{name.lower(): each for name, each in read.items()})


def _read_key(value: Any) -> str | bytes:
    if not isinstance(value, str | bytes) or not value:
        raise WrongValueError("must be a secret or a PEM.")
    return value


def _read_keys(value: Any) -> tuple[str | bytes, ...]:
    if not isinstance(value, list | tuple):
        raise WrongValueError("must be a list of secrets or PEMs.")
    return tuple(read_list(value, _read_key, "a list"))


def _read_texts(what: str) -> Any:
    read = list_of(text(what), "a list")
    # A single text is common, such as one audience: it is taken as a list of one.
    return lambda value: (value,) if value and isinstance(value, str) else tuple(read(value))


def _read_endpoints(value: Any) -> frozenset[ProviderEndpoint]:
    return frozenset(list_of(one_of(ProviderEndpoint), "a list")(value))


_FIELDS: Fields = {
    "ISSUER": (REQUIRED, text("the provider's issuer identifier, a URL")),
    "AUDIENCE": (REQUIRED, _read_texts("a client id")),
    "JWKS_URL": (None, or_none(text("a URL"))),
    "KEY": (None, or_none(_read_key)),
    "KEYS": ((), _read_keys),
    "ALGORITHMS": (REQUIRED, _read_texts("an algorithm, such as RS256")),
    "BACKENDS": (REQUIRED, _read_texts("a backend's name")),
    "ENDPOINTS": (REQUIRED, _read_endpoints),
    "USER": (None, or_none(text("a dotted path"))),
    "USER_CLAIM": ("sub", text("the name of a claim")),
    "USER_FIELD": ("pk", or_none(text("the name of a field"))),
    "REQUIRE_TYP": (True, read_boolean),
}
