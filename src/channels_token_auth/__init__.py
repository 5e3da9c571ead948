"""Token authentication for WebSockets in Django Channels.

Everything that a site imports from here is loaded on first use, because Django must be set up
before. What is exported here, and by the modules that the documentation names, is the public API.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .authorization.scopes import requires_scopes
    from .backends.base import BaseTokenBackend
    from .backends.contract import (
        Authority,
        IssuedToken,
        Revocations,
        RevocationSignal,
        RevokedTokens,
        TokenBackend,
        Undecided,
        Unrecognized,
    )
    from .backends.site import Site
    from .backends.sources.users import admit
    from .cluster.connections import Connections, LiveConnection
    from .core.authentication import Authentication
    from .core.close_codes import CloseReason
    from .core.credentials import Credential, Location, Secret
    from .core.errors import Detail, TokenAuthError
    from .core.identity import Grant, Identity, Verdict
    from .listing import aconnections, connections
    from .providers.logins import remember_login
    from .revocation.disconnecting import adisconnect, disconnect
    from .revocation.labels import arevoke, revoke
    from .revocation.tokens import arevoke_token, revoke_token
    from .revocation.users import arevoke_user, revoke_user

# Once more, as texts: type checkers read only the imports above, which must not run before Django
# is set up.
_MODULES = {
    "authorization.scopes": ("requires_scopes",),
    "backends.base": ("BaseTokenBackend",),
    "backends.contract": (
        "Authority",
        "IssuedToken",
        "RevocationSignal",
        "Revocations",
        "RevokedTokens",
        "TokenBackend",
        "Undecided",
        "Unrecognized",
    ),
    "backends.site": ("Site",),
    "backends.sources.users": ("admit",),
    "cluster.connections": ("Connections", "LiveConnection"),
    "core.authentication": ("Authentication",),
    "core.close_codes": ("CloseReason",),
    "core.credentials": ("Credential", "Location", "Secret"),
    "core.errors": ("Detail", "TokenAuthError"),
    "core.identity": ("Grant", "Identity", "Verdict"),
    "listing": ("aconnections", "connections"),
    "providers.logins": ("remember_login",),
    "revocation.disconnecting": ("adisconnect", "disconnect"),
    "revocation.labels": ("arevoke", "revoke"),
    "revocation.tokens": ("arevoke_token", "revoke_token"),
    "revocation.users": ("arevoke_user", "revoke_user"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Authentication",
    "Authority",
    "BaseTokenBackend",
    "CloseReason",
    "Connections",
    "Credential",
    "Detail",
    "Grant",
    "Identity",
    "IssuedToken",
    "LiveConnection",
    "Location",
    "RevocationSignal",
    "Revocations",
    "RevokedTokens",
    "Secret",
    "Site",
    "TokenAuthError",
    "TokenBackend",
    "Undecided",
    "Unrecognized",
    "Verdict",
    "aconnections",
    "adisconnect",
    "admit",
    "arevoke",
    "arevoke_token",
    "arevoke_user",
    "connections",
    "disconnect",
    "remember_login",
    "requires_scopes",
    "revoke",
    "revoke_token",
    "revoke_user",
]


def __getattr__(name: str) -> Any:
    # PEP 562: Python calls this function for each name that the module itself does not have.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
