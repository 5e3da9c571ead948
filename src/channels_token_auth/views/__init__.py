"""Serve the HTTP endpoints: tickets, checks of a token, own sockets, identity providers.

The credential is the `Authorization` header; without it, the session together with Django's CSRF
check. Requests of identity providers have a signed token instead. No credential is read from the
query. Answers are JSON, and must not be cached.
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
