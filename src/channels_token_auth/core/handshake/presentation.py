"""Put a token into an opening handshake, as a client does: the reverse of `extraction`.

The command `token_connect` and the test client open sockets with it.
"""

from base64 import urlsafe_b64encode
from typing import assert_never
from urllib.parse import urlencode

from ..asgi_types import Scope
from ..credentials import Location
from .extraction import TICKET_NAME
from .policy import Policy

__all__ = ["present"]


def present(scope: Scope, token: str, location: Location, policy: Policy) -> None:
    """Add the token to the scope of a handshake, in this location."""
    match location:
        case Location.HEADER:
            scope["headers"].append((b"authorization", _encode(f"Bearer {token}")))
        case Location.SUBPROTOCOL:
            # Encoded, because a subprotocol allows fewer characters than tokens have.
            text = urlsafe_b64encode(_encode(token)).rstrip(b"=").decode()
            scope["subprotocols"].append(f"base64url.bearer.{text}")
        case Location.COOKIE:
            scope["headers"].append((b"cookie", _encode(f"{policy.cookie_name}={token}")))
        case Location.TICKET:
            _add_to_query(scope, TICKET_NAME, token)
        case Location.QUERY:
            _add_to_query(scope, policy.query_name, token)
        case Location.FIRST_MESSAGE:
            pass  # sent after `auth.required`
        case _:
            assert_never(location)


def _encode(text: str) -> bytes:
    # Python reads bytes of a terminal that are not UTF-8 as surrogates: send them as they were.
    return text.encode(errors="surrogateescape")


def _add_to_query(scope: Scope, name: str, value: str) -> None:
    parts = [scope["query_string"], urlencode({name: value}, errors="surrogateescape").encode()]
    scope["query_string"] = b"&".join(filter(None, parts))
