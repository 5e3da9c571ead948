"""The HTTP face: tickets, whether a token or a session still stands, and one's own sockets.

A credential comes in the `Authorization` header; where there is none, the session counts, and with
it Django's CSRF check. Nothing is read from the query. Answers are JSON, and never cached.
"""

from .health import ready
from .own_connections import connection, connections
from .tickets import check, ticket

__all__ = ["check", "connection", "connections", "ready", "ticket"]
