"""The sockets of this process, for tests that act on one or wait for its end."""

from channels_token_auth.connection.connection import Connection
from channels_token_auth.node.node import local_nodes

__all__ = ["open_sockets"]


def open_sockets() -> list[Connection]:
    """Return those from their opening handshake until their application has ended."""
    return [each for node in local_nodes() for each in node.sockets]
