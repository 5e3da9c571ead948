"""List all settings, each with its default and its reader."""

from typing import Any

from ..core.credentials import Location
from ..core.handshake.origin import mistake_in
from ..core.handshake.policy import RefusalMode
from ..observability.event_names import EventNames
from .backend_spec import read_backends
from .identity_providers import read_identity_providers
from .limits import read_limits
from .problem import WrongValueError, must_be, shown
from .readers import (
    Fields,
    list_of,
    one_of,
    or_none,
    read_boolean,
    read_cookie_name,
    read_list,
    read_not_negative,
    read_positive,
    read_query_name,
    read_secret,
    read_whole,
    read_whole_positive,
    text,
)

__all__ = ["SETTINGS", "SITE_WIDE"]


def _read_locations(value: Any) -> frozenset[Location]:
    return frozenset(list_of(one_of(Location), f"a list of some of {', '.join(Location)}")(value))


def _read_scopes(value: Any) -> frozenset[str]:
    return frozenset(read_list(value, _read_scope, "a list of scopes"))


def _read_scope(value: Any) -> str:
    return text("a scope, such as 'chat:read'")(value)


def _read_some_scopes(value: Any) -> frozenset[str]:
    # An empty list would let every delegated token revoke other tokens of its user: a mistake.
    return frozenset(list_of(_read_scope, "a list of scopes")(value))


def _read_origins(value: Any) -> frozenset[str]:
    what = 'a list of origins such as "https://example.com", "https://*.example.com", "self"'
    return frozenset(read_list(value, _read_origin, what))


def _read_origin(value: Any) -> str:
    # Checked by the rules of the handshake: an entry that breaks them would never match.
    remedy = mistake_in(value)
    if remedy:
        raise WrongValueError(f"is {shown(value)}: {remedy}.")
    return str(value)


def _read_proxies(value: Any) -> int:
    try:
        return read_whole(value)
    except WrongValueError:
        # Other projects have a list of addresses here.
        what = "the number of your own proxies that append to X-Forwarded-For: 0 or a positive one"
        raise must_be(value, what) from None


SETTINGS: Fields = {
    "BACKENDS": ((), read_backends),
    # Without "query" and "cookie", whose risks the checks W001 and W002 describe.
    "LOCATIONS": (("header", "subprotocol", "first_message", "ticket"), _read_locations),
    "ANONYMOUS": (False, read_boolean),
    "SCOPES": ((), _read_scopes),
    "REFUSAL": ("auto", one_of(RefusalMode)),
    "ALLOWED_ORIGINS": (None, or_none(_read_origins)),
    # In base64url a third longer, it still fits into a line of 8,192 bytes: see the check W003.
    "MAX_TOKEN_BYTES": (4096, read_whole_positive),
    "AUTH_TIMEOUT": (10, read_positive),
    "VERIFY_TIMEOUT": (5, read_positive),
    "VERIFIED_CACHE_SECONDS": (10, read_not_negative),
    "MAX_CONNECTION_AGE": (None, or_none(read_positive)),
    "EXPIRY_WARNING": (30, read_positive),
    "SWEEP_INTERVAL": (60, read_positive),
    # None: a token store that is down logs nobody out. Sites that prefer closing set a bound.
    "SWEEP_GRACE": (None, or_none(read_positive)),
    "CHANNEL_LAYER": ("default", text("the alias of a channel layer, as in CHANNEL_LAYERS")),
    "CACHE": ("default", text("the alias of a cache, as in CACHES")),
    "LIMITS": ({}, read_limits),
    # 0: any client can send X-Forwarded-For, so it counts only where a site names its proxies.
    "TRUSTED_PROXIES": (0, _read_proxies),
    "IDENTITY_PROVIDERS": ((), read_identity_providers),
    "CONNECTIONS_SCOPES": (None, or_none(_read_some_scopes)),
    "TENANTS": (None, or_none(text("the dotted path of a class"))),
    # None: only this machine may read the metrics.
    "METRICS_TOKEN": (None, or_none(read_secret)),
    "AUDIT_EVENT_NAMES": ("signals", one_of(EventNames)),
    # As long as a refresh token usually lives: a revoked user must not come back with one.
    "DENYLIST_SECONDS": (30 * 24 * 60 * 60, read_positive),
    "QUERY_NAME": ("token", read_query_name),
    "COOKIE_NAME": ("token", read_cookie_name),
}

SITE_WIDE = frozenset({
    "AUDIT_EVENT_NAMES", "CACHE", "CHANNEL_LAYER", "CONNECTIONS_SCOPES", "DENYLIST_SECONDS",
    "IDENTITY_PROVIDERS", "METRICS_TOKEN", "SWEEP_GRACE", "SWEEP_INTERVAL", "TENANTS",
})  # fmt: skip
"""Settings that no route can override. Revocations, for example, are written to one cache: a route
with a cache of its own would accept revoked tokens."""
