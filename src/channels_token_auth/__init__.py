"""Token authentication for WebSockets in Django Channels.

What a site calls is here; it is loaded on first use, since Django must be set up before.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cluster.connections import aconnections, connections
    from .revocation.api import (
        adisconnect,
        arevoke_token,
        arevoke_user,
        disconnect,
        revoke_token,
        revoke_user,
    )

__all__ = [
    "aconnections",
    "adisconnect",
    "arevoke_token",
    "arevoke_user",
    "connections",
    "disconnect",
    "revoke_token",
    "revoke_user",
]

_MODULES = {
    name: f"{__name__}.{'cluster.connections' if 'connections' in name else 'revocation.api'}"
    for name in __all__
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
