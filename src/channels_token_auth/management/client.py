"""Build the ASGI scope of an opening handshake, as a server builds it from a client's request."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, urlencode

from django.conf import settings

from ..core.asgi_types import Scope
from ..core.credentials import Location, Secret
from ..core.handshake.extraction import PROTOCOL, TICKET_NAME
from ..core.handshake.policy import Policy

__all__ = ["LOCATIONS", "websocket_scope"]

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
    path, _, query = target.partition("?")
    host = _host()
    scope: dict[str, Any] = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (b"host", host.encode()),
            (b"origin", (origin or _origin(policy, host)).encode()),
        ],
        "subprotocols": [PROTOCOL, *subprotocols],
        "client": ADDRESS,
        "server": (host, 80),
        "extensions": {"websocket.http.response": {}},
    }
    if token:
        LOCATIONS[location](scope, token.reveal(), policy)
    # Servers pass the offer twice: as a list, and as the header. A location may have added to it.
    offered = ", ".join(scope["subprotocols"])
    scope["headers"].append((b"sec-websocket-protocol", offered.encode()))
    return scope


def _in_header(scope: Scope, token: str, _: Policy) -> None:
    # Python reads bytes of a terminal that are not UTF-8 as surrogates: they are sent as they were.
    value = f"Bearer {token}".encode(errors="surrogateescape")
    scope["headers"].append((b"authorization", value))


def _in_subprotocol(scope: Scope, token: str, _: Policy) -> None:
    text = urlsafe_b64encode(token.encode(errors="surrogateescape")).rstrip(b"=")
    scope["subprotocols"].append(f"base64url.bearer.{text.decode()}")


def _in_cookie(scope: Scope, token: str, policy: Policy) -> None:
    value = f"{policy.cookie_name}={token}".encode(errors="surrogateescape")
    scope["headers"].append((b"cookie", value))


def _in_query(scope: Scope, token: str, policy: Policy) -> None:
    _add_to_query(scope, policy.query_name, token)


def _in_ticket(scope: Scope, token: str, _: Policy) -> None:
    _add_to_query(scope, TICKET_NAME, token)


def _in_first_message(_: Scope, __: str, ___: Policy) -> None:
    """Leave the scope as it is: the token is sent after `auth.required`."""


def _add_to_query(scope: Scope, name: str, value: str) -> None:
    parts = [scope["query_string"], urlencode({name: value}, errors="surrogateescape").encode()]
    scope["query_string"] = b"&".join(filter(None, parts))


LOCATIONS: dict[Location, Callable[[Scope, str, Policy], None]] = {
    Location.HEADER: _in_header,
    Location.SUBPROTOCOL: _in_subprotocol,
    Location.COOKIE: _in_cookie,
    Location.QUERY: _in_query,
    Location.TICKET: _in_ticket,
    Location.FIRST_MESSAGE: _in_first_message,
}


def _host() -> str:
    """Return a host that ALLOWED_HOSTS allows."""
    named = [host.removeprefix(".") for host in settings.ALLOWED_HOSTS if host != "*"]
    return named[0] if named else "localhost"


def _origin(policy: Policy, host: str) -> str:
    """Return an origin whose pages may connect: a listed one, else that of the host."""
    listed = sorted(policy.origins.exact or ())
    pages = [each for each in listed if each.startswith("http") and "*" not in each]
    if pages:
        return pages[0]
    return "null" if listed == ["null"] else f"http://{host}"
