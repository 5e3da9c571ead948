"""The HTTP endpoints: tickets, checks of a token, the caller's own sockets, identity providers.

A credential comes in the `Authorization` header; where there is none, the session counts, and with
it Django's CSRF check. Requests of identity providers carry a signed token of their own. Nothing is
read from the query. Answers are JSON, and never cached.
"""

from .health import ready
from .own_connections import connection, connections
from .providers import backchannel_logout, global_token_revocation, security_events
from .tickets import check, ticket

__all__ = [
    "backchannel_logout",
    "check",
    "connection",
    "connections",
    "global_token_revocation",
    "ready",
    "security_events",
    "ticket",
]
