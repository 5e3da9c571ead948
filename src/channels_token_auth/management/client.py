"""Build the ASGI scope of an opening handshake, as a server builds it from a client's request."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from django.conf import settings

from ..core.asgi_types import Scope
from ..core.credentials import Location, Secret
from ..core.handshake.extraction import PROTOCOL
from ..core.handshake.policy import Policy
from ..core.handshake.presentation import present

__all__ = ["websocket_scope"]

# There is no connection, and so no port of the client.
ADDRESS = ("127.0.0.1", 0)


def websocket_scope(
    target: str,
    *,
    policy: Policy,
    token: Secret | None = None,
    location: Location = Location.HEADER,
    subprotocols: Iterable[str] = (),
    origin: str | None = None,
) -> Scope:
    """Return the scope of a page's handshake for this path and query.

    `token` is presented in `location`. `origin`: None for an origin that the policy allows.
    """
    host = _host()
    scope = _bare_scope(target, host=host, origin=origin or _origin(policy, host))
    scope["subprotocols"] = [PROTOCOL, *subprotocols]
    if token:
        present(scope, token.reveal(), location, policy)
    # Servers pass the offer twice: as a list, and as the header. A location may have added to it.
    offered = ", ".join(scope["subprotocols"])
    scope["headers"].append((b"sec-websocket-protocol", offered.encode()))
    return scope


def _bare_scope(target: str, *, host: str, origin: str) -> dict[str, Any]:
    path, _, query = target.partition("?")
    return {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws",
        # ASGI, "WebSocket connection scope": `path` is decoded, `raw_path` has the bytes as sent.
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (b"host", host.encode()),
            (b"origin", origin.encode()),
        ],
        "client": ADDRESS,
        "server": (host, 80),
        "extensions": {"websocket.http.response": {}},
    }


def _host() -> str:
    """Return a host that ALLOWED_HOSTS allows."""
    # ".example.com" allows example.com itself as well, and "*" is no host.
    named = [host.removeprefix(".") for host in settings.ALLOWED_HOSTS if host != "*"]
    return named[0] if named else "localhost"


def _origin(policy: Policy, host: str) -> str:
    """Return an origin whose pages may connect: a listed one, else that of the host."""
    listed = sorted(policy.origins.exact or ())
    # Neither a pattern nor "self" is an Origin that a page can send.
    pages = [each for each in listed if each.startswith("http") and "*" not in each]
    if pages:
        return pages[0]
    return "null" if listed == ["null"] else f"http://{host}"
