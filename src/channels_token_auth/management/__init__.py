"""Management commands: list and revoke tokens, connect a socket, drain a node."""
